"""What processes have on NVIDIA GPUs, by the driver's own list, which takes milliseconds."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any, NamedTuple

_ASK_S = 10.0
_MOST_BYTES = 1 << 50  # "not available" is written as the largest number that there is


class OnGpus(NamedTuple):
    """What a process has on GPUs: bytes in all, and the numbers of the cards."""

    vram_bytes: int
    cards: tuple[int, ...]


class Vram:
    """What processes have on GPUs, asked for at most every ten seconds.

    One that the driver does not list, or whose memory it does not tell, is not told: in a
    container its numbers may be another system's.
    """

    def __init__(self) -> None:
        self._nvml: Any = None
        self._told: dict[int, OnGpus] = {}
        self._ask_s = 0.0

    def of(self, pids: Collection[int]) -> dict[int, OnGpus]:
        """By process, for those of the processes that have some."""
        if self._nvml is False or not pids:
            return {}
        now_s = time.monotonic()
        if now_s >= self._ask_s:
            self._ask_s = now_s + _ASK_S
            self._told = self._ask()
        return {pid: self._told[pid] for pid in pids if pid in self._told}

    def _ask(self) -> dict[int, OnGpus]:
        try:
            import pynvml as nvml

            nvml.nvmlInit()  # cheap while the GPUs are open, as they are while there are samples
        except Exception:  # no library, no driver, or a broken one: there are no GPUs
            self._nvml = False
            return {}
        told: dict[int, OnGpus] = {}
        try:
            for index in range(nvml.nvmlDeviceGetCount()):
                for pid, used_bytes in _of_card(nvml, index):
                    before = told.get(pid, OnGpus(0, ()))
                    told[pid] = OnGpus(before.vram_bytes + used_bytes, (*before.cards, index))
        except Exception:  # the driver has gone
            pass
        finally:
            _let_go(nvml)
        return told


def _of_card(nvml: Any, index: int) -> list[tuple[int, int]]:
    try:
        card = nvml.nvmlDeviceGetHandleByIndex(index)
        listed = nvml.nvmlDeviceGetComputeRunningProcesses(card)
    except Exception:  # this one does not tell; others may
        return []
    found = [(one.pid, one.usedGpuMemory) for one in listed]
    return [(pid, used) for pid, used in found if used is not None and 0 < used < _MOST_BYTES]


def _let_go(nvml: Any) -> None:
    try:
        nvml.nvmlShutdown()
    except Exception:
        pass
