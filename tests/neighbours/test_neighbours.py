"""The noticeboard: what others say, whoever they are, however they end and whatever they write."""

from __future__ import annotations

import json
import os
import stat
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle_widgets.neighbours import VARIABLE, announce, board, neighbours, reserved_bytes
from tests.neighbours.other import another

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its programs are POSIX's")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "board"))
    return tmp_path / "board"


def test_what_another_process_says_is_read_until_it_ends(folder: Path) -> None:
    with another() as other:
        (one,) = neighbours()
        assert (one.pid, one.what, one.models) == (other.process.pid, "lesson 2", ("a", "b"))
        assert one.server_url == "http://127.0.0.1:1234/"  # without what opens it
        assert 0 <= (datetime.now(timezone.utc) - one.since).total_seconds() < 60
        other.does("notice.change(memory_bytes=5, models=['c'])")
        (one,) = neighbours()
        assert (one.memory_bytes, one.models) == (5, ("c",))
        assert len(list(folder.glob("*.json"))) == 1
        other.does("notice.close(); notice.close(); notice.change(memory_bytes=9)")
        assert neighbours() == ()
    assert not list(folder.glob("*.json"))


def test_a_killed_process_says_nothing_and_its_notice_is_removed(folder: Path) -> None:
    with another() as other:
        assert len(neighbours()) == 1
    assert other.process.returncode == -9
    assert list(folder.glob("*.json"))
    assert neighbours() == ()
    assert not list(folder.glob("*.json"))


def test_a_process_that_becomes_another_program_says_nothing() -> None:
    with another() as other:
        other.does("os.execlp('sleep', 'sleep', '60')", answers=False)
        until = threading.Event()
        for _ in range(200):
            if not neighbours():
                break
            until.wait(0.05)
        assert neighbours() == ()
        assert other.process.poll() is None


def test_a_forked_child_leaves_its_parents_notice_up() -> None:
    with another() as other:
        other.does("pid = os.fork(); pid or (notice.close(), sys.exit()); os.waitpid(pid, 0)")
        assert [one.pid for one in neighbours()] == [other.process.pid]


def test_what_this_process_says_is_not_a_neighbours_and_ends_with_the_block(folder: Path) -> None:
    with announce("here") as notice:
        assert neighbours() == ()
        assert len(list(folder.glob("*.json"))) == 1
        notice.change(models=["x"])
        assert json.loads(next(folder.glob("*.json")).read_text())["models"] == ["x"]
    assert not list(folder.iterdir())


def test_two_threads_change_and_close_one_notice(folder: Path) -> None:
    notices = [announce("many") for _ in range(4)]

    def busy() -> None:
        for number in range(20):
            for notice in notices:
                notice.change(memory_bytes=number)
        for notice in notices:
            notice.close()

    threads = [threading.Thread(target=busy) for _ in range(2)]
    before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not list(folder.iterdir())
    if sys.platform == "linux":
        assert len(os.listdir("/proc/self/fd")) <= before


def test_the_folder_is_for_everybody_and_a_notice_for_all_to_read(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with announce("here"):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o1777
            assert stat.S_IMODE(next(folder.glob("*.json")).stat().st_mode) == 0o644
    finally:
        os.umask(before)


@pytest.mark.parametrize("made", ["link", "file", "dangling", "off", "not writable"])
def test_a_folder_that_is_none_costs_nothing_and_is_not_written_to(
    made: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    if made == "link":
        folder.symlink_to(elsewhere)
    elif made == "dangling":
        folder.symlink_to(tmp_path / "nowhere")
    elif made == "file":
        folder.write_text("")
    elif made == "off":
        monkeypatch.setenv(VARIABLE, "off")
        assert board() is None
    else:
        monkeypatch.setenv(VARIABLE, "/proc/here")  # for root, too
    with announce("here", memory_bytes=5) as notice:
        notice.change(memory_bytes=7)
        assert notice.memory_bytes == 7
        assert neighbours() == ()
        assert reserved_bytes() == 0
    assert not list(elsewhere.iterdir())
    assert not (tmp_path / "nowhere").exists()


def test_hostile_files_are_no_notices(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    with announce("here"):
        secret.write_text(next(folder.glob("*.json")).read_text())
    (folder / "1-link.json").symlink_to(secret)
    (folder / "1-folder.json").mkdir()
    os.mkfifo(folder / "1-fifo.json")
    with (folder / "1-huge.json").open("wb") as file:
        file.truncate(1 << 40)
    (folder / "1-deep.json").write_text("[" * 15_000)
    os.mkfifo(folder / "lock")
    assert neighbours() == ()
    assert reserved_bytes() == 0
    assert secret.exists()


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_KEYS = st.sampled_from(
    ["pid", "began_s", "space", "user", "what", "server_url", "models", "memory_bytes", "since"]
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=60) | st.dictionaries(_KEYS, _JSON))
def test_garbage_is_no_notice(folder: Path, garbage: bytes | dict[str, object]) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "1-garbage.json").unlink(missing_ok=True)
    if isinstance(garbage, dict):
        with announce("here", memory_bytes=9):
            good = json.loads(next(folder.glob("*-*.json")).read_text())
        garbage = json.dumps(good | {"pid": os.getppid()} | garbage).encode("utf-8", "replace")
    (folder / "1-garbage.json").write_bytes(garbage)
    for one in neighbours():
        assert one.memory_bytes >= 0
        assert len(one.what) <= 200
        assert all(isinstance(model, str) for model in one.models)
        repr(one).encode()
    assert reserved_bytes() >= 0


def test_a_notice_about_a_process_of_somebody_else_does_not_count(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can write as somebody else")
    with another():
        path = next(folder.glob("*.json"))
        forged = folder / "1-forged.json"
        forged.write_bytes(path.read_bytes())
        os.chown(forged, 65534, 65534)
        assert len(neighbours()) == 1
        assert not forged.exists()
