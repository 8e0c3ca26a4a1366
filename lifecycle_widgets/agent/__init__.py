"""Runs griptape structures on Ollama with a keep_alive: streams, meters, holds, and can be stopped.

griptape takes about a second to import, so it is imported when the first run starts, or in the
background by `warm_up`.
"""

from lifecycle_widgets.agent.agent_run import AgentRun
from lifecycle_widgets.agent.choices import (
    checked_history,
    checked_keep_alives,
    checked_options,
    checked_rules,
    checked_think,
)
from lifecycle_widgets.agent.events import (
    RunEnded,
    RunEvent,
    StepBegan,
    StepEnded,
    Text,
    Thinking,
    ToolsBegan,
    ToolsEnded,
)
from lifecycle_widgets.agent.faults import RunFailed, RunTimedOut
from lifecycle_widgets.agent.once import run, run_agent, stream
from lifecycle_widgets.agent.structure_run import StructureRun
from lifecycle_widgets.agent.structures.made import new_memory, warm_up

__all__ = [
    "AgentRun",
    "RunEnded",
    "RunEvent",
    "RunFailed",
    "RunTimedOut",
    "StepBegan",
    "StepEnded",
    "StructureRun",
    "Text",
    "Thinking",
    "ToolsBegan",
    "ToolsEnded",
    "checked_history",
    "checked_keep_alives",
    "checked_options",
    "checked_rules",
    "checked_think",
    "new_memory",
    "run",
    "run_agent",
    "stream",
    "warm_up",
]
