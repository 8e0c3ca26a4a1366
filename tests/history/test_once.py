"""Each request and each stay is kept once, whoever of several has seen it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from lifecycle_widgets.history import History
from lifecycle_widgets.history.file.whose import name_of
from lifecycle_widgets.history.writing.keeper import Keeper
from lifecycle_widgets.monitor import Request
from lifecycle_widgets.monitor.traffic import OURS
from tests.history.history_tools import SERVER, A, B, Watching, request, rows, stay


def ours(ago_s: float, took_s: float = 0.5, **more: object) -> Request:
    exact = {"begin_within_s": 0.0, "end_within_s": 0.0}
    return request(ago_s, took_s, whose=OURS, witnesses=("own",), **{**exact, **more})


@pytest.fixture
def processes(history: History) -> list[tuple[Keeper, Watching]]:
    """Two that keep one server, as two processes do it: each with a keeper of its own."""
    both = []
    for _ in range(2):
        watching, keeper = Watching(), Keeper(history.path, name_of(SERVER))
        keeper.follow(watching)
        both.append((keeper, watching))
    return both


Processes = list[tuple[Keeper, Watching]]


def test_what_both_see_is_written_by_one(history: History, processes: Processes) -> None:
    (one, first), (two, second) = processes
    seen = [request(ago_s) for ago_s in (40.0, 30.0, 20.0)]
    first.see(*seen)
    second.see(*seen)
    assert one.told is two.told is None
    assert len(history.requests()) == 3


@pytest.mark.parametrize("own_first", [True, False])
def test_an_own_request_is_not_kept_as_another_clients_too(
    history: History, processes: Processes, own_first: bool
) -> None:
    (_, holder), (_, other) = processes
    holder.see()
    own, seen = ours(20.0), request(20.3)
    if own_first:
        other.see(own)
        holder.see(seen)
    else:
        holder.see(seen)
        other.see(own)
    table = history.requests()
    assert list(table["whose"]) == ["ours"]
    assert rows(history.path, "SELECT requests, ours, busy_us FROM hours") == [(1, 1, 500_000)]


def test_an_own_one_is_taken_for_one_only(history: History, processes: Processes) -> None:
    (_, holder), (_, other) = processes
    holder.see()
    other.see(ours(20.0))
    holder.see(request(20.5), request(20.1))  # two of them, and one is ours
    assert sorted(history.requests()["whose"]) == ["another client", "ours"]


def test_of_a_busy_time_of_several_ours_is_taken_out(
    history: History, processes: Processes
) -> None:
    (_, holder), (_, other) = processes
    holder.see(request(20.0, 5.0, count=3))
    other.see(ours(23.0))  # it ended amid the others
    other.see(ours(19.8))
    other.see(ours(27.0))  # it ended before
    table = history.requests()
    assert table["count"].sum() == 3 + 1
    assert list(table.loc[table["whose"] == "another client", "count"]) == [1]


def test_so_it_is_where_ours_is_written_first(history: History, processes: Processes) -> None:
    (_, holder), (_, other) = processes
    holder.see()
    other.see(ours(27.0), ours(23.0), ours(19.8))
    holder.see(request(20.0, 5.0, count=3))
    table = history.requests()
    assert table["count"].sum() == 3 + 1
    assert list(table.loc[table["whose"] == "another client", "count"]) == [1]


def test_other_models_and_times_are_others(history: History, processes: Processes) -> None:
    (_, holder), (_, other) = processes
    holder.see()
    other.see(ours(20.0))
    holder.see(request(20.0, model=B), request(25.0))
    assert len(history.requests()) == 3
    assert len(history.requests(model="B")) == 1


def test_one_that_is_exact_is_not_taken_for_one_a_second_away(
    history: History, processes: Processes
) -> None:
    (_, holder), (_, other) = processes
    holder.see()
    other.see(ours(20.0))
    holder.see(request(21.0, end_within_s=0.01))
    assert len(history.requests()) == 2


def test_the_holders_own_are_told_apart_by_its_monitor(history: History) -> None:
    watching = Watching()
    with history.keep(watching):
        watching.see(request(20.4), ours(20.0), request(19.6))
        watching.see(request(5.4), ours(5.0), request(4.6))
    assert len(history.requests()) == 6


def test_what_the_holder_has_sent_is_not_another_clients_to_who_follows(
    history: History, processes: Processes
) -> None:
    (_, first), (_, second) = processes
    first.see(ours(5.0))
    second.see(request(5.2), ours(4.9), request(4.8))  # the last one is another client's
    _expire(history.path)
    second.see()
    assert sorted(history.requests()["whose"]) == ["another client", "ours", "ours"]


def test_who_follows_writes_what_was_not_written(history: History, processes: Processes) -> None:
    """The holder is killed: the next one goes on where that has written."""
    (killed, first), (_, second) = processes
    seen = [request(ago_s) for ago_s in (40.0, 30.0)]
    first.see(*seen)
    second.see(*(replace(r, number=r.number + 100) for r in seen))
    late = request(3.0)  # not written yet: what is settled is older
    rows_before = rows(history.path, "SELECT holder FROM leases")
    _expire(history.path)
    second.see(late)
    assert rows(history.path, "SELECT holder FROM leases") != rows_before
    assert len(history.requests()) == 3
    first.see(late)  # it was not killed, but slept: it has the lease no more
    assert killed.told is None
    assert len(history.requests()) == 3


def _expire(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE leases SET until_us = 0")
        connection.commit()


def test_two_keepings_of_one_process_are_one(history: History) -> None:
    watching = Watching()
    seen = [request(20.0), ours(15.0)]
    with history.keep(watching) as one, history.keep(watching) as two:
        watching.see(*seen)
        one.close()
        watching.see(request(7.0))
        two.close()
    with history.keep(watching):  # and again, from a ring that has all of it still
        watching.see(request(0.0))
    assert len(history.requests()) == 4


def test_another_monitor_goes_on_where_one_is_closed(history: History) -> None:
    first, second = Watching(), Watching()
    both = [request(20.0), ours(19.0)]
    first.settled, second.settled = list(both), list(both)
    one = history.keep(first)
    with history.keep(second):
        first.see()
        one.close()
        second.see(request(5.0))
    assert len(history.requests()) == 3


# --- stays ---------------------------------------------------------------------------------------


def test_a_stay_is_one_row_from_its_load_to_its_end(history: History) -> None:
    watching = Watching()
    with history.keep(watching):
        goes_on = stay(60.0, None, requests=1)
        watching.stays = (goes_on,)
        watching.see()
        [row] = history.residencies().itertuples()
        assert row.why is None or row.why != row.why
        watching.stays = (replace(goes_on, requests=3),)
        watching.see()
        over = stay(60.0, 10.0, requests=4, why="evicted")
        watching.stays = (replace(over, since=goes_on.since),)
        watching.see()
        watching.see()
    table = history.residencies()
    assert table[["model", "why", "loads", "requests"]].values.tolist() == [[A, "evicted", 1, 4]]
    assert table["in_memory_s"][0] == pytest.approx(50.0, abs=0.5)


def test_two_see_one_stay(history: History, processes: Processes) -> None:
    (_, first), (_, second) = processes
    first.stays = (stay(60.0, None), stay(90.0, 70.0))
    second.stays = (stay(50.0, None), stay(90.2, 70.1))  # it began to watch later
    first.see()
    second.see()
    _expire(history.path)
    second.see()
    assert len(history.residencies()) == 2


def test_a_stay_that_nobody_saw_end_is_known_until_somebody_looked(history: History) -> None:
    watching = Watching()
    watching.stays = (stay(60.0, None),)
    with history.keep(watching):
        watching.see()
    _long_ago(history.path)
    later = Watching()
    later.stays = (stay(5.0, None),)
    with history.keep(later):
        later.see()
    table = history.residencies()
    assert len(table) == 2
    assert table["why"][0] == "unknown"
    assert table["until"].isna().tolist() == [False, True]


def _long_ago(path: Path) -> None:
    """As if what is in the file had been an hour before."""
    hour = 3_600_000_000
    with closing(sqlite3.connect(path)) as connection:
        for table, columns in {
            "residencies": ("since_us", "seen_us"),
            "leases": ("until_us", "seen_us"),
            "watches": ("from_us", "to_us"),
        }.items():
            for column in columns:
                connection.execute(f"UPDATE {table} SET {column} = {column} - {hour}")
        connection.commit()
