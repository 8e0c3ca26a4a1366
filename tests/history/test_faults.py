"""Whatever is wrong with the file: one sentence, nothing is lost, the monitor does not notice."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lifecycle_widgets.history import History, HistoryError
from tests.history.history_tools import Watching, request, rows

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs POSIX")
BEGINNING = """
import os, resource, sys
from lifecycle_widgets.history import History, HistoryError
from tests.history.history_tools import Watching, request
history, watching = History(sys.argv[1]), Watching()
"""


def child(code: str, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", BEGINNING + code, str(path)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def filled(history: History, requests: int = 1) -> None:
    watching = Watching()
    with history.keep(watching):
        watching.see(*(request(20.0 + n) for n in range(requests)))


def damage(path: Path, at: int, size: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(b"\xa5" * size)


@POSIX
def test_a_full_disk(tmp_path: Path) -> None:
    """A limit on the file's size stands for it: nothing can be added, and then it can again."""
    told = child(
        """
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
with history.keep(watching) as keeping:
    watching.see(request(100.0))
    assert keeping.told is None, keeping.told
    limit(150_000)
    given = 1
    while keeping.told is None:
        watching.see(*(request(0.0) for _ in range(300)))
        given += 300
    print(keeping.told)
    watching.see(request(0.0))  # it is tried again
    limit(resource.RLIM_INFINITY)
    watching.see()
    print(keeping.told, len(history.requests()) - given)
""",
        tmp_path / "h.sqlite",
    )
    full, well = told.splitlines()
    assert "The disk is full" in full
    assert "Make room, or name another file in LIFECYCLE_WIDGETS_HISTORY." in full
    assert well == "None 1"


@POSIX
def test_a_full_disk_from_the_beginning(tmp_path: Path) -> None:
    told = child(
        """
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
with history.keep(watching) as keeping:
    watching.see(request(20.0))
    print(keeping.told)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
print(len(history.requests()))
""",
        tmp_path / "h.sqlite",
    )
    assert "The disk is full" in told.splitlines()[0]
    assert told.splitlines()[1] == "1"


@pytest.fixture
def shared_place() -> Iterator[Path]:
    """A folder that another user can look into."""
    place = Path(tempfile.mkdtemp())
    place.chmod(0o755)
    yield place
    place.chmod(0o755)
    shutil.rmtree(place)


@POSIX
def test_a_file_that_may_only_be_read_can_be_read(shared_place: Path) -> None:
    history = History(shared_place / "h.sqlite")
    filled(history, 3)
    history.path.chmod(0o444)
    shared_place.chmod(0o555)
    told = child(
        """
history.requests()  # all is loaded from where only this user may look
with History(sys.argv[1] + "-other").keep(watching):
    pass
if os.geteuid() == 0:  # whom no mode stops
    os.setuid(65534)
print(len(history.requests()), history)
with history.keep(watching) as keeping:
    watching.see(request(20.0))
    print(keeping.told)
try:
    history.delete(everything=True)
except HistoryError as fault:
    print(fault)
""",
        history.path,
    )
    lines = told.splitlines()
    assert lines[0].startswith("3 <History in")
    assert "may only be read. Make it writable" in lines[1]
    assert "may only be read. Make it writable" in lines[2]


def test_a_place_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    history, watching = History(tmp_path / "file" / "h.sqlite"), Watching()
    with history.keep(watching) as keeping:
        watching.see(request(20.0))
        assert "Mend that, or name another file" in (keeping.told or "")
    folder = History(tmp_path)
    with folder.keep(watching) as keeping:
        watching.see(request(20.0))
        assert "is a folder. Name a file" in (keeping.told or "")
    with pytest.raises(HistoryError, match=r"is a folder\. Name a file"):
        folder.requests()


@pytest.mark.parametrize("is_header", [True, False])
def test_a_damaged_file_is_left_as_it_is(history: History, is_header: bool) -> None:
    filled(history, 3000)
    size = history.path.stat().st_size
    damage(history.path, *((0, 100) if is_header else (8192, size - 8192)))
    before = history.path.read_bytes()
    with pytest.raises(HistoryError, match=r"is damaged, and is left as it is\. Move it away"):
        history.requests()
    assert "is damaged" in repr(history)
    watching = Watching()
    with history.keep(watching) as keeping:
        watching.see(request(20.0))
        assert "is damaged" in (keeping.told or "")
        if is_header:
            assert history.path.read_bytes() == before
        history.path.rename(history.path.with_suffix(".damaged"))  # as the sentence says
        watching.see(request(10.0))
        assert keeping.told is None
        assert len(history.requests()) == 2  # what waited is in the new one


def test_one_that_is_deleted_meanwhile_begins_anew(history: History) -> None:
    watching = Watching()
    with history.keep(watching) as keeping:
        watching.see(request(20.0))
        history.path.unlink()
        watching.see(request(7.0))
        assert keeping.told is None
    assert len(history.requests()) == 1


def test_one_that_is_locked_is_waited_for_a_moment(history: History) -> None:
    """By a kernel that hangs amid a transaction."""
    filled(history)
    watching = Watching()
    with history.keep(watching) as keeping, closing(sqlite3.connect(history.path)) as hangs:
        hangs.execute("BEGIN IMMEDIATE")
        began_s = time.monotonic()
        watching.see(request(0.0))
        assert time.monotonic() - began_s < 1.9  # a listener may take two seconds
        assert "is locked: another process, maybe a kernel that hangs" in (keeping.told or "")
        assert len(history.requests()) == 1  # it can be read all the while
        hangs.rollback()
        watching.see()
        assert keeping.told is None
    assert len(history.requests()) == 2


def test_what_waits_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle_widgets.history.writing.pending.MOST", 10)
    history, watching = History(tmp_path), Watching()
    with history.keep(watching) as keeping:
        watching.see(*(request(20.0 + n) for n in range(25)))
        assert "15 older records could not wait, and are lost." in (keeping.told or "")


@POSIX
def test_a_writer_that_is_killed_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    history = History(tmp_path / "h.sqlite")
    code = """
import itertools
with history.keep(watching) as keeping:
    for n in itertools.count(1):
        watching.see(*(request(5.0) for _ in range(40)))
        print(n * 40, flush=True)
"""
    writes = subprocess.Popen(
        [sys.executable, "-c", BEGINNING + code, str(history.path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writes.stdout is not None
    told = [writes.stdout.readline() for _ in range(25)]
    writes.kill()
    told += writes.stdout.readlines()
    writes.wait()
    assert len(history.requests()) >= int([line for line in told if line.endswith("\n")][-1])
    assert rows(history.path, "PRAGMA integrity_check") == [("ok",)]
    [(counted,)] = rows(history.path, "SELECT sum(requests) FROM hours")
    assert counted == history.requests()["count"].sum()
