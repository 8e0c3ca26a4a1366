"""NVIDIA GPUs through NVML; no GPU, no driver or no library simply means that there are none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from lifecycle_widgets.monitor.sample import Gpu

_Value = TypeVar("_Value")


class Gpus:
    """The GPUs of this machine, with their handles kept open.

    Reads utilisation and memory only: microseconds each. NVML's list of processes, at
    milliseconds and a lock in the driver, is never asked for.
    """

    def __init__(self) -> None:
        self._nvml: Any = None
        self._cards: list[tuple[int, str, Any]] = []
        try:
            import pynvml

            pynvml.nvmlInit()
        except Exception:  # ImportError, NVMLError, or a broken driver's own: no GPUs
            return
        self._nvml = pynvml
        try:
            for index in range(pynvml.nvmlDeviceGetCount()):
                handle = pynvml.nvmlDeviceGetHandleByIndex(index)
                name = pynvml.nvmlDeviceGetName(handle)
                text = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
                self._cards.append((index, text, handle))
        except pynvml.NVMLError:  # a card that cannot be opened: those before it are shown
            pass

    def read(self) -> tuple[Gpu, ...]:
        """One reading of each GPU; one that has been lost is left out."""
        return tuple(gpu for card in self._cards if (gpu := self._read(*card)) is not None)

    def _read(self, index: int, name: str, handle: Any) -> Gpu | None:
        nvml = self._nvml
        try:
            rates = self._told(lambda: nvml.nvmlDeviceGetUtilizationRates(handle))
            memory = self._told(lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        except nvml.NVMLError:
            return None
        return Gpu(
            index=index,
            name=name,
            utilization=None if rates is None else rates.gpu / 100,
            memory_used_bytes=None if memory is None else int(memory.used),
            memory_total_bytes=None if memory is None else int(memory.total),
        )

    def _told(self, ask: Callable[[], _Value]) -> _Value | None:
        """The answer, or None from a card that never answers this."""
        try:
            return ask()
        except (self._nvml.NVMLError_NotSupported, self._nvml.NVMLError_NoPermission):
            return None

    def close(self) -> None:
        """Let go of the driver."""
        if self._nvml is not None:
            try:
                self._nvml.nvmlShutdown()
            except self._nvml.NVMLError:  # the driver has gone before us
                pass
        self._nvml, self._cards = None, []
