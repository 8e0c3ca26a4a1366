"""The split: where the time of a run went, how cold it was, and what a reader should know."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from lifecycle_widgets.experiments import compare_runs, run_frame
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Step, Timings
from lifecycle_widgets.widgets.comparison_html import comparison_html, comparison_words
from lifecycle_widgets.widgets.run_table import _shown
from lifecycle_widgets.widgets.split import split_html

CALL = Timings(1.5, ttft_s=1.4, load_s=1.0, prompt_eval_s=0.2, eval_s=0.2, done_reason="stop")
TEXT = Timings(
    0.5, 0.1, load_s=0.001, prompt_eval_s=0.1, eval_s=0.3, prompt_tokens=258, cached_tokens=100,
    output_tokens=9, first_text_s=0.1, done_reason="stop",
)  # fmt: skip


def run(*steps: Step, tools_s: float = 0.0, **more: Any) -> Run:
    total = Timings.total(
        [step.timings for step in steps],
        total_s=4.0,
        starts_s=[step.start_s for step in steps],
        tools_s=tools_s,
    )
    asked = "m", KeepAlive("5m"), "p", more.pop("answer", "x"), datetime.now().astimezone()
    return Run(*asked, total, steps, **more)


WITH_TOOLS = run(
    Step(0.1, CALL, tools_s=1.4, loaded=True), Step(3.1, TEXT, loaded=False),
    tools_s=1.4, was_resident=True, options={"num_ctx": 8192},
)  # fmt: skip


def numbers(page: str) -> dict[str, str]:
    found = re.findall(r"<dt[^>]*>(?:<i[^>]*></i>)?(.*?)</dt><dd>(.*?)</dd>", page)
    return dict(found)


def test_each_part_has_its_colour_and_its_number() -> None:
    page = split_html(WITH_TOOLS)
    for css in ("load", "prompt-eval", "eval", "tools", "rest"):
        assert page.count(f'class="lw-{css}"') == 1
        assert f"lw-swatch lw-{css}" in page
    assert numbers(page) == {
        "load": "1.00 s", "prompt eval": "0.30 s", "eval": "0.50 s", "tools": "1.40 s",
        "griptape and network": "0.80 s", "TTFT": "1.50 s", "first text": "3.20 s",
        "total": "4.00 s", "prompt tokens": "258", "cached": "100", "output tokens": "9",
        "tokens/s": "18.0",
    }  # fmt: skip


def test_the_caption_says_what_was_asked_and_how_cold_it_was() -> None:
    page = split_html(WITH_TOOLS)
    assert "num_ctx 8192" in page
    assert "in memory, but loaded anew: other options · 2 requests, 1 load" in page
    one = run(Step(0.0, TEXT, loaded=False), was_resident=True)
    assert "keep_alive 5m · warm: it was in memory</div>" in split_html(one)
    assert "tools" not in numbers(split_html(one))


OTHER = "m:f16"
PIPELINE = run(
    Step(0.1, CALL, model="m", task="a", loaded=True),
    Step(1.7, Timings(0.25), model="minilm", task="b", kind="embed"),
    Step(2.0, TEXT, model=OTHER, task="b", loaded=False),
    was_resident=False, keep_alives={"m": "0", "minilm": "0", OTHER: "5m"}, structure="Pipeline",
)  # fmt: skip


def test_the_caption_names_the_models_and_what_was_chosen_for_each() -> None:
    page = split_html(replace(PIPELINE, held=True))
    assert f"m, minilm, {OTHER} · keep_alive 0, 0, 5m · held between its requests" in page
    assert "at first cold: it was not in memory" in page
    each = split_html(replace(PIPELINE, keep_alives=dict.fromkeys(PIPELINE.models, "0")))
    assert "keep_alive 0 each" in each
    assert "held" not in each


def test_embeddings_have_a_colour_of_their_own() -> None:
    page = split_html(PIPELINE)
    assert numbers(page)["embeddings"] == "0.25 s"
    assert page.count('class="lw-embeddings"') == 1
    only = split_html(run(Step(0.0, Timings(1.0), kind="embed")))
    assert "embeddings 1.00 s" in only


def test_what_is_not_told_has_a_part_of_its_own() -> None:
    stopped = run(Step(0.0, CALL, loaded=True), Step(2.0, Timings(2.0)), stopped=True)
    page = split_html(stopped)
    assert numbers(page)["not told"] == "2.00 s"
    assert "loads not known" in page
    nothing = run(Step(0.0, Timings(2.0)), stopped=True)
    assert "this one did not reach it" in split_html(nothing)


def test_a_note_is_shown_and_escaped() -> None:
    cut = Step(0.0, TEXT, whole_prompt_tokens=40_024)
    assert "The model saw 258 of about 40,000 tokens: raise num_ctx" in split_html(run(cut))
    assert split_html(run(cut, answer="")).count("The model saw") == 0, "it stands for the answer"
    hostile = replace(run(cut, options={"<b>": "<b>"}), model="<b>")
    assert "<b>" not in split_html(hostile)


# --- in the table, and compared -------------------------------------------------------------------


def test_the_table_has_a_column_for_what_any_run_has() -> None:
    plain = run(Step(0.0, TEXT, loaded=False))
    cut = run(Step(0.0, TEXT, loaded=None, whole_prompt_tokens=40_024))
    extra = {"options", "requests", "prompt", "tools,\N{NARROW NO-BREAK SPACE}s"}
    assert not extra & set(_shown([plain]).columns)
    table = _shown([plain, WITH_TOOLS, cut])
    assert extra <= set(table.columns)
    assert table["options"].tolist() == ["", "num_ctx 8192", ""]
    assert table["requests"].tolist() == [1, 2, 1]
    assert table["loads"].astype(object).where(table["loads"].notna(), None).tolist() == [
        0,
        1,
        None,
    ]
    assert table["prompt"].tolist() == ["", "", "not all seen"]
    both = [replace(r, options={"seed": 1} | dict(r.options)) for r in (WITH_TOOLS, plain)]
    assert _shown(both)["options"].tolist() == ["num_ctx 8192", ""], "what they differ in"
    assert "options" not in _shown(both[:1])


def test_the_table_has_what_structures_have_where_any_run_is_one() -> None:
    plain = run(Step(0.0, TEXT, loaded=False))
    embeddings = "embeddings,\N{NARROW NO-BREAK SPACE}s"
    assert not {"structure", "held", embeddings} & set(_shown([plain]).columns)
    table = _shown([plain, replace(PIPELINE, held=True)])
    assert table["structure"].tolist() == ["", "Pipeline"]
    assert table["model"].tolist() == ["m", f"m, minilm, {OTHER}"]
    assert table["held"].tolist() == ["", "yes"]
    assert table[embeddings].tolist() == [0.0, 0.25]


def test_runs_of_structures_are_compared_in_what_they_have_more() -> None:
    plain, held = run(Step(0.0, TEXT, loaded=False)), replace(PIPELINE, held=True)
    rare = {"structure", "models", "held", "embeddings_s"}
    assert not rare & set(compare_runs(plain, plain).index)
    compared = compare_runs(plain, held)
    assert rare <= set(compared.index)
    assert compared.loc["embeddings_s", "difference"] == 0.25
    assert compared.loc["held"].tolist()[:2] == [False, True]


def test_the_frame_of_branches_that_went_on_at_once_adds_up() -> None:
    """Each with its share of the time, though the server's own numbers are more than the run."""
    both = [Step(0.0, replace(CALL, total_s=1.5), model=m, task=m) for m in ("m", OTHER)]
    [row] = run_frame([run(*both)]).to_dict("records")
    parts = ("load", "prompt_eval", "eval", "tools", "embeddings", "not_told", "rest")
    assert sum(row[f"{name}_s"] for name in parts) == pytest.approx(row["total_s"])
    assert (row["load_s"], row["structure"], row["models"]) == (1.0, "Agent", f"m, {OTHER}")
    [row] = run_frame([run(Step(0.0, Timings(1.0)))]).to_dict("records")
    assert (row["load_s"] != row["load_s"], row["not_told_s"]) == (True, 1.0), "not known"


def test_two_that_differ_in_num_ctx_can_be_told_apart() -> None:
    other = replace(WITH_TOOLS, options={"num_ctx": 2048}, context_length=2048)
    words = comparison_words(WITH_TOOLS, other, (1, 2))
    assert "keep_alive 5m, num_ctx 8192; in memory, but loaded anew: other options" in words
    assert "num_ctx 2048" in words
    assert "1 load in 2 requests" in words
    cut = run(Step(0.0, TEXT, whole_prompt_tokens=40_024))
    assert "<p>Run 2: The model saw 258 of" in comparison_html(other, cut, (1, 2))
    page = comparison_html(WITH_TOOLS, other, (1, 2))
    for name in ("options", "tools_s", "rest_s", "loads", "requests", "context_length"):
        assert f">{name}<" in page
    plain = run(Step(0.0, TEXT, loaded=False))
    page = comparison_html(plain, plain, (1, 2))
    for name in ("options", "tools_s", "not_told_s", "history_turns", "note", "error"):
        assert f">{name}<" not in page


@pytest.mark.parametrize("heat", [None, "warm"])
def test_a_run_of_which_nothing_is_known_is_compared_too(heat: str | None) -> None:
    bare = run(Step(0.0, Timings(1.0)), was_resident=True if heat else None)
    words = comparison_words(bare, bare, (1, 2))
    assert "no first token" in words
    assert ("not known if it was in memory" in words) == (heat is None)
