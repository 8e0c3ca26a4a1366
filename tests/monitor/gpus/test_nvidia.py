"""NVIDIA's: none without a driver; with one, each card's answers. (The driver is stood in for.)"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from lifecycle_widgets.monitor import Gpu
from lifecycle_widgets.monitor.gpus.nvidia import NvidiaGpus


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
    gpus = NvidiaGpus()
    for _ in range(3):
        assert gpus.read() == (Gpu(0, "A card", 0.42, 3, 8), Gpu(1, "Another", 0.42, 3, 8))
    assert driver.handles_given == 2


def sensors(monkeypatch: pytest.MonkeyPatch, power: Any, temperature: Any) -> list[int]:
    """Give the driver these two as well; the answer is which sensors it is asked for."""
    asked: list[int] = []

    def warmth(one: dict[str, Any], sensor: int) -> Any:
        asked.append(sensor)
        return Driver.answer("temperature")(one | {"temperature": temperature})

    monkeypatch.setattr(
        pynvml,
        "nvmlDeviceGetPowerUsage",
        lambda one: Driver.answer("power")(one | {"power": power}),
        raising=False,
    )
    monkeypatch.setattr(pynvml, "nvmlDeviceGetTemperature", warmth, raising=False)
    return asked


@pytest.mark.parametrize(
    ("power", "temperature", "expected"),
    [
        (71_500.0, 41.0, (71.5, 41.0)),
        (pynvml.NVML_ERROR_NOT_SUPPORTED, 41.0, (None, 41.0)),
        (71_500.0, pynvml.NVML_ERROR_NO_PERMISSION, (71.5, None)),
        (2.0**64, -1.0, (None, None)),
        (None, "41", (None, None)),
    ],
)
def test_power_and_temperature(
    monkeypatch: pytest.MonkeyPatch, power: Any, temperature: Any, expected: Any
) -> None:
    """Watts and degrees Celsius of the chip; what a card never tells is None, and no fault."""
    install(monkeypatch, Driver(card()))
    asked = sensors(monkeypatch, power, temperature)
    gpus = NvidiaGpus()
    (gpu,) = gpus.read()
    assert (gpu.power_w, gpu.temperature_c) == expected
    assert (gpu.utilization, gpu.memory_used_bytes) == (0.42, 3)
    assert asked == [pynvml.NVML_TEMPERATURE_GPU]
    assert gpus.faults == ()


@pytest.mark.parametrize(
    ("clock", "expected"),
    [(1_410, 1_410.0), (pynvml.NVML_ERROR_NOT_SUPPORTED, None), (2**32, None)],
)
def test_the_clock_of_what_computes(
    monkeypatch: pytest.MonkeyPatch, clock: int, expected: float | None
) -> None:
    def tell(_: Any, kind: int) -> int:
        if clock == pynvml.NVML_ERROR_NOT_SUPPORTED:
            raise pynvml.NVMLError(clock)
        return clock if kind == pynvml.NVML_CLOCK_GRAPHICS else 9

    install(monkeypatch, Driver(card()))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetClockInfo", tell, raising=False)
    gpus = NvidiaGpus()
    assert [gpu.clock_mhz for gpu in gpus.read()] == [expected]
    assert gpus.faults == ()


def test_a_sensor_that_fails_is_said_and_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Driver(card()))
    sensors(monkeypatch, pynvml.NVML_ERROR_UNKNOWN, 41.0)
    gpus = NvidiaGpus()
    (gpu,) = gpus.read()
    assert (gpu.power_w, gpu.temperature_c) == (None, 41.0)
    assert gpus.faults == ("The power of GPU 0 cannot be read (NVMLError_Unknown).",)


def test_what_a_card_does_not_tell_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Driver(card(rates=pynvml.NVML_ERROR_NOT_SUPPORTED)))
    assert NvidiaGpus().read() == (Gpu(0, "A card", None, 3, 8),)


def test_a_card_that_is_lost_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = Driver(card(), card())
    install(monkeypatch, driver)
    gpus = NvidiaGpus()
    driver.cards[0]["memory"] = pynvml.NVML_ERROR_GPU_IS_LOST
    assert [gpu.index for gpu in gpus.read()] == [1]
    assert gpus.count == 2, "its number is not given to another"


ODD = UnicodeDecodeError("utf-8", b"\xf8", 0, 1, "invalid start byte")


@pytest.mark.parametrize(
    "fault", [ODD, pynvml.NVML_ERROR_UNKNOWN, RuntimeError("driver"), OSError(5, "i/o")], ids=repr
)
@pytest.mark.parametrize("what", ["name", "rates", "memory"])
def test_what_a_driver_fails_at_is_none_and_said(
    monkeypatch: pytest.MonkeyPatch, what: str, fault: Any
) -> None:
    install(monkeypatch, Driver(card(), card(**{what: fault}), card()))
    gpus = NvidiaGpus()
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
    gpus = NvidiaGpus()
    assert [gpu.index for gpu in gpus.read()] == [1]
    assert "GPU 0" in gpus.faults[0]


def test_a_card_that_tells_nothing_and_one_that_shares_main_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    never = pynvml.NVML_ERROR_NOT_SUPPORTED
    silent = card(name=never, rates=never, memory=never)
    install(monkeypatch, Driver(silent, card(memory=never)))
    gpus = NvidiaGpus()
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
    (gpu,) = NvidiaGpus().read()
    assert (gpu.memory_used_bytes, gpu.memory_total_bytes) == expected
    assert gpu.utilization is None


@pytest.mark.parametrize("count", [None, -1, "2", 10**9])
def test_a_number_of_cards_that_cannot_be(monkeypatch: pytest.MonkeyPatch, count: Any) -> None:
    install(monkeypatch, Driver(card()))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lambda: count)
    assert NvidiaGpus().read() == ()


def test_a_driver_that_cannot_count_its_cards(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)

    install(monkeypatch, Driver(card()))
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", broken)
    gpus = NvidiaGpus()
    assert gpus.read() == ()
    assert "number of GPUs" in gpus.faults[0]
    gpus.close()


def test_a_driver_that_fails_means_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_DRIVER_NOT_LOADED)

    monkeypatch.setattr(pynvml, "nvmlInit", broken)
    assert NvidiaGpus().read() == ()
