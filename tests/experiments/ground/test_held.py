"""What models hold: from runners, from /api/ps, from both, or not known; never 0 for unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from lifecycle_widgets.experiments.ground.held import (
    PS,
    PS_GPU,
    RSS,
    gb_seconds,
    held_bytes,
    memory_source,
    over_time,
)
from lifecycle_widgets.monitor import Runner, Sample
from lifecycle_widgets.server import Resident

A = "a:latest"
UNSEEN = "socat listens on port 1, not Ollama itself."
EMPTY = Sample(
    at=datetime(2026, 1, 1, tzinfo=timezone.utc),
    t_s=0.0,
    ram_used_bytes=1,
    ram_total_bytes=2,
    cpu_fraction=0.0,
    runners=(),
    gpus=(),
    residents=(),
)


def sample(t_s: float, rss: int | None, size: int | None, *, seen: bool = True) -> Sample:
    """One model, with a runner of that size if it is there and seen; ``size`` in /api/ps."""
    runners = () if rss is None else (Runner(1, rss, A),)
    residents = () if rss is None else (Resident(A, size),)
    return replace(
        EMPTY,
        t_s=t_s,
        runners=runners if seen else None,
        unseen=None if seen else UNSEEN,
        residents=residents,
    )


def test_runners_where_they_are_seen() -> None:
    samples = [sample(0, None, None), sample(1, 300, 250), sample(2, 310, 250)]
    assert memory_source(samples) == RSS
    assert over_time(samples, {A}, RSS) == [(0, 0), (1, 300), (2, 310)]


def test_what_the_server_tells_where_they_are_not() -> None:
    samples = [sample(t, 300, 250, seen=False) for t in range(3)]
    assert memory_source(samples) == PS
    assert over_time(samples, {A}, PS) == [(0, 250), (1, 250), (2, 250)]


def test_nothing_where_sizes_are_not_told_either() -> None:
    """With the model away it holds 0, for sure; that is not all of the time."""
    samples = [sample(0, None, None, seen=False), sample(1, 300, None, seen=False)]
    assert memory_source(samples) == PS
    assert over_time(samples, {A}, PS) == []
    assert held_bytes(None, samples[1].residents, {A}, PS) is None
    assert held_bytes(None, None, {A}, PS) is None


def test_a_mixture_goes_by_what_most_tell() -> None:
    """As with two Ollamas of another user: which one it is shows when a model is there."""
    samples = [sample(t, None, None, seen=False) for t in range(5)]
    samples += [sample(5, 300, 250, seen=False), *(sample(t, 300, 250) for t in range(6, 12))]
    assert memory_source(samples) == RSS
    points = over_time(samples, {A}, RSS)
    assert [t for t, _ in points] == [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    assert gb_seconds(points, 6, 11) == pytest.approx(5 * 300 / 1e9)
    mostly_not = [sample(t, 300, 250, seen=t == 4) for t in range(5)]
    assert memory_source(mostly_not) == PS
    assert {held for _, held in over_time(mostly_not, {A}, PS)} == {250}
    # where that is not told, the few are better than nothing
    assert memory_source([sample(t, 300, None, seen=t == 4) for t in range(5)]) == RSS


def test_on_a_gpu_the_servers_figure_counts() -> None:
    on_gpu = replace(sample(0, 300, 250), residents=(Resident(A, 900, 600),))
    assert memory_source([on_gpu]) == PS_GPU
    assert over_time([on_gpu], {A}, PS_GPU) == [(0, 900)]


def test_a_server_that_does_not_answer_for_a_moment_is_left_out() -> None:
    down = replace(EMPTY, t_s=1, residents=None, runners=None, error="no answer", unseen=UNSEEN)
    samples = [sample(0, 300, 250, seen=False), down, sample(2, 300, 250, seen=False)]
    assert over_time(samples, {A}, memory_source(samples)) == [(0, 250), (2, 250)]
