"""What happens in a run, as it happens: the values that `stream` yields and ``on_event`` gets."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Step, ToolCall


@dataclass(frozen=True)
class StepBegan:
    """A request is sent. ``keep_alive`` is what it carries: the chosen one, or a hold's lease."""

    task: str
    model: str
    keep_alive: KeepAlive


@dataclass(frozen=True)
class Text:
    """A piece of text has come."""

    task: str
    model: str
    text: str


@dataclass(frozen=True)
class Thinking:
    """A piece of what the model thinks has come."""

    task: str
    model: str
    text: str


@dataclass(frozen=True)
class ToolsBegan:
    """The tools that an answer has called begin, all at once."""

    task: str
    calls: tuple[ToolCall, ...]


@dataclass(frozen=True)
class ToolsEnded:
    """They have ended: ``error`` of a call says what it raised, ``seconds`` how long all took."""

    task: str
    calls: tuple[ToolCall, ...]
    seconds: float


@dataclass(frozen=True)
class StepEnded:
    """A request has ended, however it ended."""

    task: str
    step: Step


@dataclass(frozen=True)
class RunEnded:
    """The run has ended, however it ended; nothing comes after it."""

    run: Run


RunEvent = StepBegan | Text | Thinking | ToolsBegan | ToolsEnded | StepEnded | RunEnded
"""Any of them. ``task`` is the id of the griptape task; "" for what the structure itself asks for.

Examples
--------
>>> isinstance(Text("", "smollm2:135m", "Hel"), RunEvent)
True
"""
