"""What is run in a loop: a person's own structures, or two of ours: an agent and a pipeline.

Both of ours show what keep_alive does between the requests of one run. The agent has a tool, so
that it asks its model once more after each call. The pipeline has the same agent's task, and then
one of another model, which works when the first is not needed any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.agent.structures.seats import seats_of
from lifecycle_widgets.runs import Think

if TYPE_CHECKING:
    from griptape.tasks import PromptTask
    from griptape.tools import BaseTool

AGENT, PIPELINE = "an agent with a tool", "a pipeline of two models"
PROMPT = (
    "How warm is it in the kitchen, and how warm in the cellar? Read the thermometer once for "
    "each, one after the other; then say which is warmer."
)
NEXT = "Say in one sentence where a bottle of wine keeps better, when this is so: "

ANSWERS: dict[str, list[Any]] = {
    "scripted": [
        {"tool_calls": [{"name": "Thermometer_read", "arguments": {"room": "kitchen"}}]},
        {"tool_calls": [{"name": "Thermometer_read", "arguments": {"room": "cellar"}}]},
        "It is 21 degrees in the kitchen and 12 degrees in the cellar, so the kitchen is warmer.",
    ],
    "scripted-writer": [
        "A bottle of wine keeps better in the cellar, where it is cool and stays so all the year."
    ],
}
"""What a `Sandbox` is given as ``answers``, so that its models do as a capable one would."""

_OPTIONS = {"num_predict": 300, "temperature": 0, "seed": 0}
_TOOL_S = 0.1
_DEGREES = {"kitchen": "21 degrees", "cellar": "12 degrees"}


@dataclass(frozen=True)
class Loop:
    """A structure that is run again and again, each time made anew.

    Parameters
    ----------
    name:
        How it is called in tables and figures.
    make:
        Makes one: a griptape Agent, PromptTask, Pipeline or Workflow.
    prompt:
        What it is asked.
    """

    name: str
    make: Callable[[], Any]
    prompt: str

    @cached_property
    def models(self) -> tuple[str, ...]:
        """The models that it asks, in order. Raises ValueError for none."""
        found = tuple(dict.fromkeys(seat.driver.model for seat in seats_of(self.make())))
        if not found:
            raise ValueError(f"{self.name} asks no model of Ollama's.")
        return found


def loops_of(structures: Any, prompt: str) -> tuple[Loop, ...]:
    """A person's own: one callable, or a mapping name -> (callable, prompt).

    Raises
    ------
    TypeError
        For anything else.

    Examples
    --------
    >>> loops_of({"mine": (dict, "Hello.")}, "")
    (Loop(name='mine', make=<class 'dict'>, prompt='Hello.'),)
    """
    if callable(structures):
        return (Loop(getattr(structures, "__name__", "yours"), structures, prompt),)
    named = structures.items() if isinstance(structures, Mapping) else ()
    pairs = [(name, one if isinstance(one, tuple) else (one, prompt)) for name, one in named]
    if not pairs or not all(len(pair) == 2 and callable(pair[0]) for _, pair in pairs):
        raise TypeError(
            "structures: give a function that makes a griptape structure, or a mapping from names "
            "to (function, prompt). Each round gets a new one, so that none remembers the last."
        )
    return tuple(Loop(str(name), make, text) for name, (make, text) in pairs)


def ours(model: str, writer: str | None, think: Think) -> tuple[Loop, ...]:
    """The agent with a tool, and, where there is a second model, the pipeline."""

    def agent() -> Any:
        from griptape.structures import Agent

        return Agent(tasks=[_with_a_tool(model, think)], conversation_memory=None)

    def pipeline() -> Any:
        from griptape.structures import Pipeline

        first = _with_a_tool(model, think)
        second = _task(NEXT + "{{ parent_output }}", str(writer), think)
        return Pipeline(tasks=[first, second], conversation_memory=None)

    loops = [Loop(AGENT, agent, PROMPT)]
    return (*loops, Loop(PIPELINE, pipeline, PROMPT)) if writer is not None else tuple(loops)


def _with_a_tool(model: str, think: Think) -> PromptTask:
    return _task("{{ args[0] }}", model, think, [thermometer()])


def _task(text: str, model: str, think: Think, tools: list[BaseTool] | None = None) -> PromptTask:
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.tasks import PromptTask

    asked = {} if think is None else {"think": think}
    driver = OllamaPromptDriver(model=model, options=dict(_OPTIONS), extra_params=asked)
    return PromptTask(text, prompt_driver=driver, tools=tools or [])


def thermometer() -> BaseTool:
    """A tool that tells how warm a room is, and takes a tenth of a second for it."""
    import time

    from griptape.artifacts import TextArtifact
    from griptape.tools import BaseTool
    from griptape.utils.decorators import activity
    from schema import Schema

    about = {
        "description": "Reads the thermometer in a room, the kitchen or the cellar.",
        "schema": Schema({"room": str}),
    }

    class Thermometer(BaseTool):  # type: ignore[misc]  # griptape's have no types
        @activity(config=about)  # type: ignore[untyped-decorator]
        def read(self, room: str) -> TextArtifact:
            time.sleep(_TOOL_S)
            return TextArtifact(_DEGREES.get(room, "There is no thermometer."))

    return Thermometer(install_dependencies_on_init=False)
