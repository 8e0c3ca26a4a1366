"""Run inside a machine whose clock may be set: it is set back an hour in the middle of things."""

from __future__ import annotations

import subprocess
import time
from datetime import datetime, timedelta

from trouble_tools import LONG, SMALL, STORY, is_resident, left, until, works

from lifecycle_widgets.agent import AgentRun
from lifecycle_widgets.experiments import ColdAndWarm
from lifecycle_widgets.experiments.face.experiment import Step
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server


def set_back() -> None:
    """Set the clock of this machine back an hour."""
    earlier = datetime.now() - timedelta(hours=1)
    subprocess.run(["date", "-s", earlier.isoformat(" ")], check=True, capture_output=True)
    assert abs((datetime.now() - earlier).total_seconds()) < 60


def main() -> None:
    """Tell what held."""
    with Sandbox(models=[SMALL]) as box, Monitor(Server(box.url)) as monitor:
        server = monitor.server
        run = AgentRun(STORY, model=SMALL, server=server, keep_alive=8, options=LONG).start()
        until(lambda: len(run.answer) > 20 and is_resident(monitor), "the answer has begun", 120.0)
        began_s = time.monotonic()
        set_back()
        reached = len(run.answer)
        until(lambda: len(run.answer) > reached, "the answer goes on")
        run.stop()
        stopped = run.wait(10)
        assert 0 < (stopped.timings.ttft_s or 0) < stopped.timings.total_s < 600, stopped.timings
        until(lambda: left(monitor) == [(SMALL, "expired")], "it expires, by its name", 60.0)
        assert time.monotonic() - began_s >= 8, "and not before its time"
        [stay] = monitor.residencies()
        assert stay.until is not None
        assert timedelta(0) < stay.until - stay.since < timedelta(minutes=10)
        print("KEPT: run and residency", flush=True)

        server.preload(SMALL, 5)
        until(lambda: is_resident(monitor), "resident")
        set_back()  # between a deadline and its coming
        until(lambda: left(monitor) == [(SMALL, "expired")] * 2, "expired again", 60.0)
        first, second = monitor.residencies()
        assert second.since < first.since, "by the clock it came earlier, and yet is the second"
        print("KEPT: order and reason", flush=True)

        def on_step(step: Step) -> None:
            if step.done == 1:
                set_back()

        result = ColdAndWarm(SMALL, rounds=1, server=server).run(on_step=on_step)
        assert result.is_complete
        assert 0 < result.facts["seconds"] < 600
        assert (result.frame["load_s"] > 0).all()
        works(server)
        server.close()
        print("KEPT: experiment", flush=True)


if __name__ == "__main__":
    main()
