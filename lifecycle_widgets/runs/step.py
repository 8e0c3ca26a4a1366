"""Step: one request of a run; and whether the model was loaded for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
    """A tool that the model called: Ollama's name for it, and the arguments."""

    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict, hash=False)


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
    """

    start_s: float
    timings: Timings
    text: str = ""
    thinking: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tools_s: float | None = None
    loaded: bool | None = None
    whole_prompt_tokens: int | None = None

    def __repr__(self) -> str:
        shown = {
            "start_s": self.start_s,
            "timings": self.timings,
            "text": self.text,
            "tool_calls": self.tool_calls or None,
            "tools_s": self.tools_s,
            "loaded": self.loaded,
            "whole_prompt_tokens": self.whole_prompt_tokens,
        }
        return rounded_repr("Step", shown)


def was_loaded(timings: Timings, was_resident: bool | None = None) -> bool | None:
    """Whether a request had to load the model; None: not known.

    Parameters
    ----------
    was_resident:
        Whether the model was in memory just before it, where that was seen. It counts only where
        the server does not tell how long the load took: a model can be loaded anew for other
        options, or by somebody else in the meantime.

    Examples
    --------
    >>> was_loaded(Timings(1.0, load_s=0.55)), was_loaded(Timings(1.0, load_s=0.004), False)
    (True, False)
    """
    if timings.load_s is not None:
        return timings.load_s >= LEAST_LOAD_S
    has_begun = timings.ttft_s is not None
    return True if was_resident is False and has_begun else None
