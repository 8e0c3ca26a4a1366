"""What processes have on GPUs, by the driver's list. (The driver is stood in for.)"""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from lifecycle_widgets.monitor.runners.vram import OnGpus, Vram

GB = 10**9


class Driver:
    """What NVML lists: for each card its processes, or the error that it answers with."""

    def __init__(self, *cards: list[tuple[int, int | None]] | int) -> None:
        self.cards, self.asked, self.open = cards, 0, 0

    def begin(self) -> None:
        self.open += 1

    def end(self) -> None:
        self.open -= 1

    def count(self) -> int:
        self.asked += 1
        return len(self.cards)

    def processes(self, index: int) -> list[Any]:
        listed = self.cards[index]
        if isinstance(listed, int):
            raise pynvml.NVMLError(listed)
        return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in listed]


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Any:
    def install(driver: Driver) -> Driver:
        monkeypatch.setattr(pynvml, "nvmlInit", driver.begin)
        monkeypatch.setattr(pynvml, "nvmlShutdown", driver.end)
        monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", driver.count)
        monkeypatch.setattr(pynvml, "nvmlDeviceGetHandleByIndex", lambda index: index)
        monkeypatch.setattr(pynvml, "nvmlDeviceGetComputeRunningProcesses", driver.processes)
        return driver

    return install


def test_a_process_has_what_all_cards_list_for_it(installed: Any) -> None:
    driver = installed(Driver([(7, GB), (9, 5)], pynvml.NVML_ERROR_NOT_SUPPORTED, [(7, 2 * GB)]))
    vram = Vram()
    assert vram.of([7, 8]) == {7: OnGpus(3 * GB, (0, 2))}
    assert vram.of([9]) == {9: OnGpus(5, (0,))}
    assert (driver.asked, driver.open) == (1, 0)  # milliseconds: not with each sample


def test_what_is_not_told_is_none(installed: Any) -> None:
    installed(Driver([(7, None), (8, 2**64 - 1), (9, 0)]))
    assert Vram().of([7, 8, 9]) == {}


def test_without_runners_nothing_is_asked(installed: Any) -> None:
    driver = installed(Driver([(7, GB)]))
    assert Vram().of([]) == {}
    assert driver.asked == 0


def test_this_machine() -> None:
    for on_gpus in Vram().of([os.getpid()]).values():
        assert on_gpus.vram_bytes > 0
