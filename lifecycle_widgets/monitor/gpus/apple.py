"""Apple's GPUs, by what their driver puts into macOS's registry; ``ioreg`` tells it to anybody."""

from __future__ import annotations

import plistlib
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import psutil

from lifecycle_widgets.monitor.sample import Gpu

_IOREG = ("/usr/sbin/ioreg", "-a", "-r", "-c", "IOAccelerator", "-d", "1")
_ASK_S = 5.0
_ANSWER_S = 3.0
_OLD_S = 3 * _ASK_S
_CHIPS = "AGX"  # the driver's classes begin so; on a Mac with Intel Ollama takes no GPU


class AppleGpus:
    """Asks a child process every five seconds, in a thread: a reading is what it told last.

    It tells how busy the GPU is and what it has of main memory; its power and temperature are
    told to root only.

    Parameters
    ----------
    command:
        What answers with the registry's entries.
    """

    def __init__(self, command: Sequence[str] = _IOREG) -> None:
        self._command = command
        self._ask_s = 0.0
        self._told: tuple[float, tuple[Gpu, ...]] = (0.0, ())

    def read(self) -> tuple[Gpu, ...]:
        """What was told last; nothing where that is long ago. Raises nothing, and never waits."""
        now_s = time.monotonic()
        if now_s >= self._ask_s:
            self._ask_s = now_s + _ASK_S
            threading.Thread(target=self._ask, name="lifecycle-ioreg", daemon=True).start()
        told_s, gpus = self._told
        return gpus if now_s - told_s < _OLD_S else ()

    def _ask(self) -> None:
        try:
            # with an absolute path and without close_fds macOS need not copy this process
            answer = subprocess.run(
                self._command, capture_output=True, timeout=_ANSWER_S, close_fds=False, check=True
            )
        except (OSError, subprocess.SubprocessError):
            return
        self._told = time.monotonic(), apple_gpus(answer.stdout)


def apple_gpus(answer: bytes) -> tuple[Gpu, ...]:
    """The GPUs in ``ioreg``'s answer; none where it cannot be read.

    Parameters
    ----------
    answer:
        A property list: an array of the registry's entries.
    """
    try:
        entries = plistlib.loads(answer)
    except Exception:  # what it raises depends on where the answer is broken
        return ()
    return tuple(_gpu(index, entry) for index, entry in enumerate(_chips(entries)))


def _chips(entries: Any) -> Iterator[dict[str, Any]]:
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and str(entry.get("IOClass", "")).startswith(_CHIPS):
            yield entry


def _gpu(index: int, entry: dict[str, Any]) -> Gpu:
    told = entry.get("PerformanceStatistics")
    told = told if isinstance(told, dict) else {}
    total_bytes = psutil.virtual_memory().total
    percent = _number(told.get("Device Utilization %"), 100)
    return Gpu(
        index=index,
        name=_name(entry),
        utilization=None if percent is None else percent / 100,
        memory_used_bytes=_number(told.get("In use system memory"), total_bytes),
        memory_total_bytes=total_bytes,
        is_integrated=True,
    )


def _name(entry: dict[str, Any]) -> str:
    model, cores = entry.get("model"), _number(entry.get("gpu-core-count"), 10_000)
    if isinstance(model, bytes):  # some systems have it with a zero at its end
        model = model.decode(errors="replace").rstrip("\0")
    name = model if isinstance(model, str) and model else "Apple"
    return f"{name}, {cores} cores" if cores else name


def _number(value: Any, most: int) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 0 <= value <= most else None
