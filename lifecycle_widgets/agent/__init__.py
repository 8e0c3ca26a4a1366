"""Runs a griptape Agent on Ollama with a keep_alive: streams, meters, and can be stopped.

griptape takes about a second to import, so it is imported when the first run starts, or in the
background by `warm_up`.
"""

from lifecycle_widgets.agent.run import AgentRun, RunFailed, run_agent, warm_up

__all__ = ["AgentRun", "RunFailed", "run_agent", "warm_up"]
