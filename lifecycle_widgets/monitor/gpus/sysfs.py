"""AMD's and Intel's GPUs by Linux's sysfs: a few small files for each, kept open."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path

from lifecycle_widgets.monitor.gpus.pci_names import pci_name
from lifecycle_widgets.monitor.machine import Rate
from lifecycle_widgets.monitor.sample import Gpu
from lifecycle_widgets.monitor.system.kept_file import KeptFile
from lifecycle_widgets.monitor.system.text_files import text_of

DRM = Path("/sys/class/drm")
_LOOK_AGAIN_S = 60.0  # for cards: one may be plugged in, or its driver loaded later
_MAKERS = {"amdgpu": "AMD", "i915": "Intel", "xe": "Intel"}  # by driver
_CARD = re.compile(r"card\d+")  # card0-DP-1 is a socket of card0

# where it is told, under a card's folder: the first that there is
_SENSORS = "device/hwmon/hwmon*"
_FILES = {
    "state": ("device/power/runtime_status",),
    "busy_percent": ("device/gpu_busy_percent",),
    "power_uw": (f"{_SENSORS}/power1_average", f"{_SENSORS}/power1_input"),
    "energy_uj": (f"{_SENSORS}/energy*_input",),
    "clock_hz": (f"{_SENSORS}/freq1_input",),
    "clock_mhz": ("gt/gt0/rps_cur_freq_mhz", "gt_cur_freq_mhz", "device/tile0/gt0/freq0/cur_freq"),
}
_OWN, _SHARED = "device/mem_info_vram_", "device/mem_info_gtt_"  # AMD's: ..._used, ..._total
_TILES = "device/tile*/physical_vram_size_bytes"  # Intel's, with memory of their own
_ON_CHIP = ("edge", "pkg")  # how the sensor of the chip itself is labelled
_INTELS_DISPLAY = "00:02.0"  # where Intel's processors have theirs
_LEAST_BYTES = 1 << 30  # of its own; a display chip has less
_DISPLAYS_MOST_BYTES = 4 << 30  # what a processor's GPU may have set aside of main memory


class SysfsGpus:
    """The cards that the drivers ``amdgpu``, ``i915`` and ``xe`` have.

    NVIDIA's are listed there as well, and the displays of servers and virtual machines: neither is
    read here. A card that sleeps is not asked for what would wake it. What cannot be read, as
    much of Intel's, is None.

    Parameters
    ----------
    drm:
        The folder of all graphics cards.
    first_index:
        The number of the first card; the others follow, and each keeps its number.
    """

    def __init__(self, drm: Path = DRM, first_index: int = 0) -> None:
        self._drm, self._first = drm, first_index
        self._cards: dict[str, _Card] = {}  # by their places on the bus
        self._numbers: dict[str, int] = {}
        self._look_again_s = 0.0

    def read(self) -> tuple[Gpu, ...]:
        """One reading of each. Raises nothing."""
        now_s = time.monotonic()
        if now_s >= self._look_again_s:
            self._look_again_s = now_s + _LOOK_AGAIN_S
            self._look()
        return tuple(card.read(now_s) for card in self._cards.values())

    def _look(self) -> None:
        try:
            names = [name for name in os.listdir(self._drm) if _CARD.fullmatch(name)]
        except OSError:  # no graphics at all
            names = []
        found = {}
        for folder in (self._drm / name for name in names):
            about = _about(folder)
            if about.get("DRIVER") in _MAKERS:
                found[about.get("PCI_SLOT_NAME", folder.name)] = folder, about
        cards = {}
        for slot, (folder, about) in sorted(found.items()):
            index = self._numbers.setdefault(slot, self._first + len(self._numbers))
            known = self._cards.get(slot)
            is_same = known is not None and known.folder == folder
            cards[slot] = known if known and is_same else _Card(index, folder, about)
        self._cards = cards


class _Card:
    """One card: what never changes is read once, and the files of the rest are found."""

    def __init__(self, index: int, folder: Path, about: dict[str, str]) -> None:
        self.folder, self._index = folder, index
        self._name = _name(folder, about)
        own_bytes = _sum(folder, f"{_OWN}total") or _sum(folder, _TILES)
        self._is_integrated = _is_integrated(folder, about, own_bytes)
        shared_bytes = _sum(folder, f"{_SHARED}total") if self._is_integrated else None
        self._total_bytes = (own_bytes or 0) + (shared_bytes or 0) or None
        held = (_OWN, _SHARED) if shared_bytes else (_OWN,)
        self._held = [KeptFile(at) for place in held for at in folder.glob(f"{place}used")]
        self._files = {name: KeptFile(at) for name, at in _found(folder).items()}
        self._energy = Rate()

    def read(self, now_s: float) -> Gpu:
        held = [_number(file) for file in self._held]
        told = [one for one in held if one is not None]
        return Gpu(
            index=self._index,
            name=self._name,
            memory_used_bytes=sum(told) if held and len(told) == len(held) else None,
            memory_total_bytes=self._total_bytes,
            is_integrated=self._is_integrated,
            **self._measured(now_s),
        )

    def _measured(self, now_s: float) -> dict[str, float | None]:
        """What only a card that is awake tells; nothing draws 0 W, or has 0 °C or 0 MHz."""
        asleep = self._sleeps()
        told = {} if asleep else {name: _number(file) for name, file in self._files.items()}
        percent, energy_uj = told.get("busy_percent"), told.get("energy_uj")
        drawn_w = self._energy.of(None if energy_uj is None else energy_uj / 1e6, now_s)
        return {
            "utilization": percent / 100 if percent is not None and percent <= 100 else None,
            "power_w": (told.get("power_uw") or 0) / 1e6 or drawn_w or None,
            "temperature_c": (told.get("temperature_mc") or 0) / 1e3 or None,
            "clock_mhz": (told.get("clock_hz") or 0) / 1e6 or told.get("clock_mhz") or None,
        }

    def _sleeps(self) -> bool:
        with contextlib.suppress(OSError, KeyError):
            return self._files["state"].read().startswith(b"suspend")
        return False


# --- what is found of a card once ----------------------------------------------------------------


def _about(folder: Path) -> dict[str, str]:
    """Its driver and its place on the bus, as the kernel tells programs of devices."""
    lines = text_of(folder / "device/uevent").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def _name(folder: Path, about: dict[str, str]) -> str:
    pci_id = about.get("PCI_ID", "")
    name = text_of(folder / "device/product_name").strip() or pci_name(pci_id) or pci_id or "GPU"
    maker = _MAKERS[about["DRIVER"]]
    return name if name.startswith(maker) else f"{maker} {name}"


def _is_integrated(folder: Path, about: dict[str, str], own_bytes: int | None) -> bool:
    """Whether it is part of a processor, or as good as; told apart as Ollama does it."""
    if own_bytes is not None and own_bytes < _LEAST_BYTES:
        return True
    if _MAKERS[about["DRIVER"]] == "Intel":
        return own_bytes is None and about.get("PCI_SLOT_NAME", "").endswith(_INTELS_DISPLAY)
    boards = ("device/board_info", "device/mem_info_vram_vendor")  # a card's own memory has a maker
    is_board = any((folder / name).exists() for name in boards)
    return not is_board and (own_bytes or 0) <= _DISPLAYS_MOST_BYTES


def _found(folder: Path) -> dict[str, Path]:
    found = {}
    for name, places in _FILES.items():
        paths = (path for place in places for path in sorted(folder.glob(place)))
        if (path := next(paths, None)) is not None:
            found[name] = path
    sensors = sorted(folder.glob(f"{_SENSORS}/temp*_input"))
    labels = [text_of(at.with_name(at.name.replace("input", "label"))).strip() for at in sensors]
    on_chip = [at for at, label in zip(sensors, labels, strict=True) if label in _ON_CHIP]
    if sensors:
        found["temperature_mc"] = (on_chip or sensors)[0]
    return found


def _sum(folder: Path, place: str) -> int | None:
    told = [_number(KeptFile(path)) for path in folder.glob(place)]
    return sum(one for one in told if one is not None) if told else None


def _number(file: KeptFile) -> int | None:
    """What is written there, where that is a number from 0 on."""
    try:
        number = int(file.read())
    except (OSError, ValueError):
        return None
    return number if number >= 0 else None
