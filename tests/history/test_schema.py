"""The tables: made once, brought up to date in one transaction, refused where they are newer."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lifecycle_widgets.history import History, HistoryError
from lifecycle_widgets.history.file.opening import for_writing
from lifecycle_widgets.history.file.schema import MIGRATIONS, migrate
from tests.history.history_tools import Watching, request, rows


def test_an_older_file_is_brought_up_to_date_step_by_step(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    for_writing(path).close()
    steps = (*MIGRATIONS, ("CREATE TABLE more (n)", "INSERT INTO more VALUES (7)"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, path, steps)
        migrate(connection, path, steps)  # once
    assert rows(path, "SELECT n FROM more") == [(7,)]
    assert rows(path, "PRAGMA user_version") == [(len(MIGRATIONS) + 1,)]


def test_a_step_that_fails_has_changed_nothing(tmp_path: Path) -> None:
    path = tmp_path / "h.sqlite"
    for_writing(path).close()
    steps = (*MIGRATIONS, ("CREATE TABLE more (n)", "INSERT INTO nowhere VALUES (7)"))
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        with pytest.raises(sqlite3.Error):
            migrate(connection, path, steps)
        assert not connection.in_transaction
    assert rows(path, "SELECT name FROM sqlite_master WHERE name = 'more'") == []
    assert rows(path, "PRAGMA user_version") == [(len(MIGRATIONS),)]


def test_a_newer_file_is_refused_and_left_alone(history: History) -> None:
    watching = Watching()
    with history.keep(watching):
        watching.see(request(20.0))
    with closing(sqlite3.connect(history.path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = history.path.read_bytes()
    with pytest.raises(HistoryError, match=r"newer lifecycle_widgets.*Update with pip install"):
        history.requests()
    with history.keep(watching) as keeping:
        watching.see(request(1.0))
        assert "newer lifecycle_widgets" in (keeping.told or "")
    assert history.path.read_bytes() == before


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url)")
    with pytest.raises(HistoryError, match="a database of another program"):
        History(path).requests()
    with pytest.raises(HistoryError, match="a database of another program"):
        History(path).delete(everything=True)


def test_many_readers_wait_for_none(history: History) -> None:
    watching = Watching()
    with history.keep(watching), closing(for_writing(history.path)) as other:
        watching.see(request(20.0))
        other.execute("BEGIN IMMEDIATE")
        assert len(history.requests()) == 1
        other.execute("ROLLBACK")
