"""The clock is set, back or on, while a history is written: nothing is lost, nothing is twice."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from lifecycle_widgets.history import History
from lifecycle_widgets.history.file.whose import name_of
from lifecycle_widgets.history.writing.keeper import Keeper
from lifecycle_widgets.monitor import Request
from tests.history.history_tools import SERVER, Watching, request, rows, sample

Set = Callable[[float], None]
HOUR_S = 3600.0


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Set the wall clock of this process by so many seconds; `time.monotonic` goes on."""
    real, real_ns = time.time, time.time_ns

    def put(by_s: float) -> None:
        monkeypatch.setattr(time, "time", lambda: real() + by_s)
        monkeypatch.setattr(time, "time_ns", lambda: real_ns() + round(by_s * 1e9))

    return put


def shifted(one: Request, by_s: float) -> Request:
    """As it is told by a clock that was set."""
    by = timedelta(seconds=by_s)
    assert one.ended_at is not None
    assert one.began_at is not None
    return replace(one, ended_at=one.ended_at + by, began_at=one.began_at + by)


def see(watching: Watching, *requests: Request, by_s: float = 0.0, ago_s: float = 0.0) -> None:
    by = timedelta(seconds=by_s)
    watching.see(*(shifted(r, by_s) for r in requests), ago_s=ago_s)
    if by_s:
        taken = sample(0.0)
        watching.taken[-1] = replace(taken, at=taken.at + by)


@pytest.mark.parametrize("by_s", [-HOUR_S, HOUR_S, -60.0])
def test_all_is_kept_once_with_its_own_length(
    history: History, set_clock: Set, by_s: float
) -> None:
    watching = Watching()
    with history.keep(watching) as keeping:
        see(watching, ago_s=30.0)
        see(watching, request(25.0, 1.0), request(20.0, 2.0))
        set_clock(by_s)
        see(watching, request(5.0, 3.0), request(0.0, 4.0), by_s=by_s)
        see(watching, by_s=by_s)
        assert keeping.told is None
    table = history.requests()
    assert sorted(table["total_s"].round(3)) == [1.0, 2.0, 3.0, 4.0]
    assert table["ended_at"].is_monotonic_increasing
    assert len(rows(history.path, "SELECT * FROM watches")) == 2


def test_a_gap_across_it_is_not_known(history: History, set_clock: Set) -> None:
    watching = Watching()
    with history.keep(watching):
        see(watching, ago_s=60.0)
        see(watching, request(40.0, 1.0), request(20.0, 1.0))
        set_clock(HOUR_S)
        see(watching, request(0.0, 0.5), by_s=HOUR_S)
        see(watching, by_s=HOUR_S)
    assert history.gaps()["watched"].tolist() == [True, False]


def test_who_follows_after_it_writes_nothing_twice(history: History, set_clock: Set) -> None:
    first, second = Watching(), Watching()
    killed, follows = (Keeper(history.path, name_of(SERVER)) for _ in range(2))
    killed.follow(first)
    follows.follow(second)
    both = [request(25.0), request(20.0)]
    see(first, *both)
    see(second, *both)
    set_clock(-HOUR_S)  # the lease of who is killed now would last for an hour
    late = request(5.0)
    see(second, late, by_s=-HOUR_S)
    see(second, by_s=-HOUR_S)
    assert follows.told is None
    assert len(history.requests()) == 3
    assert {h for (h,) in rows(history.path, "SELECT holder FROM leases")} == {follows._me}
