"""A gigabyte that is promised once is not promised twice."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lifecycle_widgets.neighbours import (
    VARIABLE,
    Short,
    neighbours,
    reserve,
    reserved_bytes,
    reserved_text,
)

pytestmark = pytest.mark.skipif(os.name == "nt", reason="its programs are POSIX's")

GB = 1_000_000_000
_ASK = """
import sys
from lifecycle_widgets.neighbours import Short, reserve, reserved_bytes
sys.stdin.readline()
try:
    notice = reserve(1_000_000_000, "test", free_bytes=lambda: 2_500_000_000 - reserved_bytes())
    print("yes", flush=True)
except Short:
    print("no", flush=True)
sys.stdin.readline()
"""
_TAKE = """
import subprocess, sys
from lifecycle_widgets.neighbours import reserve
notice = reserve(200_000_000, "test", free_bytes=lambda: 10**10)
print("reserved", flush=True)
sys.stdin.readline()
child = subprocess.Popen([sys.executable, "-c",
    "held = bytearray(b'x' * 60_000_000); print('held', flush=True); input()"],
    stdin=subprocess.PIPE)
sys.stdin.readline()
child.communicate(b"\\n")
print("gone", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "board"))
    return tmp_path / "board"


def _python(program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


@pytest.mark.parametrize("locks", [True, False])
def test_of_five_at_once_as_many_get_it_as_there_is_memory_for(locks: bool, folder: Path) -> None:
    if not locks:  # somebody keeps the lock for ever, or has spoiled it
        folder.mkdir()
        (folder / "lock").mkdir()
    processes = [_python(_ASK) for _ in range(5)]
    try:
        for process in processes:
            _go(process)
        answers = [_line(process) for process in processes]
        assert answers.count("yes") == 2 if locks else answers.count("yes") <= 2
        assert len(neighbours()) == answers.count("yes")
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert reserved_bytes() == 0, "killed, and still reserved"


def test_what_is_held_already_is_not_counted_twice() -> None:
    process = _python(_TAKE)
    try:
        assert _line(process) == "reserved"
        assert reserved_bytes() == 200_000_000
        assert reserved_text().startswith("1 other process on this machine (")
        _go(process)
        assert _line(process) == "held"
        assert 110_000_000 < reserved_bytes() < 141_000_000
        _go(process)
        assert _line(process) == "gone"
        assert reserved_bytes() == 200_000_000
    finally:
        process.kill()
        process.communicate()


def test_two_threads_do_not_both_get_the_last_one() -> None:
    got: list[object] = []

    def ask() -> None:
        try:
            got.append(reserve(GB, "test", free_bytes=lambda: 3 * GB // 2))
        except Short as fault:
            assert fault.free_bytes == GB // 2
            got.append(None)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (notice,) = [one for one in got if one is not None]
    notice.close()  # type: ignore[attr-defined]
    with reserve(GB, "test", free_bytes=lambda: GB):
        pass


def test_a_fault_while_looking_leaves_nothing_reserved(folder: Path) -> None:
    def fails() -> int:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reserve(GB, "test", free_bytes=fails)
    assert not list(folder.glob("*.json"))


@pytest.mark.parametrize("value", ["off", "/proc/none"])
def test_without_a_board_the_free_memory_decides(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, value)
    with reserve(5, "test", free_bytes=lambda: 5):
        pass
    with pytest.raises(Short):
        reserve(6, "test", free_bytes=lambda: 5)
