"""Runs a griptape Agent on Ollama with a keep_alive: streams, meters, and can be stopped.

griptape takes about a second to import, so it is imported when the first run starts, or in the
background by `warm_up`.
"""

from lifecycle_widgets.agent.choices import checked_history, checked_options, checked_think
from lifecycle_widgets.agent.faults import RunFailed
from lifecycle_widgets.agent.once import run_agent
from lifecycle_widgets.agent.run import AgentRun
from lifecycle_widgets.agent.structure import warm_up

__all__ = [
    "AgentRun",
    "RunFailed",
    "checked_history",
    "checked_options",
    "checked_think",
    "run_agent",
    "warm_up",
]
