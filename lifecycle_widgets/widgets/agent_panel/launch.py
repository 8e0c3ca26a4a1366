"""The run that a panel's choices come to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lifecycle_widgets.agent import AgentRun, StructureRun
from lifecycle_widgets.agent.structures.staged import checked_structure
from lifecycle_widgets.widgets.agent_panel.traits import PanelTraits


def whole_structure(structure: Any, own: Mapping[str, Any]) -> Any:
    """The person's structure, if it is one, and nothing was given that it has itself.

    Raises
    ------
    ValueError
        Says what is wrong.
    """
    given = [name for name, value in own.items() if value]
    if given:
        kind = type(structure).__name__
        raise ValueError(f"The {kind} has its own {' and '.join(given)}: set them there.")
    return checked_structure(structure)


def structure_run(
    panel: PanelTraits, prompt: str, hold: bool | None, heard: Mapping[str, Any] | None = None
) -> StructureRun:
    """A run of the person's own structure, which is not started.

    Parameters
    ----------
    heard:
        Who is told of it, by `StructureRun`'s keywords.
    """
    chosen = None if panel.keep_alive.is_default else panel.keep_alive
    return StructureRun(
        panel.structure,
        prompt,
        server=panel.server,
        keep_alive=chosen,
        hold=hold,
        **(heard or {}),
    )


def agent_run(panel: PanelTraits, memory: Any, heard: Mapping[str, Any]) -> AgentRun:
    """A run of an agent that is made of what is chosen in the panel; it is not started either."""
    return AgentRun(
        panel.prompt,
        server=panel.server,
        model=panel.model,
        keep_alive=panel.keep_alive,
        options=panel.options,
        think=panel.think,
        rules=panel.rules,
        tools=panel.tools,
        memory=memory,
        hold=panel.hold,
        **heard,
    )
