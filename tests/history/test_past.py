"""What a chart is given: the last session at once, and any stretch of the past."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from lifecycle_widgets.history import History
from lifecycle_widgets.history.file.book import opened
from lifecycle_widgets.history.file.rows import time_us
from lifecycle_widgets.history.file.whose import name_of
from lifecycle_widgets.history.reading.looking_back import MOST_REQUESTS, MOST_STAYS
from lifecycle_widgets.history.writing.readings import add_bin, put_into
from lifecycle_widgets.history.writing.requests import add_seen
from lifecycle_widgets.history.writing.stays import add_stay
from lifecycle_widgets.monitor import Gpu, Machine, Sample
from tests.history.history_tools import SERVER, A, B, Watching, at, request, rows, sample, stay

DAY_S = 86_400.0


def test_the_last_session_is_there_at_once(history: History) -> None:
    watching = Watching()
    watching.stays = (stay(55.0, 25.0, size_bytes=200, requests=2), stay(15.0, None))
    with history.keep(watching):
        watching.see(ago_s=60.0)
        watching.see(request(50.0), request(30.0, 2.0))
    past = history.last_session(SERVER)
    assert past is not None
    assert [(r.model, r.total_s) for r in past.requests] == [
        (A, pytest.approx(0.5)),
        (A, pytest.approx(2.0)),
    ]
    assert [(s.model, s.why) for s in past.stays] == [(A, "expired"), (A, "unknown")]
    assert past.stays[0].size_bytes == 200
    first = past.samples[0]
    assert first.ram_used_bytes == 3_000_000_000
    assert [(r.model, r.rss_bytes) for r in first.runners or ()] == [(A, 200_000_000)]
    assert abs(past.start - at(60)) < timedelta(seconds=2)
    assert abs(past.end - at(0)) < timedelta(seconds=5)
    assert history.span(SERVER) == (past.start, past.end)


def test_a_reading_comes_back_with_all_that_was_told(history: History) -> None:
    machine = Machine(1, 2, 3, 4.0, 5.0, 0.25, 0.5, 0.75)
    gpu = Gpu(0, "a card", 0.5, 100, 200, 30.5, 60.0)
    told = sample(20.0, A, machine=machine, gpus=(gpu,), cpu_of_others=0.125)
    put(history, [told])
    [found] = history.past(SERVER, at(60), at(0)).samples
    assert found.machine == machine
    assert found.gpus == (gpu,)
    assert (found.cpu_fraction, found.cpu_of_others) == (0.25, 0.125)
    assert found.ram_total_bytes == told.ram_total_bytes
    assert abs(found.t_s - told.t_s) < 11


def test_what_was_not_told_is_none(history: History) -> None:
    nothing = {"ram_used_bytes": None, "ram_total_bytes": None, "cpu_fraction": None}
    put(history, [sample(20.0, runners=None, residents=None, **nothing)])
    [found] = history.past(SERVER, at(60), at(0)).samples
    assert found.ram_used_bytes is found.cpu_fraction is found.cpu_of_others is None
    assert found.machine == Machine()
    assert (found.runners, found.gpus) == ((), ())


def test_memory_is_the_most_and_cpu_the_mean(history: History) -> None:
    base_s = 3600.0 * 5
    shares = [random.Random(1).random() for _ in range(600)]
    taken = [
        sample(base_s - n, A, cpu_fraction=share, ram_used_bytes=1000 + n % 7)
        for n, share in enumerate(shares)
    ]
    put(history, taken[:250])
    put(history, taken[250:])  # bins that another flush, or process, has begun
    for bins, hours in ((1, 6), (24, 6)):
        found = history.past(SERVER, at(hours * 3600), at(0), bins).samples
        assert len(found) <= bins
        assert max(s.ram_used_bytes or 0 for s in found) == 1006
        mean = sum(s.cpu_fraction or 0 for s in found) / len(found)
        assert mean == pytest.approx(sum(shares) / 600, abs=0.05 if len(found) > 1 else 1e-6)


def put(history: History, taken: list[Sample]) -> None:
    bins: dict[int, object] = {}
    put_into(bins, taken)  # type: ignore[arg-type]
    with opened(history.path) as book, book.transaction():
        for number, one in bins.items():
            add_bin(book, book.server(name_of(SERVER)), number, one)  # type: ignore[arg-type]


def test_too_many_requests_are_told_bin_by_bin(history: History) -> None:
    """From the hours, or from each: they come to the same."""
    seen = [
        request(DAY_S * 20 * n / 3000, 2.0, model=A if n % 3 else B, count=1 + n % 2)
        for n in range(3000)
    ]
    with opened(history.path) as book, book.transaction():
        for one in seen:
            add_seen(book, book.server(name_of(SERVER)), one, anew=False, taken=set())
    long = history.past(SERVER, at(DAY_S * 21), at(-10))  # from the hours
    short = history.past(SERVER, at(DAY_S * 16), at(-10), bins=1000)  # from each
    assert long.requests == short.requests == ()
    assert len({b.start for b in long.busy}) <= 240
    assert sum(b.requests for b in long.busy) == sum(r.count for r in seen)
    assert sum(b.busy_s for b in long.busy if b.model == B) == pytest.approx(2000.0)
    recent = [r for r in seen if r.ended_at and r.ended_at >= at(DAY_S * 16)]
    assert len(recent) > MOST_REQUESTS
    assert abs(sum(b.requests for b in short.busy) - sum(r.count for r in recent)) <= 2
    few = history.past(SERVER, at(DAY_S * 5), at(-10))
    assert len(few.requests) == len([r for r in seen if r.ended_at and r.ended_at > at(DAY_S * 5)])
    assert few.busy == ()


def test_too_many_stays_are_joined(history: History) -> None:
    count = MOST_STAYS + 100
    with opened(history.path) as book, book.transaction():
        server = book.server(name_of(SERVER))
        for n in range(count):
            began_s = DAY_S - n * 60.0
            one = stay(began_s, began_s - 30.0)
            add_stay(book, server, one, time_us(at(0)), time_us(at(0)), 0)
    put(history, [sample(DAY_S - n * 60.0, A) for n in range(count)])
    put(history, [sample(3600.0 - n * 60.0, A) for n in range(10)])
    stays = history.past(SERVER, at(DAY_S * 1.5), at(0)).stays
    assert [s.model for s in stays] == [A, A]
    assert stays[0].since <= at(DAY_S) + timedelta(seconds=60)
    assert abs(stays[0].until - at(DAY_S - count * 60.0)) < timedelta(minutes=15)
    assert len(history.past(SERVER, at(DAY_S), at(DAY_S - 3600.0)).stays) == pytest.approx(
        60, abs=2
    )
    assert rows(history.path, "SELECT sum(loads) FROM hours") == [(count,)]


def test_nothing_is_drawn_where_nobody_watched(history: History) -> None:
    put(history, [sample(DAY_S * 3, A), sample(60.0, A)])
    past = history.past(SERVER, at(DAY_S * 4), at(0))
    assert len(past.samples) == 2
    assert history.past("192.0.2.9", at(DAY_S * 4), at(0)).samples == ()


def test_a_sandbox_is_found_again_at_another_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

    history = History(tmp_path / "h.sqlite")
    for port in (50001, 50002):
        monkeypatch.setenv(SANDBOX_URL_VARIABLE, f"http://127.0.0.1:{port}")
        server = Server(f"127.0.0.1:{port}")
        past = history.last_session(server)
        watching = Watching(server)
        with history.keep(watching):
            watching.see(request(20.0), ago_s=30.0)
    assert past is not None
    assert len(past.requests) == 1
