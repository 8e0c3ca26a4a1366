"""GPUs: none without a driver; with one, each card's own answers. (The driver is stood in for.)"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from lifecycle_widgets.monitor import Gpu
from lifecycle_widgets.monitor.gpus import Gpus


def test_this_machine() -> None:
    gpus = Gpus()
    for gpu in gpus.read():
        assert gpu.name
        assert gpu.utilization is None or 0 <= gpu.utilization <= 1
        used, total = gpu.memory_used_bytes, gpu.memory_total_bytes
        assert used is None or total is None or 0 <= used <= total
    gpus.close()
    assert gpus.read() == ()
    gpus.close()


class Driver:
    """What NVML says on a machine that has these cards; an NVML error code is raised."""

    def __init__(self, *cards: dict[str, Any]) -> None:
        self.cards = list(cards)
        self.handles_given = 0

    def count(self) -> int:
        return len(self.cards)

    def handle(self, index: int) -> dict[str, Any]:
        self.handles_given += 1
        if "handle" in self.cards[index]:
            self.answer("handle")(self.cards[index])
        return self.cards[index]

    @staticmethod
    def answer(what: str) -> Any:
        def tell(card: dict[str, Any]) -> Any:
            if isinstance(card[what], int):
                raise pynvml.NVMLError(card[what])
            if isinstance(card[what], Exception):
                raise card[what]
            return card[what]

        return tell


def card(**other: Any) -> dict[str, Any]:
    told = {
        "name": b"A card",
        "rates": SimpleNamespace(gpu=42, memory=7),
        "memory": SimpleNamespace(used=3, total=8),
    }
    return told | other


def install(monkeypatch: pytest.MonkeyPatch, driver: Driver) -> None:
    put = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": driver.count,
        "nvmlDeviceGetHandleByIndex": driver.handle,
        "nvmlDeviceGetName": driver.answer("name"),
        "nvmlDeviceGetUtilizationRates": driver.answer("rates"),
        "nvmlDeviceGetMemoryInfo": driver.answer("memory"),
    }
    for name in list(
        vars(pynvml)
    ):  # whatever else is asked for, the list of processes above all, fails
        if name.startswith("nvmlDeviceGet") and name not in put:
            monkeypatch.delattr(pynvml, name)
    for name, function in put.items():
        monkeypatch.setattr(pynvml, name, function)


def test_cards_are_read_through_handles_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(card(), card(name="Another"))
    install(monkeypatch, driver)
    gpus = Gpus()
    for _ in range(3):
        assert gpus.read() == (Gpu(0, "A card", 0.42, 3, 8), Gpu(1, "Another", 0.42, 3, 8))
    assert driver.handles_given == 2


def test_what_a_card_does_not_tell_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Driver(card(rates=pynvml.NVML_ERROR_NOT_SUPPORTED)))
    assert Gpus().read() == (Gpu(0, "A card", None, 3, 8),)


def test_a_card_that_is_lost_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(card(), card())
    install(monkeypatch, driver)
    gpus = Gpus()
    driver.cards[0]["memory"] = pynvml.NVML_ERROR_GPU_IS_LOST
    assert [gpu.index for gpu in gpus.read()] == [1]


ODD = UnicodeDecodeError("utf-8", b"\xf8", 0, 1, "invalid start byte")


@pytest.mark.parametrize(
    "fault", [ODD, pynvml.NVML_ERROR_UNKNOWN, RuntimeError("driver"), OSError(5, "i/o")], ids=repr
)
@pytest.mark.parametrize("what", ["name", "rates", "memory"])
def test_what_a_driver_fails_at_is_none_and_said(
    monkeypatch: pytest.MonkeyPatch, what: str, fault: Any
) -> None:
    install(monkeypatch, Driver(card(), card(**{what: fault}), card()))
    gpus = Gpus()
    first, odd, last = gpus.read()
    assert (first.index, last.index) == (0, 2)
    assert first.name == last.name == "A card"
    untold = {"name": odd.name, "rates": odd.utilization, "memory": odd.memory_used_bytes}
    assert not untold.pop(what)
    assert all(untold.values())
    assert len(gpus.faults) == 1
    assert "GPU 1" in gpus.faults[0]


@pytest.mark.parametrize("fault", [pynvml.NVML_ERROR_GPU_IS_LOST, ODD])
def test_a_card_that_cannot_be_opened_leaves_the_others(
    monkeypatch: pytest.MonkeyPatch, fault: Any
) -> None:
    install(monkeypatch, Driver(card(handle=fault), card()))
    gpus = Gpus()
    assert [gpu.index for gpu in gpus.read()] == [1]
    assert "GPU 0" in gpus.faults[0]


def test_a_card_that_tells_nothing_and_one_that_shares_main_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never = pynvml.NVML_ERROR_NOT_SUPPORTED
    silent = card(name=never, rates=never, memory=never)
    install(monkeypatch, Driver(silent, card(memory=never)))
    gpus = Gpus()
    assert gpus.read() == (Gpu(0, "", None, None, None), Gpu(1, "A card", 0.42, None, None))
    assert gpus.faults == ()  # they never tell: nothing has failed


@pytest.mark.parametrize(
    ("memory", "expected"),
    [
        (SimpleNamespace(used=3, total=8), (3, 8)),
        (SimpleNamespace(used=2**64 - 1, total=8), (None, 8)),
        (SimpleNamespace(used=9, total=8), (None, 8)),
        (SimpleNamespace(used=0, total=0), (0, None)),
        (SimpleNamespace(used=-1, total=None), (None, None)),
        (SimpleNamespace(used="3", total=10**400), (None, None)),
        (SimpleNamespace(used=float("nan"), total=8.0), (None, 8)),
        (SimpleNamespace(), (None, None)),
        (None, (None, None)),
    ],
)
def test_numbers_that_cannot_be(
    monkeypatch: pytest.MonkeyPatch, memory: Any, expected: tuple[int | None, int | None]
) -> None:
    install(monkeypatch, Driver(card(memory=memory, rates=SimpleNamespace(gpu=255))))
    (gpu,) = Gpus().read()
    assert (gpu.memory_used_bytes, gpu.memory_total_bytes) == expected
    assert gpu.utilization is None


@pytest.mark.parametrize("count", [None, -1, "2", 10**9])
def test_a_number_of_cards_that_cannot_be(monkeypatch: pytest.MonkeyPatch, count: Any) -> None:
    install(monkeypatch, Driver(card()))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: count)
    assert Gpus().read() == ()


def test_a_driver_that_cannot_count_its_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)

    install(monkeypatch, Driver(card()))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", broken)
    gpus = Gpus()
    assert gpus.read() == ()
    assert "number of GPUs" in gpus.faults[0]
    gpus.close()


def test_a_driver_that_fails_means_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_DRIVER_NOT_LOADED)

    monkeypatch.setattr(pynvml, "nvmlInit", broken)
    assert Gpus().read() == ()
