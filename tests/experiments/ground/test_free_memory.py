"""How much memory there is to be had: the machine's, and what a real control group leaves of it."""

from __future__ import annotations

import subprocess
import sys

import psutil
import pytest

from lifecycle_widgets.experiments.ground.free_memory import free_memory_bytes
from lifecycle_widgets.experiments.shortage.shortage import Shortage

WHY_NOT = Shortage.why_not()
MB = 1_000_000
TELLS = """
import sys
from lifecycle_widgets.experiments.ground.free_memory import free_memory_bytes
sys.stdin.readline()
before = free_memory_bytes()
with open(sys.argv[1], "wb") as file:
    file.write(bytes(50_000_000))  # page cache, which gives way
cached = free_memory_bytes()
held = bytearray(60_000_000)
print(before, cached, free_memory_bytes())
"""


def test_it_is_some_of_the_machines() -> None:
    assert 50 * MB < free_memory_bytes() <= psutil.virtual_memory().total


@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
def test_in_a_control_group_it_is_what_the_group_leaves(tmp_path: object) -> None:
    command = [sys.executable, "-c", TELLS, f"{tmp_path}/file"]
    with Shortage(400 * MB) as shortage:
        child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        shortage.adopt(child.pid)
        told, _ = child.communicate("\n", timeout=60)
    before, cached, held = map(int, told.split())
    assert 300 * MB < before <= 400 * MB
    assert cached == pytest.approx(before, abs=20 * MB), "page cache is not lost"
    assert cached - held == pytest.approx(60 * MB, abs=10 * MB)
