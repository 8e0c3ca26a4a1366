"""Step: one request of a run; and whether the model was loaded for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs.texts import rounded_repr
from lifecycle_widgets.runs.timings import Timings

LEAST_LOAD_S = 0.2
"""A ``load_duration`` from here on is a load.

Ollama asks a runner that loads whether it is ready, and waits a quarter of a second before it asks
again (``WaitUntilRunning`` in llm/llama_server.go, 0.32.15); the first time it never is. So no load
takes less than 0.25 s. Measured with the smallest model, 0.1 GB: loads 0.52 to 0.79 s; requests for
one that was in memory 1 ms, at most 9 ms beside four busy loops on two cores, and 23 ms under a
name that Ollama had not looked up before.
"""


@dataclass(frozen=True)
class ToolCall:
    """A tool that the model called: Ollama's name for it, and the arguments.

    ``error`` is what it raised, in a sentence (griptape tells the model so, and the run goes on);
    None for a call that went well, or whose end was not reached.
    """

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)
    error: str | None = None


@dataclass(frozen=True, repr=False)
class Step:
    """One request of a run, and the tools that its answer called.

    Parameters
    ----------
    start_s:
        When it was sent, in seconds since the run's start.
    timings:
        The request alone, from when it was sent.
    text, thinking, tool_calls:
        What came.
    tools_s:
        How long the tools took that it called (those of one step run at once); None when none ran.
    loaded:
        Whether the model was loaded for it; None when it is not known.
    whole_prompt_tokens:
        About how many tokens its prompt has, of which the model saw ``timings.prompt_tokens``; None
        where nothing says that it did not see them all.
    task:
        The id of the griptape task that it belongs to; of what a structure asks for itself (its
        memory's summary) "".
    model:
        The model that was asked; "" in runs of one model that were saved before this was told.
    keep_alive:
        What it was sent with: the chosen one, or the lease of a hold. None: that is not told.
    kind:
        "chat", or "embed" for a request for an embedding, of whose time Ollama tells nothing.
    """

    start_s: float
    timings: Timings
    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tools_s: float | None = None
    loaded: bool | None = None
    whole_prompt_tokens: int | None = None
    task: str = ""
    model: str = ""
    keep_alive: KeepAlive | None = None
    kind: str = "chat"

    @property
    def end_s(self) -> float:
        """When it and its tools had ended, in seconds since the run's start."""
        return self.start_s + self.timings.total_s + (self.tools_s or 0.0)

    def __repr__(self) -> str:
        shown = {
            "task": self.task or None,
            "model": self.model or None,
            "keep_alive": self.keep_alive,
            "kind": None if self.kind == "chat" else self.kind,
            "start_s": self.start_s,
            "timings": self.timings,
            "text": self.text,
            "tool_calls": self.tool_calls or None,
            "tools_s": self.tools_s,
            "loaded": self.loaded,
            "whole_prompt_tokens": self.whole_prompt_tokens,
        }
        return rounded_repr("Step", shown)


def was_loaded(
    timings: Timings, was_resident: bool | None = None, *, kind: str = "chat"
) -> bool | None:
    """Whether a request had to load the model; None: not known.

    Parameters
    ----------
    was_resident:
        Whether the model was in memory just before it, where that was seen. It counts only where
        the server does not tell how long the load took: a model can be loaded anew for other
        options, or by somebody else in the meantime.
    kind:
        The step's: of an embedding no load is told, but one that took less than any load does had
        none.

    Examples
    --------
    >>> was_loaded(Timings(1.0, load_s=0.55)), was_loaded(Timings(1.0, load_s=0.004), False)
    (True, False)
    """
    if timings.load_s is not None:
        return timings.load_s >= LEAST_LOAD_S
    if kind == "embed":
        return False if timings.total_s < LEAST_LOAD_S else None
    has_begun = timings.ttft_s is not None
    return True if was_resident is False and has_begun else None
