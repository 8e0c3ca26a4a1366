"""One thing has one word: why a model left, and the field's own words for the rest."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import lifecycle_widgets
from lifecycle_widgets.monitor import WHYS, Residency
from lifecycle_widgets.monitor.stays import ending
from lifecycle_widgets.widgets.chart.words import end_label, end_text, leaves_text

PACKAGE = Path(lifecycle_widgets.__file__).parent
ROOT = PACKAGE.parent
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)

# words of others for what has a word here, and that word
NOT_OURS = {
    r"pre-?fill": "prompt eval",
    r"decod(e|ing)\b(?!\()": "eval",
    r"latency|response time|time[- ]to[- ]first[- ]byte|\bTTFB": "time to first token (TTFT)",
    r"inter-token|per-token time": "time per output token (TPOT)",
    r"throughput|tok/s|\btps\b|tokens/sec": "tokens per second",
    r"cold[- ]start|disk[- ]cold|hot[- ]start|model is hot|warm[- ]up": "cold (from disk), warm",
    r"cache (hit|miss)": "cold (page cache), warm",
    r"idle (time|period|interval)|inactivity": "idle gap",
    r"crossover|tipping point|break-?even (time|point|duration)": "break-even T*",
    r"re-load|cold reload|re-?warm": "reload",
    r"offload|swap(s|ped|ping)? out|kick(s|ed|ing)? out|pre-?empt": "eviction",
    r"follow-up task|subsequent task|next stage": "downstream task",
    r"hot model|model (process|instance|worker)": "resident model, runner",
}
ALLOWED = (  # explains ours by theirs, or is no word for a reader
    "Elsewhere: prefill.",
    "Elsewhere: decode.",
    "Output tokens per second of eval (decode).",
    "--no-mmproj-offload",  # an option of llama.cpp
    "lifecycle-warm-up",  # a thread's name
)


def strings(path: Path) -> Iterator[str]:
    """The strings of a program: what is shown, and docstrings, which `help` shows."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def texts() -> tuple[tuple[str, str], ...]:
    """All that a reader may come to see, each with where it is."""
    return tuple(_texts())


def _texts() -> Iterator[tuple[str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield from ((str(path.relative_to(ROOT)), text) for text in strings(path))
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text())["cells"]
        yield from ((path.name, "".join(cell["source"])) for cell in cells)
    for path in (ROOT / "README.md", *sorted((PACKAGE / "widgets" / "static").glob("*.js"))):
        yield path.name, path.read_text()


@pytest.mark.parametrize("pattern", NOT_OURS)
def test_no_other_words_than_ours(pattern: str) -> None:
    found = [
        f"{where}: {match.group()!r} in {text[max(0, match.start() - 40) : match.end() + 40]!r}"
        for where, text in texts()
        for match in re.finditer(pattern, text, re.IGNORECASE)
        if not any(one in text for one in ALLOWED)
    ]
    assert not found, f"the word here is {NOT_OURS[pattern]}"


def test_what_is_allowed_is_there() -> None:
    seen = "\n".join(text for _, text in texts())
    assert [one for one in ALLOWED if one not in seen] == []


# --- why a model left -----------------------------------------------------------------------------


def stay(why: str | None, **more: Any) -> Residency:
    until = None if why is None else NOON
    return Residency("a:latest", NOON - timedelta(seconds=9), until, why, None, False, **more)


@pytest.mark.parametrize("why", WHYS)
def test_the_chart_says_it_in_the_same_word_with_its_sentence(why: str) -> None:
    assert end_label(stay(why)) == why
    assert f", {why}: {WHYS[why]} (" in end_text(stay(why))
    assert f'``"{why}"``' in (Residency.__doc__ or "")


def test_each_reason_that_is_decided_is_one_of_them() -> None:
    returned = {
        node.value
        for one in ast.walk(ast.parse(Path(ending.__file__).read_text()))
        if isinstance(one, ast.Return)
        for node in ast.walk(one)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert returned == WHYS.keys()


def test_there_is_no_second_table_of_them() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            keys = {k.value for k in getattr(node, "keys", ()) if isinstance(k, ast.Constant)}
            if isinstance(node, ast.Dict) and len(keys & WHYS.keys()) > 1:
                assert path.name == "whys.py", f"{path.name} has a table of its own: {keys}"


def test_a_model_that_loads_is_loading() -> None:
    assert leaves_text(stay(None, is_loading=True), NOON) == "loading"
    assert leaves_text(stay(None, is_loading=True, load_s=12.1), NOON) == "loading, 12 s"
    assert leaves_text(stay(None, is_told=False), NOON) == "until when is not told"
