"""One line each: run a structure or a prompt and wait for its end, or stream it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.agent.agent_run import AgentRun
from lifecycle_widgets.agent.faces import STOPPED
from lifecycle_widgets.agent.structure_run import StructureRun
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Think
from lifecycle_widgets.server import AnyServer
from lifecycle_widgets.waiting import told_if_interrupted

if TYPE_CHECKING:
    from griptape.memory.structure import BaseConversationMemory
    from griptape.tools import BaseTool

    from lifecycle_widgets.agent.events import RunEvent


def run(
    structure: Any,
    *args: Any,
    server: AnyServer = None,
    keep_alive: KeepAlive | str | float | Mapping[str, Any] | None = None,
    hold: bool | None = None,
    timeout_s: float | None = None,
    on_text: Callable[[str], None] | None = None,
    on_thinking: Callable[[str], None] | None = None,
    on_event: Callable[[RunEvent], None] | None = None,
) -> Run:
    """Run a person's own griptape structure, and wait for its end.

    Parameters are those of `StructureRun`. An interrupt (the kernel's stop button, Ctrl-C) stops
    the run and the server's generating.

    Returns
    -------
    Run
        ``run.answer``, ``run.timings``, ``run.parts`` (where the time went), ``run.steps`` (each
        request), ``run.loads``, ``run.note``. The structure itself has its output, as always.

    Raises
    ------
    ValueError, RuntimeError, UnknownModel, ServerUnreachable, ServerError, RunFailed

    Examples
    --------
    >>> from griptape.drivers.prompt.ollama import OllamaPromptDriver
    >>> from griptape.structures import Agent
    >>> agent = Agent(prompt_driver=OllamaPromptDriver(model="smollm2:135m"))
    >>> [step.model for step in run(agent, "Say hello.", keep_alive=0).steps]
    ['smollm2:135m']
    """
    return _ended(
        StructureRun(
            structure,
            *args,
            server=server,
            keep_alive=keep_alive,
            hold=hold,
            timeout_s=timeout_s,
            on_text=on_text,
            on_thinking=on_thinking,
            on_event=on_event,
        )
    )


def stream(structure: Any, *args: Any, **choices: Any) -> StructureRun:
    """A run of a person's own griptape structure, to iterate: ``for event in stream(...)``.

    It begins with the first event that is asked for. ``async for`` and ``await`` take it as well;
    who leaves the loop early, or cancels the task, stops the run.

    Parameters are those of `StructureRun`.

    Examples
    --------
    >>> from griptape.drivers.prompt.ollama import OllamaPromptDriver
    >>> from griptape.structures import Agent
    >>> agent = Agent(prompt_driver=OllamaPromptDriver(model="smollm2:135m"))
    >>> events = [type(event).__name__ for event in stream(agent, "Say hello.")]
    >>> events[0], events[-2:]
    ('StepBegan', ['StepEnded', 'RunEnded'])
    """
    return StructureRun(structure, *args, **choices)


def run_agent(
    prompt: str,
    *,
    model: str,
    keep_alive: KeepAlive | str | float | None = None,
    server: AnyServer = None,
    options: Mapping[str, Any] | None = None,
    tools: Sequence[BaseTool] = (),
    think: Think = None,
    history: Sequence[tuple[str, str]] = (),
    rules: Sequence[str] = (),
    memory: BaseConversationMemory | None = None,
    hold: bool | None = None,
    timeout_s: float | None = None,
    on_text: Callable[[str], None] | None = None,
    on_thinking: Callable[[str], None] | None = None,
    on_event: Callable[[RunEvent], None] | None = None,
) -> Run:
    """Run one prompt as a griptape Agent, and wait for its end.

    Parameters are those of `AgentRun`. An interrupt (the kernel's stop button, Ctrl-C) stops the
    run and the server's generating.

    Returns
    -------
    Run
        ``run.answer``, ``run.thinking``, ``run.timings`` (``.load_s``, ``.ttft_s``, ``.total_s``,
        ``.tokens_per_s``), ``run.parts`` (where the time went), ``run.steps``, ``run.note`` (what a
        reader should know of it).

    Raises
    ------
    ValueError, UnknownModel, ServerUnreachable, ServerError, RunFailed

    Examples
    --------
    >>> run = run_agent("Say hello.", model="smollm2:135m", keep_alive=0)
    >>> run.timings.load_s < run.timings.ttft_s < run.timings.total_s
    True
    """
    return _ended(
        AgentRun(
            prompt,
            model=model,
            keep_alive=keep_alive,
            server=server,
            options=options,
            tools=tools,
            think=think,
            history=history,
            rules=rules,
            memory=memory,
            hold=hold,
            timeout_s=timeout_s,
            on_text=on_text,
            on_thinking=on_thinking,
            on_event=on_event,
        )
    )


def _ended(begun: StructureRun) -> Run:
    with told_if_interrupted(STOPPED):
        try:
            return begun.start().wait()  # type: ignore[no-any-return]
        except KeyboardInterrupt:  # before it waits
            begun.stop()
            raise
