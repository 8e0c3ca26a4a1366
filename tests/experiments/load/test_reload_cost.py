"""A reload costs the load and the prompt read again: measured with and without a conversation."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import plotly.graph_objects as go
import pytest

from lifecycle_widgets.experiments import ColdAndWarm, ColdAndWarmResult, InARow, Step, load_result
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.somebody import preloads, somebodys

MODEL = "smollm2:135m"
CACHE, WARM = "cold (page cache)", "warm"
LONG = 400


@pytest.fixture(scope="module")
def reloads(sandbox: Sandbox) -> ColdAndWarmResult:
    server = Server(sandbox.url)
    return ColdAndWarm(MODEL, rounds=2, history=(0, LONG), server=server).run()


@pytest.mark.slow
def test_the_longer_the_conversation_the_dearer_a_reload(reloads: ColdAndWarmResult) -> None:
    assert reloads.histories == (0, LONG)
    short, long = (reloads.reload_s(tokens) for tokens in reloads.histories)
    assert long.median > 2 * short.median
    curve = reloads.curve
    assert curve.loc[LONG, "prompt_eval_s"] > curve.loc[LONG, "load_s"], "most of it is reading"
    assert curve.loc[0, "prompt_eval_s"] < curve.loc[0, "load_s"]
    parts_s = curve.loc[LONG, ["load_s", "prompt_eval_s"]].sum()
    assert parts_s == pytest.approx(long.median, rel=0.2), "the parts are the whole"
    assert 0.5 * LONG < curve.loc[LONG, "prompt_tokens"] < 2 * LONG
    warm_s = reloads.ttft_s(WARM, LONG).median
    assert warm_s < 0.5 * reloads.ttft_s(CACHE, LONG).median, "warm, it is not read again"


@pytest.mark.slow
def test_t_star_grows_with_it(reloads: ColdAndWarmResult) -> None:
    short, long = (reloads.break_even(1.0, history_tokens=n) for n in reloads.histories)
    assert long.median > 2 * short.median
    ratio = reloads.reload_s(LONG).median / reloads.reload_s(0).median
    assert long.median / short.median == pytest.approx(ratio)
    assert reloads.break_even(slowdown=2.0).median == pytest.approx(2 * reloads.reload_s().median)
    assert 1.5e8 < reloads.held_bytes < 6e8
    with pytest.raises(ValueError, match="worth to you"):
        reloads.break_even()


@pytest.mark.slow
def test_it_says_so(reloads: ColdAndWarmResult, tmp_path: Path) -> None:
    assert reloads.verdict.count("A reload costs") == 2
    assert "s for the prompt read again" in reloads.verdict
    assert load_result(reloads.save(tmp_path)).verdict == reloads.verdict
    figure = reloads.figure
    assert isinstance(figure, go.Figure)
    cold = next(trace for trace in figure.data if trace.name == CACHE)
    assert list(cold.y) == [reloads.ttft_s(CACHE, n).median for n in reloads.histories]
    ends = [reloads.ttft_s(CACHE, n).high for n in reloads.histories]
    drawn = [y + above for y, above in zip(cold.y, cold.error_y.array, strict=True)]
    assert drawn == pytest.approx(ends)


def test_a_conversation_of_ones_own_goes_with_each_call(server: Server) -> None:
    said = "The password of the week is heron. " * 12
    talk = [("Remember this.", said)]
    arms = {"keep_alives": (0, "1m"), "gaps_s": (0.1, 0.1)}
    result = InARow(MODEL, **arms, history=talk, server=server).run()
    assert result.facts["history_tokens"] == pytest.approx(len(said) / 4, abs=10)
    assert result.frame["prompt_tokens"].min() > 80
    load, read = result.reload_parts.values()
    assert load.median > 0.1
    assert read.median > 0.05, "the conversation is read again"
    assert result.reload_s.median > load.median + 0.5 * read.median
    assert "the prompt read again" in result.verdict


@pytest.fixture
def own() -> Iterator[Server]:
    """Somebody's own server, which others use as well."""
    with somebodys(models=[MODEL]) as sandbox:
        yield Server(sandbox.url)


@pytest.mark.slow
def test_what_somebody_else_asked_meanwhile_is_marked(own: Server) -> None:
    """With consent: their model may be unloaded, and is theirs all the same."""
    experiment = InARow(MODEL, keep_alives=(0,), gaps_s=(0.5, 0.5, 0.5), server=own)
    asked = []

    def somebody(step: Step) -> None:
        if "call 3" in step.what and not asked:
            asked.append(step)
            thread = threading.Thread(target=preloads, args=(own.url, MODEL, "10m"))
            thread.start()
            thread.join()

    result = experiment.run(on_step=somebody, may_unload=True)
    touched = result.frame["others"].tolist()
    assert touched[:2] == [False, False]
    assert touched[2], "it found somebody else's model in memory"
    assert result.table.loc["0", "loads"] == sum(not other for other in touched)
    assert "left out: somebody else has used the model" in result.verdict
