"""What a run of the magic is made of: the server, the model, and things of a person's notebook."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle_widgets.agent import AgentRun, RunEvent, StructureRun
from lifecycle_widgets.magic.arguments import Arguments
from lifecycle_widgets.server import Server, smallest_chat_models


@dataclass
class LastUsed:
    """What the last cell used, for the next one that names nothing."""

    server: Server | None = None
    model: str | None = None

    def note(self, run: StructureRun) -> None:
        """A run has begun well; a structure's models are its own matter."""
        if isinstance(run, AgentRun):
            self.server, self.model = run.server, run.model


def chosen_run(
    asked: Arguments,
    variables: Mapping[str, Any],
    last: LastUsed,
    on_event: Callable[[RunEvent], None],
) -> StructureRun:
    """The run that was asked for, not started yet.

    Raises
    ------
    ValueError, TypeError, LookupError
        For what is wrong with a choice, in a sentence.
    ServerUnreachable, ServerError, SandboxError
    """
    common: dict[str, Any] = {
        "keep_alive": asked.keep_alive,
        "hold": asked.hold,
        "timeout_s": asked.timeout_s,
        "on_event": on_event,
    }
    if asked.structure is not None:
        structure = _variable(asked.structure, variables)
        where = None if asked.server is None else _server(asked.server, variables)
        return StructureRun(structure, asked.prompt, server=where, **common)
    if not asked.prompt.strip():
        raise ValueError("The prompt is empty. Write what to ask the model behind the options.")
    tools = [tool for name in asked.tools for tool in _tools(name, variables)]
    server = _server(asked.server, variables) if asked.server else last.server or Server.find()
    return AgentRun(
        asked.prompt,
        model=asked.model or _model(server, last),
        server=server,
        options=asked.options,
        tools=tools,
        think=asked.think,
        rules=asked.rules,
        **common,
    )


def _server(named: str, variables: Mapping[str, Any]) -> Server:
    """A Server or a Sandbox of the notebook by its name, else an address."""
    known = variables.get(named)
    return Server.of(named if known is None else known)


def _model(server: Server, last: LastUsed) -> str:
    if last.model and last.server is not None and last.server.url == server.url:
        return last.model
    return smallest_chat_models(server)[0]


def _tools(name: str, variables: Mapping[str, Any]) -> list[Any]:
    """A tool, or a list of them."""
    found = _variable(name, variables)
    tools = list(found) if isinstance(found, (list, tuple)) else [found]
    for tool in tools:
        if not hasattr(tool, "activities"):
            raise ValueError(f"{name} has a {type(tool).__name__}, which is no tool of griptape's.")
    return tools


def _variable(name: str, variables: Mapping[str, Any]) -> Any:
    if name in variables:
        return variables[name]
    near = difflib.get_close_matches(name, [v for v in variables if not v.startswith("_")], n=1)
    hint = f" Did you mean {near[0]}?" if near else ""
    raise ValueError(f"There is no variable {name!r} here.{hint}")
