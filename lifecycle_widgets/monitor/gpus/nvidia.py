"""NVIDIA's GPUs, through NVML: no card, no driver or no library means that there are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lifecycle_widgets.monitor.sample import Gpu

_Value = TypeVar("_Value")
_MOST_BYTES = 1 << 50  # "not available" is written as the largest number that there is
_MOST_MW, _MOST_C = 1e8, 200.0
_MOST_MHZ = 1e5
# NVML's numbers for the sensor on the chip, and for the clock of what computes
_TEMPERATURE_GPU = _CLOCK_GRAPHICS = 0
# NVML's errors, by their names
_GONE = ("NVMLError_GpuIsLost", "NVMLError_GpuNotFound")
_NEVER_TOLD = ("NVMLError_NotSupported", "NVMLError_NoPermission")


class NvidiaGpus:
    """NVIDIA's GPUs of this machine, with their handles kept open.

    Reads utilisation, memory, power, temperature and clock: microseconds each. NVML's list of
    processes, at milliseconds and a lock in the driver, is not asked for. Nothing that a driver
    does is an exception here: what one card does not tell is None, and the other cards are read.
    """

    def __init__(self) -> None:
        self._nvml: Any = None
        self._cards: list[tuple[int, str, Any]] = []
        self._faults: dict[str, str] = {}
        #: how many there are, with those that cannot be opened: their numbers are taken
        self.count = 0
        try:
            import pynvml

            pynvml.nvmlInit()
        except Exception:  # ImportError, NVMLError, or a broken driver's own: no GPUs
            return
        self._nvml = pynvml
        self.count = self._counted()
        for index in range(self.count):
            try:
                self._cards.append((index, *self._opened(index)))
            except _Lost:  # the others are shown
                pass

    @property
    def faults(self) -> tuple[str, ...]:
        """What the driver failed to tell, in sentences; what a card never tells is none."""
        return tuple(self._faults.values())

    def read(self) -> tuple[Gpu, ...]:
        """One reading of each GPU; one that has been lost is left out."""
        return tuple(gpu for card in self._cards if (gpu := self._read(*card)) is not None)

    def close(self) -> None:
        """Let go of the driver."""
        if self._nvml is not None:
            try:
                self._nvml.nvmlShutdown()
            except Exception:  # the driver has gone before us
                pass
        self._nvml, self._cards = None, []

    # --- one card --------------------------------------------------------------------------------

    def _counted(self) -> int:
        try:
            return (
                _whole(self._told("the number of GPUs", self._nvml.nvmlDeviceGetCount), 1024) or 0
            )
        except _Lost:
            return 0

    def _opened(self, index: int) -> tuple[str, Any]:
        """A card's name and handle. Raises _Lost."""
        nvml = self._nvml
        handle = self._told(f"GPU {index}", lambda: nvml.nvmlDeviceGetHandleByIndex(index))
        if handle is None:
            raise _Lost
        name = self._told(f"the name of GPU {index}", lambda: _text(nvml.nvmlDeviceGetName(handle)))
        return name or "", handle

    def _read(self, index: int, name: str, handle: Any) -> Gpu | None:
        nvml = self._nvml
        try:
            rates = self._told(
                f"the load of GPU {index}", lambda: nvml.nvmlDeviceGetUtilizationRates(handle)
            )
            memory = self._told(
                f"the memory of GPU {index}", lambda: nvml.nvmlDeviceGetMemoryInfo(handle)
            )
            power = self._told(f"the power of GPU {index}", self._asking("PowerUsage", handle))
            temperature = self._told(
                f"the temperature of GPU {index}",
                self._asking("Temperature", handle, _TEMPERATURE_GPU),
            )
            clock = self._told(
                f"the clock of GPU {index}", self._asking("ClockInfo", handle, _CLOCK_GRAPHICS)
            )
        except _Lost:
            return None
        percent = _whole(getattr(rates, "gpu", None), 100)
        total_bytes = _whole(getattr(memory, "total", None), _MOST_BYTES) or None
        used_bytes = _whole(getattr(memory, "used", None), total_bytes or _MOST_BYTES)
        return Gpu(
            index=index,
            name=name,
            utilization=None if percent is None else percent / 100,
            memory_used_bytes=used_bytes,
            memory_total_bytes=total_bytes,
            power_w=None if (mw := _number(power, _MOST_MW)) is None else mw / 1e3,
            temperature_c=_number(temperature, _MOST_C),
            clock_mhz=_number(clock, _MOST_MHZ),
        )

    def _asking(self, what: str, *arguments: Any) -> Callable[[], Any]:
        """A question to NVML; one that this version of its binding does not have is not told."""
        ask = getattr(self._nvml, f"nvmlDeviceGet{what}", None)
        return (lambda: None) if ask is None else (lambda: ask(*arguments))

    def _told(self, what: str, ask: Callable[[], _Value]) -> _Value | None:
        """The answer; None from a card that never answers this, or whose driver fails at it.

        Raises
        ------
        _Lost
            When there is no such card any more.
        """
        try:
            answer = ask()
        except Exception as fault:
            kind = type(fault).__name__
            if kind not in _NEVER_TOLD:
                self._faults[what] = f"{what[0].upper()}{what[1:]} cannot be read ({kind})."
            if kind in _GONE:
                raise _Lost from None
            return None
        self._faults.pop(what, None)
        return answer


class _Lost(Exception):
    """The card has gone."""


def _text(name: object) -> str:
    return name.decode(errors="replace") if isinstance(name, bytes) else str(name)


def _number(value: object, most: float) -> float | None:
    """A number from 0 to ``most``; None for whatever else a driver may answer."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= most else None


def _whole(value: object, most: int) -> int | None:
    """The same without a fraction."""
    if isinstance(value, int) and not isinstance(value, bool):  # a float holds 53 bits of it
        return value if 0 <= value <= most else None
    number = _number(value, most)
    return None if number is None else int(number)
