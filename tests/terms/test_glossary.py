"""The glossary has every term that a lesson, a table, a figure uses; and none that nothing uses."""

from __future__ import annotations

import ast
import html
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import lifecycle_widgets
from lifecycle_widgets.experiments import (
    ColdAndWarm,
    Downstream,
    Experiment,
    InALoop,
    InARow,
    InTurn,
    run_frame,
)
from lifecycle_widgets.experiments.arms.result import _COLUMNS as ARMS
from lifecycle_widgets.experiments.load.cold_and_warm_result import _CURVE as CURVE
from lifecycle_widgets.experiments.loop.in_a_loop_result import _COLUMNS as LOOP
from lifecycle_widgets.history.reading.frames import REQUESTS, RESIDENCIES, RUNS
from lifecycle_widgets.monitor import residency_frame
from lifecycle_widgets.terms import (
    GLOSSARY,
    HOW_TO_READ,
    Glossary,
    glossary,
    how_to_read,
    term_of,
    tip,
)

PACKAGE = Path(lifecycle_widgets.__file__).parent
LESSONS = sorted((PACKAGE.parent / "notebooks").glob("*.ipynb"))
KINDS: tuple[type[Experiment], ...] = (ColdAndWarm, Downstream, InTurn, InARow, InALoop)
UNIT = re.compile(r"\b[a-z][a-z_]*_(?:s|gb|bytes|tokens|per_s|gb_min)\b")

# --- what needs no explanation --------------------------------------------------------------------

PLAIN_COLUMNS = {
    *("model", "models", "server", "started_at", "began_at", "ended_at", "options", "note"),
    *("error", "stopped", "kind", "count", "status"),
}
EMPHASIS = {  # words of every day that a lesson stresses
    *("again", "all", "an", "each", "every", "feel", "first", "last", "not", "read", "usually"),
    *("s", "g"),
    "more recently",
    "of the same model",
    "while such a task runs",
    "hold it for T, then let it go",
    "each carries the ",
}
BUTTONS = {"Advice", "Apply", "Copy as", "Run", "Run > Run All Cells", "Unload now"}
CODE = {
    "Run",
    "None",
    "advice",
    "max_tokens",
    "timeout_s",
}  # names in a program, explained where they stand
ACRONYMS = {"CSV", "JSON", "SOSP"}


# --- what there is --------------------------------------------------------------------------------


@cache
def cells(kind: str) -> tuple[tuple[str, str], ...]:
    """The sources of all lessons' cells of a kind, each with its lesson."""
    return tuple(
        (lesson.stem, "".join(cell["source"]))
        for lesson in LESSONS
        for cell in json.loads(lesson.read_text())["cells"]
        if cell["cell_type"] == kind
    )


def prose() -> Iterator[tuple[str, str]]:
    """What lessons say, without their links' addresses and the names of pictures."""
    for lesson, text in cells("markdown"):
        text = re.sub(r"!\[([^]]*)\]\([^)]*\)", r"\1", text)
        yield lesson, re.sub(r"\]\([^)]*\)", "]", text)


def columns() -> set[str]:
    """Every column of every table that a result, the runs, or the history gives."""
    found = {*ARMS, *CURVE, *LOOP, *run_frame([]).columns, *residency_frame([]).columns}
    found |= {*REQUESTS, *RESIDENCIES, *RUNS, "gap_s", "exact_s", "watched", "is_best"}
    for kind in KINDS:
        result = kind.result_kind
        texts = [result.__doc__, *(getattr(result, name).__doc__ for name in dir(result))]
        named = re.findall(r"``([a-z_]+)``", " ".join(filter(None, texts[:1])))
        found |= {*named, *getattr(kind, "columns", ())}
        for name in ("table", "curve", "costs", "residencies", "evictions"):
            found |= set(UNIT.findall(getattr(result, name, None).__doc__ or ""))
    return found - {"frame"}


@cache
def defined() -> frozenset[str]:
    """The names that the lessons' own code gives, such as a function's: explained where made."""
    trees = [ast.parse(source) for _, source in cells("code")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    stored = (n for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return frozenset(names | {node.id for node in stored})


def known(word: str) -> bool:
    """Whether the glossary has it, in the singular or in the plural."""
    return any(term_of(one) is not None for one in (word, word.removesuffix("s")))


# --- nothing is lacking ---------------------------------------------------------------------------


def test_every_column_is_in_it() -> None:
    there = columns()
    assert {"span_s", "late_s", "steady_s", "history_tokens", "left_gb", "was_resident"} <= there
    assert sorted(name for name in there - PLAIN_COLUMNS if not known(name)) == []
    assert there >= PLAIN_COLUMNS, "a word that need not be explained is no column any more"


def test_every_word_with_a_unit_is_in_it() -> None:
    """In what lessons say, in the titles that their code asks for, and in what it reads."""
    found: dict[str, str] = {}
    for lesson, text in prose():
        found |= dict.fromkeys(UNIT.findall(text), lesson)
    for lesson, source in cells("code"):
        for node in ast.walk(ast.parse(source)):
            text = node.value if isinstance(node, ast.Constant) else getattr(node, "attr", "")
            found |= dict.fromkeys(UNIT.findall(text if isinstance(text, str) else ""), lesson)
    lacking = {word: lesson for word, lesson in found.items() if not known(word)}
    assert {w: lesson for w, lesson in lacking.items() if w not in CODE | defined()} == {}


def test_every_word_in_italics_is_in_it() -> None:
    found = {}
    for lesson, text in prose():
        text = re.sub(r"`[^`]*`|\$[^$]*\$|\*\*[^*]+\*\*", "", text).replace("\\*", "")
        found |= dict.fromkeys(re.findall(r"\*([^*\n]{1,50})\*", text), lesson)
    lacking = {w: lesson for w, lesson in found.items() if not known(re.split("[:,]", w)[0])}
    assert {w: lsn for w, lsn in lacking.items() if w not in EMPHASIS | BUTTONS} == {}


def test_every_name_in_code_that_lessons_explain_is_in_it() -> None:
    found = {}
    for lesson, text in prose():
        names = re.findall(r"`([A-Za-z_*-]{2,})`", text)
        found |= {name: lesson for name in names if not hasattr(lifecycle_widgets, name)}
    lacking = {w: lesson for w, lesson in found.items() if not known(w)}
    assert {w: lesson for w, lesson in lacking.items() if w not in CODE | defined()} == {}


def test_every_acronym_is_in_it() -> None:
    found = {}
    for lesson, text in prose():
        text = re.sub(r"`[^`]*`", "", text)
        found |= dict.fromkeys(re.findall(r"\b[A-Z]{2,}\b", text), lesson)
    assert {w: lsn for w, lsn in found.items() if not known(w) and w not in ACRONYMS} == {}


# --- nothing is too much --------------------------------------------------------------------------


@cache
def used() -> str:
    """All that a reader may come to see, beside the glossary itself."""
    texts = [text for _, text in (*cells("markdown"), *cells("code"))]
    texts += [(PACKAGE.parent / "README.md").read_text(), *columns()]
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.parent != PACKAGE / "terms":
            tree = ast.parse(path.read_text())
            texts += [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)
                      and isinstance(n.value, str)]  # fmt: skip
    return " ".join("\n".join(texts).split()).casefold()


def test_each_term_is_used_in_each_of_its_forms() -> None:
    """Of a short form, such as TPOT, what it stands for is enough."""
    said = set(re.findall(r"[\w*]+", used()))
    for term in GLOSSARY.values():
        for word in map(str.casefold, term.forms or (term.name,)):
            whole = rf"(?<![\w*]){re.escape(word)}(?![\w*])"
            assert word in said or re.search(whole, used()), f"nothing says {word!r}"


def test_no_word_means_two_things() -> None:
    words = [word.casefold() for term in GLOSSARY.values() for word in term.words]
    assert sorted(word for word in set(words) if words.count(word) > 1) == []


def test_a_meaning_is_short_and_plain() -> None:
    for term in GLOSSARY.values():
        assert term.meaning.endswith("."), term.name
        assert len(term.meaning) < 220, term.name
        sentences = re.split(r"[.:?] ", term.meaning)
        assert max(len(sentence.split()) for sentence in sentences) <= 24, sentences


# --- how it shows itself --------------------------------------------------------------------------


def test_one_word_in_any_form() -> None:
    assert [term.name for term in glossary("ttft_s", "TTFT, s", "late_s")] == ["TTFT", "late_s"]
    assert "client's clock" in str(glossary("TTFT"))
    with pytest.raises(LookupError, match=r"no 'spam_s'.*Did you mean span_s"):
        glossary("spam_s")


def test_all_of_it() -> None:
    everything = glossary()
    assert isinstance(everything, Glossary)
    assert len(everything) == len(GLOSSARY) == len(everything.frame)
    shown = everything._repr_html_()
    for name in GLOSSARY:
        assert f">{html.escape(name)}</th>" in shown
    lines = everything._repr_markdown_().splitlines()
    assert len(lines) == 2 + len(GLOSSARY)
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1, "one table"


def test_a_column_says_its_unit() -> None:
    assert tip("runner_gb").endswith("Unit: GB (1e9 bytes).")
    assert tip("history_tokens").endswith("Unit: tokens.")
    assert tip("gb_s").endswith("Unit: GB x seconds.")
    assert tip("no such column") == ""


def test_an_interval_is_explained_with_its_own_numbers() -> None:
    assert how_to_read("It takes 2.67 (2.66 to 2.67, n=3) s.") == HOW_TO_READ
    assert how_to_read("It takes 2.67 (n=1) s.") == ""
