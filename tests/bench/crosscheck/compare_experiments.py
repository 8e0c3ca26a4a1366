"""What a reload costs by an experiment, held against a bare socket's clock."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from tests.bench.crosscheck.seen import Measured
from tests.bench.crosscheck.stage import Stage
from tests.bench.crosscheck.table import CLOCK_MS, EXACT, Comparison

_COLD, _WARM = "cold (page cache)", "warm"


def experiments(stage: Stage) -> Iterator[Comparison]:
    """`ColdAndWarm`: each time to first token, what it makes of them, and what was loaded."""
    between = "a client and Python's threads are between the socket and our clock"
    ttft = Comparison("`ttft_s` in `ColdAndWarm`", "a bare socket's clock", "ms", CLOCK_MS, between)
    reload = Comparison("L of `ColdAndWarm`", "the same", "ms", CLOCK_MS, between)
    loads = Comparison("loads in `ColdAndWarm`", "loads ended by Ollama's log", "", 0, EXACT)
    for measured in stage.measured:
        frame, scene = measured.result.frame, measured.scene
        for ours_s, theirs_s in zip(frame["ttft_s"], measured.ttfts_s[1:], strict=True):
            ttft.hold_ms(ours_s, theirs_s, scene)
        reload.hold_ms(measured.result.reload_s().median, _reload_s(measured), scene)
        loads.hold(int(frame["loaded"].sum()) + 1, measured.loads, scene)
    yield from (ttft, reload, loads)


def _reload_s(measured: Measured) -> float:
    """How much longer cold requests waited than warm ones, by the socket."""
    rows = list(zip(measured.result.frame["state"], measured.ttfts_s[1:], strict=True))
    cold_s, warm_s = (
        median(ttft_s for state, ttft_s in rows if state == kind) for kind in (_COLD, _WARM)
    )
    return cold_s - warm_s
