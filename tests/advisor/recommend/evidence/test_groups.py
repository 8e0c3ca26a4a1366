"""What a stream shows: by the calendar's days, by sessions, in hours of use; watched gaps alone."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timezone

import numpy as np
import pytest

from lifecycle_widgets.advisor.recommend.evidence.evidence import evidence_of
from lifecycle_widgets.advisor.workload.groups import groups_of, hours_of_use
from lifecycle_widgets.advisor.workload.workload import Stream
from tests.advisor.recommend.workloads import stream

HOUR_S = 3600.0


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if not hasattr(time, "tzset"):
        pytest.skip("This system's time zone cannot be set for one process.")
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_days_are_those_of_the_calendar_also_across_a_clock_change(berlin: None) -> None:
    """On 25 October 2026 the clocks go back: a day of 25 hours."""
    midnight = datetime(2026, 10, 23, 22, 30, tzinfo=timezone.utc).timestamp()  # 00:30 there
    at = np.array([0.0, 48.4, 48.6]) * HOUR_S
    one = Stream("a", at, at + 5, np.full(2, True), 3)
    assert evidence_of(one, midnight).days == 3
    assert evidence_of(one).days == 2  # of 24 hours each, where the calendar is not known


def test_five_days_are_groups() -> None:
    day = [60.0] * 4 + [24 * HOUR_S - 5 * 5 - 4 * 60.0]
    groups, what = groups_of(stream(day * 5))
    assert what == "days"
    assert [len(group) for group in groups] == [5] * 5


def test_gaps_that_nobody_watched_are_in_no_group() -> None:
    one = stream([60.0, 7000.0] * 12, unwatched=[1, 2])
    groups, what = groups_of(one)
    assert what == "sessions"
    assert sum(map(len, groups)) == 22
    assert np.concatenate(groups).tolist() == one.gaps_s.tolist()
    evidence = evidence_of(one, witnesses=("log",))
    assert (evidence.gaps, evidence.unwatched, evidence.requests) == (22, 2, 25)


def test_of_one_session_stretches_are_groups() -> None:
    groups, what = groups_of(stream([60.0] * 100))
    assert what == "stretches"
    assert [len(group) for group in groups] == [10] * 10
    assert groups_of(stream([])) == ([], "stretches")


def test_a_night_is_an_hour_of_use() -> None:
    assert hours_of_use(stream([12 * HOUR_S])) == pytest.approx(1 + 10 / HOUR_S)
