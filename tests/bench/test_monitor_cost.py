"""The bench's clock: what a process takes, from outside."""

from __future__ import annotations

import sys

import pytest

from tests.bench.monitor.cost import share_of_a_core

TENTH = """
import time
while True:
    time.sleep(0.009)
    began_s = time.process_time()
    while time.process_time() < began_s + 0.001:
        pass
"""


def test_a_share_is_that_of_the_process() -> None:
    idle = (sys.executable, "-S", "-c", "import time; time.sleep(60)")
    assert share_of_a_core(idle, 0.3, warm_up_s=0.3) < 0.002
    busy = share_of_a_core((sys.executable, "-S", "-c", TENTH), 0.6, warm_up_s=0.3)
    assert 0.02 < busy < 0.15  # less where the machine is busy: then it sleeps longer


def test_one_that_has_ended_is_no_figure() -> None:
    with pytest.raises(RuntimeError, match="has ended with 3"):
        share_of_a_core((sys.executable, "-S", "-c", "raise SystemExit(3)"), 0.1, warm_up_s=0.3)
