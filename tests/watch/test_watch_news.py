"""What of samples and stays is news: each thing once, and in order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from lifecycle_widgets.monitor import InForce, Residency, Sample
from lifecycle_widgets.watch.news.server_news import ServerFollower
from lifecycle_widgets.watch.news.stay_news import StayFollower

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def at(t_s: float) -> datetime:
    return NOON + timedelta(seconds=t_s)


# --- the server -----------------------------------------------------------------------------------


def sample(t_s: float, version: str | None = None, restarts: int = 0, error: str = "") -> Sample:
    known = InForce(version=version, restarts=restarts) if version else None
    return Sample(
        at(t_s), t_s, None, None, None, None, (), None if error else (), error or None,
        in_force=known,
    )  # fmt: skip


def told(*samples: Sample) -> list[tuple[float, str, str | None]]:
    follower = ServerFollower()
    news = [one for each in samples for one in follower.see(each)]
    return [((one.at - NOON).total_seconds(), one.what, one.version) for one in news]


def test_a_server_is_there_away_and_back() -> None:
    seen = told(
        sample(0, "0.32.15"),
        sample(0.5, "0.32.15"),
        sample(1, error="Refused."),
        sample(1.5, error="Refused."),
        sample(2, "0.32.15"),
        sample(2.5, "0.32.15"),
    )
    assert seen == [(0, "there", "0.32.15"), (1, "away", None), (2, "back", "0.32.15")]


def test_one_that_is_away_at_first_is_there_when_it_comes() -> None:
    seen = told(sample(0, error="Refused."), sample(0.5, error="Refused."), sample(1, "0.33.0"))
    assert [what for _, what, _ in seen] == ["away", "back"]


def test_the_version_is_waited_for_but_not_for_long() -> None:
    assert told(sample(0), sample(0.5), sample(1, "0.32.15")) == [(1, "there", "0.32.15")]
    assert told(*(sample(t / 2) for t in range(8))) == [(2, "there", None)]


def test_an_upgrade_and_a_restart_are_told_once() -> None:
    seen = told(
        sample(0, "0.32.15"),
        sample(1, "0.33.1", restarts=1),
        sample(2, "0.33.1", restarts=1),
        sample(3, "0.33.1", restarts=2),
        sample(4, "0.33.1", restarts=2),
    )
    assert [(t, what) for t, what, _ in seen] == [(0, "there"), (1, "upgraded"), (3, "restarted")]


def test_an_upgrade_while_it_was_away_is_told_when_it_is_back() -> None:
    follower = ServerFollower()
    samples = (sample(0, "0.32.15"), sample(1, error="Refused."), sample(2, "0.33.1", restarts=1))
    news = [one for each in samples for one in follower.see(each)]
    assert [one.what for one in news] == ["there", "away", "back", "upgraded"]
    assert (news[-1].version_before, news[-1].version) == ("0.32.15", "0.33.1")


# --- the models -----------------------------------------------------------------------------------


def stay(since_s: float, until_s: float | None = None, why: str | None = None) -> Residency:
    until = None if until_s is None else at(until_s)
    return Residency("a:latest", at(since_s), until, why, at(since_s + 300), False)


def follow(*seen: tuple[float, list[Residency]]) -> list[tuple[float, str]]:
    """When what is told, for the stays that there are at each time."""
    follower = StayFollower()
    return [
        ((news.at - NOON).total_seconds(), news.what)
        for t_s, stays in seen
        for news in follower.see(stays, at(t_s))
    ]


def test_a_model_comes_and_leaves() -> None:
    loading = replace(stay(5), is_loading=True, expires_at=None)
    here = replace(stay(5), load_s=0.8)
    assert follow(
        (0, []), (5, [loading]), (5.5, [loading]), (6, [here]), (6.5, [here]),
        (9, [replace(here, until=at(9), why="expired")]),
        (9.5, [replace(here, until=at(9), why="expired")]),
    ) == [(5, "loading"), (5.8, "loaded"), (9, "left")]  # fmt: skip


def test_one_that_was_there_before_is_not_said_to_be_loaded() -> None:
    assert follow((0, [stay(0)]), (1, [stay(0)])) == [(0, "there")]


def test_one_that_came_and_went_between_two_looks_is_told_whole() -> None:
    assert follow((0, []), (3, [stay(2, 2.5, "expired")])) == [(2, "loaded"), (2.5, "left")]


def test_why_it_left_is_waited_for() -> None:
    unknown, evicted = stay(1, 4, "unknown"), stay(1, 4, "evicted")
    seen = [(0.0, []), (1.0, [stay(1)]), (4.0, [unknown]), (6.0, [unknown])]
    assert follow(*seen) == [(1, "loaded")]
    assert follow(*seen, (7.0, [evicted])) == [(1, "loaded"), (4, "left")]
    assert follow(*seen, (10.0, [unknown])) == [(1, "loaded"), (4, "left")]


def test_one_that_is_loaded_anew_at_once_is_told_twice() -> None:
    old, new = stay(1, 4, "evicted"), stay(4)
    assert follow((0, []), (1, [stay(1)]), (4, [old, new]), (5, [old, new])) == [
        (1, "loaded"), (4, "left"), (4, "loaded"),
    ]  # fmt: skip
