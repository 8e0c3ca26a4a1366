"""What leaves a history: what is deleted, what is too old, what is too much."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from lifecycle_widgets.history import History
from lifecycle_widgets.history.file.book import opened
from lifecycle_widgets.history.writing.requests import add_seen
from lifecycle_widgets.monitor import Request
from lifecycle_widgets.server import Server
from tests.history.history_tools import B, Watching, at, request, rows, stay

DAY_S = 86_400.0


def bytes_of(path: Path) -> bytes:
    return b"".join(p.read_bytes() for p in path.parent.iterdir() if p.name.startswith(path.name))


def filled(history: History) -> None:
    for server in ("192.0.2.1", "192.0.2.2"):
        watching = Watching(Server(server))
        watching.stays = (stay(40.0, 20.0), stay(40.0, 21.0, "private-name:1b"))
        with history.keep(watching):
            watching.see(request(40.0), request(30.0, model="private-name:1b"))


def test_a_model(history: History) -> None:
    filled(history)
    assert b"private-name" in bytes_of(history.path)
    assert history.delete(model="private-name:1b") == 4
    assert len(history.requests()) == len(history.residencies()) == 2
    assert b"private-name" not in bytes_of(history.path)  # not even in what is free
    assert {m for (m,) in rows(history.path, "SELECT model FROM hours")} == {
        n for (n,) in rows(history.path, "SELECT id FROM models WHERE name = 'a:latest'")
    }
    assert history.delete(model="private-name:1b") == 0


def test_a_server(history: History) -> None:
    filled(history)
    assert history.delete(server="192.0.2.2") == 4
    assert set(history.requests()["server"]) == {"http://192.0.2.1:11434"}
    assert history.span("192.0.2.2") is None
    assert history.last_session("192.0.2.2") is None
    assert b"192.0.2.2" not in bytes_of(history.path)


def test_a_time(history: History) -> None:
    filled(history)
    assert history.delete(before=at(35)) == 2
    assert history.delete(before=timedelta(seconds=25), model="private-name:1b") == 2
    table = history.requests()
    assert len(table) == 0
    assert len(history.residencies()) == 4
    [(left,)] = rows(history.path, "SELECT coalesce(sum(requests), 0) FROM hours")
    assert left == 0


def test_everything_while_it_is_written(history: History) -> None:
    watching = Watching()
    with history.keep(watching) as keeping:
        watching.see(request(20.0))
        assert history.delete(everything=True) == 1
        assert history.requests().empty
        assert "192.0.2.1" not in str(rows(history.path, "SELECT name FROM servers"))
        watching.see(request(5.0, model=B))
        assert keeping.told is None
    table = history.requests()
    assert table[["server", "model"]].values.tolist() == [["http://192.0.2.1:11434", B]]
    assert len(rows(history.path, "SELECT * FROM watches")) == 1


def test_nothing_is_asked_for(history: History) -> None:
    with pytest.raises(ValueError, match="Say what to delete"):
        history.delete()
    with pytest.raises(ValueError, match="above 0"):
        history.retain(days=0)


def put(history: History, requests: list[Request]) -> None:
    with opened(history.path) as book, book.transaction():
        for one in requests:
            add_seen(book, book.server("one"), one, anew=False, taken=set())


def test_the_oldest_leaves_first(history: History) -> None:
    put(history, [request(DAY_S * n) for n in range(502, 0, -5)])
    assert history.retain() == 21  # older than 400 days
    assert history.retain(days=100) == 60
    ages = at(0) - history.requests()["ended_at"]
    assert ages.max() < timedelta(days=100)
    assert rows(history.path, "SELECT sum(requests) FROM hours") == [(len(ages),)]


def test_a_file_does_not_grow_beyond_its_size(history: History) -> None:
    put(history, [request(DAY_S * n / 100) for n in range(20_000, 0, -1)])
    before = history.size_bytes
    most = before // 2
    assert history.retain(max_bytes=most) > 5_000
    with closing(sqlite3.connect(history.path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert history.size_bytes <= most * 1.1
    table = history.requests()
    assert table["ended_at"].max() > at(DAY_S / 50)
    with opened(history.path) as book:  # and that is how it stays
        from lifecycle_widgets.history.retention import limits

        assert limits(book) == (400.0, most)
