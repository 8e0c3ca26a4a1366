"""AgentPanel: a room of its own; `panel.py` has the widget, the others its parts."""

from lifecycle_widgets.widgets.agent_panel.panel import AgentPanel

__all__ = ["AgentPanel"]
