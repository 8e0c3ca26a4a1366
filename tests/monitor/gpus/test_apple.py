"""Apple's GPUs, by answers of ``ioreg`` written by hand from its driver's keys."""

from __future__ import annotations

import plistlib
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from lifecycle_widgets.monitor import Gpu
from lifecycle_widgets.monitor.gpus.apple import AppleGpus, apple_gpus

TOLD = {
    "Device Utilization %": 42,
    "Renderer Utilization %": 41,
    "Tiler Utilization %": 12,
    "In use system memory": 700_000_000,
    "Alloc system memory": 2_000_000_000,
}
CHIP = {
    "IOClass": "AGXAcceleratorG14X",
    "model": b"Apple M2 Pro\0",
    "gpu-core-count": 19,
    "PerformanceStatistics": TOLD,
}
OF_CHIP = Gpu(
    0, "Apple M2 Pro, 19 cores", 0.42, 700_000_000, psutil.virtual_memory().total,
    is_integrated=True,
)  # fmt: skip


def test_it_tells_how_busy_it_is_and_what_it_has_of_main_memory() -> None:
    assert apple_gpus(plistlib.dumps([CHIP])) == (OF_CHIP,)
    intels = CHIP | {"IOClass": "IntelAccelerator"}
    assert apple_gpus(plistlib.dumps([intels, CHIP])) == (OF_CHIP,)


@pytest.mark.parametrize(
    "told",
    [
        {},
        None,
        {"Device Utilization %": 4200, "In use system memory": -1},
        {"Device Utilization %": "42", "In use system memory": True},
    ],
)
def test_what_is_not_told_is_none(told: Any) -> None:
    entry = {"IOClass": "AGXAcceleratorG13G"}
    if told is not None:
        entry["PerformanceStatistics"] = told
    (gpu,) = apple_gpus(plistlib.dumps([entry]))
    assert (gpu.name, gpu.utilization, gpu.memory_used_bytes) == ("Apple", None, None)


@pytest.mark.parametrize(
    "answer", [b"", b"ioreg: error", b"<plist>", plistlib.dumps({}), plistlib.dumps(["a", 1])]
)
def test_an_answer_that_cannot_be_read_is_no_gpu(answer: bytes) -> None:
    assert apple_gpus(answer) == ()


def test_a_child_is_asked_beside_the_sampler(tmp_path: Path) -> None:
    (tmp_path / "answer").write_bytes(plistlib.dumps([CHIP]))
    program = (
        "import pathlib, sys, time; time.sleep(0.3);"
        "sys.stdout.buffer.write(pathlib.Path(sys.argv[1]).read_bytes());"
        "open(sys.argv[2], 'a').write('asked ')"
    )
    asked = tmp_path / "asked"
    gpus = AppleGpus([sys.executable, "-c", program, str(tmp_path / "answer"), str(asked)])
    began_s = time.monotonic()
    assert gpus.read() == ()
    assert time.monotonic() - began_s < 0.2, "a reading waits for nobody"
    while not gpus.read():
        assert time.monotonic() - began_s < 20
        time.sleep(0.02)
    assert gpus.read() == (OF_CHIP,)
    assert asked.read_text() == "asked "


@pytest.mark.parametrize("command", [["/no/such/program"], [sys.executable, "-c", "exit(1)"]])
def test_where_nobody_answers_there_is_none(command: list[str]) -> None:
    gpus = AppleGpus(command)
    before = set(threading.enumerate())
    assert gpus.read() == ()
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
    assert gpus.read() == ()
