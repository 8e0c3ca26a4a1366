"""Repeatable measurements of what a keep_alive costs and saves, on the reader's own machine.

Each experiment says in ``plan()`` what it will do and for how long, measures in ``run()``, can be
stopped, and gives a `Result`: ``.frame``, ``.figure``, ``.verdict``, ``.save(folder)``.

==============  ==============================================================================
`ColdAndWarm`   one model: cold (from disk), cold (page cache), warm: what a load costs
`Downstream`    an ordinary task after an agent: does the model left in memory slow it down?
`InTurn`        several models called in turn: who is resident when, waiting, reloads, memory
`InARow`        one model, calls with gaps: waiting against memory held, and the break-even T*
`InALoop`       an agent with tools, a pipeline: plain, held, kept: reloads, seconds, memory held
==============  ==============================================================================
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_HOMES = {
    "load.cold_and_warm": ("ColdAndWarm",),
    "load.cold_and_warm_result": ("ColdAndWarmResult",),
    "ground.consent": ("NeedsConsent",),
    "shortage.downstream": ("Downstream",),
    "shortage.downstream_result": ("DownstreamResult",),
    "face.experiment": ("Experiment", "ExperimentFailed"),
    "frames": ("compare_runs", "run_frame"),
    "loop.in_a_loop": ("InALoop",),
    "loop.in_a_loop_result": ("InALoopResult",),
    "arms.in_a_row": ("InARow",),
    "arms.in_a_row_result": ("InARowResult",),
    "arms.in_turn": ("InTurn", "InTurnResult"),
    "loop.loops": ("ANSWERS",),
    "face.plan": ("Plan", "Step"),
    "face.result": ("Result",),
    "saved": ("load_result",),
    "statistics": ("Interval", "median_interval", "ratio_interval"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [*_HOME_OF]

if TYPE_CHECKING:
    from lifecycle_widgets.experiments.arms.in_a_row import InARow as InARow
    from lifecycle_widgets.experiments.arms.in_a_row_result import InARowResult as InARowResult
    from lifecycle_widgets.experiments.arms.in_turn import InTurn as InTurn
    from lifecycle_widgets.experiments.arms.in_turn import InTurnResult as InTurnResult
    from lifecycle_widgets.experiments.face.experiment import Experiment as Experiment
    from lifecycle_widgets.experiments.face.experiment import ExperimentFailed as ExperimentFailed
    from lifecycle_widgets.experiments.face.plan import Plan as Plan
    from lifecycle_widgets.experiments.face.plan import Step as Step
    from lifecycle_widgets.experiments.face.result import Result as Result
    from lifecycle_widgets.experiments.frames import compare_runs as compare_runs
    from lifecycle_widgets.experiments.frames import run_frame as run_frame
    from lifecycle_widgets.experiments.ground.consent import NeedsConsent as NeedsConsent
    from lifecycle_widgets.experiments.load.cold_and_warm import ColdAndWarm as ColdAndWarm
    from lifecycle_widgets.experiments.load.cold_and_warm_result import (
        ColdAndWarmResult as ColdAndWarmResult,
    )
    from lifecycle_widgets.experiments.loop.in_a_loop import InALoop as InALoop
    from lifecycle_widgets.experiments.loop.in_a_loop_result import InALoopResult as InALoopResult
    from lifecycle_widgets.experiments.loop.loops import ANSWERS as ANSWERS
    from lifecycle_widgets.experiments.saved import load_result as load_result
    from lifecycle_widgets.experiments.shortage.downstream import Downstream as Downstream
    from lifecycle_widgets.experiments.shortage.downstream_result import (
        DownstreamResult as DownstreamResult,
    )
    from lifecycle_widgets.experiments.statistics import Interval as Interval
    from lifecycle_widgets.experiments.statistics import median_interval as median_interval
    from lifecycle_widgets.experiments.statistics import ratio_interval as ratio_interval


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value  # the next look-up does not come here
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
