"""The clock set back an hour.

Not on the machine that runs the tests: in a kernel of User Mode Linux, which has a clock of its
own, everything runs (Ollama, its runner, the monitor). And the residencies once more, as values.
"""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from lifecycle_widgets.monitor import Runner, Sample, residencies
from lifecycle_widgets.server import Resident
from tests.experiments.shortage.user_mode_linux import WHY_NOT, boot, make_disk
from tests.sandbox.sandbox_tools import ROOT

AT = datetime(2026, 11, 22, 12, 0, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
INIT = """#!/bin/sh
mount -t proc none /proc
mount -t tmpfs none /mnt
mount -t devtmpfs none /dev 2> /dev/null
ip link set lo up 2> /dev/null || ifconfig lo up
export TMPDIR=/mnt HOME={home} PATH={path}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PYTHONPATH={root}:{root}/tests/trouble PYTHONDONTWRITEBYTECODE=1
echo BOOTED
cd {root}
{python} {root}/tests/trouble/clock_set_back.py 2>&1 && echo HELD
echo o > /proc/sysrq-trigger
sleep 5
"""


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="a minute: LIFECYCLE_LONG=1")
@pytest.mark.skipif(WHY_NOT is not None, reason=str(WHY_NOT))
def test_with_the_clock_set_back_an_hour_all_goes_on(tmp_path: Path) -> None:
    init = tmp_path / "init"
    paths = {"home": Path.home(), "path": Path(sys.executable).parent, "root": ROOT}
    init.write_text(INIT.format(python=sys.executable, **paths))
    init.chmod(0o755)
    root = ["root=/dev/root", "rootfstype=hostfs", "rootflags=/", f"init={init}"]
    before, booted, told = boot([make_disk(tmp_path / "disk", 1 << 24)], *root).partition("BOOTED")
    if not booted:
        pytest.skip(f"User Mode Linux does not run here: {before[-500:]}")
    assert told.count("KEPT") == 3, told
    assert "HELD" in told, told


def sample(t_s: float, expires_at: datetime | None, back: timedelta = timedelta(0)) -> Sample:
    """A sample at so many seconds, with one model in memory or none."""
    listed = [] if expires_at is None else [Resident("a:latest", 1, 0, expires_at, 4096, "d")]
    return Sample(
        at=AT + timedelta(seconds=t_s) - back,
        t_s=t_s,
        ram_used_bytes=1,
        ram_total_bytes=2,
        cpu_fraction=0.0,
        runners=tuple(Runner(7, 1, "a:latest") for _ in listed),
        gpus=(),
        residents=tuple(listed),
    )


def test_a_deadline_means_what_it_did_before_the_clock_was_set_back() -> None:
    due = AT + timedelta(seconds=5)
    seen = [sample(0.0, due), sample(0.5, due)]
    seen += [sample(t / 2, due, HOUR) for t in range(2, 10)] + [sample(5.5, None, HOUR)]
    [stay] = residencies(seen)
    assert stay.why == "expired"
    assert stay.until == AT + timedelta(seconds=5.5)


def test_who_leaves_early_after_the_clock_was_set_back_has_not_expired() -> None:
    due = AT + timedelta(seconds=50)
    seen = [sample(0.0, due), sample(0.5, due, HOUR), sample(1.0, None, HOUR)]
    [stay] = residencies(seen)
    assert stay.why == "unknown"


def test_a_clock_that_is_set_forward_ends_no_deadline() -> None:
    due = AT + timedelta(minutes=5)
    seen = [sample(0.0, due), sample(0.5, due, -HOUR), sample(1.0, None, -HOUR)]
    [stay] = residencies(seen)
    assert stay.why == "unknown"
    assert stay.until == AT + timedelta(seconds=1.0) + HOUR
