"""The long run of tests/bodies: changed bodies by the ten thousand, none of which may escape."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, Phase, given, settings

from tests.bodies.trial import BODIES, Trials, trials
from tests.recorded import Answer

if TYPE_CHECKING:
    from lifecycle_widgets.server import Server

_LEAST_BODIES = 10_000
_EXAMPLES_AT_ONCE = 200

# how many of the trials each takes part in, one in so many
READERS: dict[str, tuple[Callable[[Trials, Server], None], int]] = {
    "Server, all questions": (Trials.server, 1),
    "Monitor": (Trials.monitor, 2),
    "ModelPicker": (Trials.widgets, 2),
    "experiments, plan()": (Trials.experiments, 8),
    "run_agent": (Trials.run, 2),
    "TuningLab": (Trials.lab, 40),
}


def bench_bodies() -> None:
    """Until there were enough; stops at the first that escapes, with the body that did it."""
    counts, began_s = dict.fromkeys(READERS, 0), time.monotonic()
    done = 0
    with trials() as trial:

        @settings(
            max_examples=_EXAMPLES_AT_ONCE,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        @given(BODIES)
        def check(told: Mapping[str, Answer]) -> None:
            nonlocal done
            done += 1
            for name, (read, each) in READERS.items():
                if done % each == 0:
                    read(trial, trial.set(told))
                    counts[name] += 1
            trial.bodies -= len(told) * (sum(done % e == 0 for _, e in READERS.values()) - 1)
            trial.check_threads()

        while trial.bodies < _LEAST_BODIES:
            check()
    print(f"{'bodies changed, none of which escapes':58} {trial.bodies}")
    for name, count in counts.items():
        print(f"{'  trials of ' + name:58} {count}")
    print(f"{'  readings of the monitor, none of which is lost':58} {trial.readings}")
    print(f"{'  questions refused with an exception of ours':58} {trial.refused}")
    print(f"{'  it took':58} {time.monotonic() - began_s:.0f} s")
