"""AMD's and Intel's GPUs, by trees of files as Linux's drivers make them (computed)."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets.monitor import Gpu
from lifecycle_widgets.monitor.gpus.pci_names import pci_name
from lifecycle_widgets.monitor.gpus.sysfs import SysfsGpus

pytestmark = pytest.mark.skipif(not psutil.LINUX, reason="such files are Linux's")

GIB = 1 << 30
RADEON = {
    "product_name": "AMD Radeon PRO W7900",
    "board_info": "type : oem",
    "power/runtime_status": "active",
    "gpu_busy_percent": 37,
    "mem_info_vram_used": 3 * GIB,
    "mem_info_vram_total": 48 * GIB,
    "mem_info_gtt_used": 5_000_000,
    "mem_info_gtt_total": 31 * GIB,
    "hwmon/hwmon4/power1_average": 71_500_000,
    "hwmon/hwmon4/temp1_input": 88_000,
    "hwmon/hwmon4/temp1_label": "junction",
    "hwmon/hwmon4/temp2_input": 41_000,
    "hwmon/hwmon4/temp2_label": "edge",
    "hwmon/hwmon4/freq1_input": 1_410_000_000,
}
OF_RADEON = Gpu(0, "AMD Radeon PRO W7900", 0.37, 3 * GIB, 48 * GIB, 71.5, 41.0, 1410.0)
APU = {
    "gpu_busy_percent": 4,
    "mem_info_vram_used": GIB // 4,
    "mem_info_vram_total": GIB // 2,
    "mem_info_gtt_used": GIB,
    "mem_info_gtt_total": 16 * GIB,
    "hwmon/hwmon1/power1_input": 9_000_000,
    "hwmon/hwmon1/temp1_input": 50_000,
}
ARC = {
    "tile0/physical_vram_size_bytes": 12 * GIB,
    "tile0/gt0/freq0/cur_freq": 2_400,
    "hwmon/hwmon2/energy1_input": 50_000_000,
    "hwmon/hwmon2/temp2_input": 45_000,
    "hwmon/hwmon2/temp2_label": "pkg",
}


def put(
    drm: Path, name: str, driver: str, files: Mapping[str, object], slot: str = "0000:03:00.0"
) -> Path:
    """A card as the kernel shows it; the answer is the folder of its device."""
    device = drm.parent / "devices" / slot
    about = f"DRIVER={driver}\nPCI_ID=1002:0000\nPCI_SLOT_NAME={slot}\n"
    for at, content in {"uevent": about, **files}.items():
        path = device / at
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    card, socket = drm / name, drm / f"{name}-DP-1"
    card.mkdir(parents=True)
    socket.mkdir()
    for link in (card, socket):
        (link / "device").symlink_to(device)
    return device


@pytest.fixture
def drm(tmp_path: Path) -> Path:
    return tmp_path / "drm"


def test_a_radeon_tells_all_and_is_read_through_open_files(drm: Path) -> None:
    device = put(drm, "card1", "amdgpu", RADEON)
    gpus = SysfsGpus(drm)
    assert gpus.read() == (OF_RADEON,)
    before = len(os.listdir("/proc/self/fd"))
    (device / "gpu_busy_percent").write_text("99\n")
    assert gpus.read() == (replace(OF_RADEON, utilization=0.99),)
    assert len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize(
    ("file", "content", "untold"),
    [
        ("gpu_busy_percent", "255", "utilization"),
        ("gpu_busy_percent", "", "utilization"),
        ("mem_info_vram_used", "-1", "memory_used_bytes"),
        ("hwmon/hwmon4/power1_average", "0", "power_w"),
        ("hwmon/hwmon4/temp2_input", "n/a", "temperature_c"),
        ("hwmon/hwmon4/freq1_input", None, "clock_mhz"),
    ],
)
def test_what_is_not_told_is_none_and_never_zero(
    drm: Path, file: str, content: str | None, untold: str
) -> None:
    device = put(drm, "card0", "amdgpu", RADEON)
    if content is None:
        (device / file).unlink()
    else:
        (device / file).write_text(content)
    assert SysfsGpus(drm).read() == (replace(OF_RADEON, **{untold: None}),)  # type: ignore[arg-type]


def test_a_card_that_sleeps_is_not_woken(drm: Path) -> None:
    put(drm, "card0", "amdgpu", RADEON | {"power/runtime_status": "suspended"})
    assert SysfsGpus(drm).read() == (Gpu(0, OF_RADEON.name, None, 3 * GIB, 48 * GIB),)


def test_a_processors_gpu_has_what_it_takes_of_main_memory(drm: Path) -> None:
    put(drm, "card0", "amdgpu", APU)
    (gpu,) = SysfsGpus(drm).read()
    name = "AMD 1002:0000"
    told = Gpu(0, name, 0.04, GIB + GIB // 4, 16 * GIB + GIB // 2, 9.0, 50.0, is_integrated=True)
    assert gpu == told


@pytest.mark.parametrize(
    ("driver", "slot", "own_bytes", "more", "is_integrated"),
    [
        ("amdgpu", "0000:c5:00.0", 4 * GIB, {}, True),  # set aside of main memory
        ("amdgpu", "0000:c5:00.0", 96 * GIB, {}, False),  # so much that it is the GPU's alone
        ("amdgpu", "0000:03:00.0", 2 * GIB, {"mem_info_vram_vendor": "samsung"}, False),
        ("amdgpu", "0000:03:00.0", GIB // 2, {"board_info": "type : oem"}, True),  # too small
        ("i915", "0000:00:02.0", None, {}, True),
        ("i915", "0000:03:00.0", None, {}, False),  # its driver does not tell how much
        ("xe", "0000:00:05.0", 12 * GIB, {}, False),  # in a virtual machine
    ],
)
def test_which_cards_have_memory_of_their_own(
    drm: Path, driver: str, slot: str, own_bytes: int | None, more: dict[str, object],
    is_integrated: bool,
) -> None:  # fmt: skip
    place = "tile0/physical_vram_size_bytes" if driver == "xe" else "mem_info_vram_total"
    files = more if own_bytes is None else more | {place: own_bytes}
    put(drm, "card0", driver, files, slot)
    (gpu,) = SysfsGpus(drm).read()
    assert gpu.is_integrated is is_integrated
    assert gpu.memory_total_bytes == own_bytes
    assert gpu.memory_used_bytes is None


def test_an_arc_tells_how_much_energy_it_has_taken(
    drm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    device = put(drm, "card0", "xe", ARC)
    gpus = SysfsGpus(drm)
    first = Gpu(0, "Intel 1002:0000", None, None, 12 * GIB, None, 45.0, 2400.0)
    assert gpus.read() == (first,)
    now_s += 2.0
    (device / "hwmon/hwmon2/energy1_input").write_text("90000000")
    assert gpus.read() == (replace(first, power_w=20.0),)


def test_each_keeps_its_number_and_others_are_no_gpus(
    drm: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now_s)
    for at, driver in enumerate(("nvidia", "ast", "bochs-drm", "virtio-pci", "nouveau")):
        put(drm, f"card{at}", driver, RADEON, f"0000:1{at}:00.0")
    gpus = SysfsGpus(drm, first_index=2)
    assert gpus.read() == ()
    put(drm, "card8", "xe", ARC, "0000:20:00.0")
    assert gpus.read() == (), "it is looked for once a minute"
    now_s += 61.0
    assert [gpu.index for gpu in gpus.read()] == [2]
    put(drm, "card7", "amdgpu", RADEON, "0000:03:00.0")
    now_s += 61.0
    assert [(gpu.index, gpu.name[:3]) for gpu in gpus.read()] == [(3, "AMD"), (2, "Int")]
    (drm / "card8" / "device").unlink()
    now_s += 61.0
    assert [gpu.index for gpu in gpus.read()] == [3]


def test_without_graphics_nothing_is_looked_at(drm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = SysfsGpus(drm)
    assert gpus.read() == ()
    monkeypatch.setattr(os, "listdir", lambda _: pytest.fail("looked at again"))
    assert gpus.read() == ()


def test_names_are_in_the_list_of_pci_devices(tmp_path: Path) -> None:
    listed = tmp_path / "pci.ids"
    listed.write_text(
        "# a list\n1001  Other\n\t744c  No\n1002  Maker\n\t73bf  Navi 21\n\t\t1002 744c  A board\n"
        "# in between\n\t744c  Navi 31 [Radeon RX 7900]\n1003  Next\n\tabcd  Next's\n"
    )
    places = (tmp_path / "absent", listed)
    assert pci_name("1002:744C", places) == "Navi 31 [Radeon RX 7900]"
    assert pci_name("1002:73bf", places) == "Navi 21"
    for unknown in ("1002:abcd", "1002:1002", "1004:744c", "", ".*:....", "1002"):
        assert pci_name(unknown, places) is None
    assert pci_name("1002:744C", places[:1]) is None
