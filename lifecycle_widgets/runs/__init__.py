"""What a run of an agent, and each of its requests, was and cost. Plain values.

``Run`` is the whole of it, `Step` one request of it, `Timings` where its time went; `load_runs`
reads what `Run.save` wrote.
"""

from lifecycle_widgets.runs.run import Run
from lifecycle_widgets.runs.saved import load_runs
from lifecycle_widgets.runs.step import Step, ToolCall, was_loaded
from lifecycle_widgets.runs.texts import (
    clock_text,
    counted,
    duration_text,
    host_name,
    options_text,
    seconds_text,
    size_text,
)
from lifecycle_widgets.runs.timings import Timings
from lifecycle_widgets.runs.values import Think

__all__ = [
    "Run",
    "Step",
    "Think",
    "Timings",
    "ToolCall",
    "clock_text",
    "counted",
    "duration_text",
    "host_name",
    "load_runs",
    "options_text",
    "seconds_text",
    "size_text",
    "was_loaded",
]
