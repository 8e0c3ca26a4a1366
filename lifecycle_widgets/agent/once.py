"""run_agent: one prompt, and its end waited for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.agent.run import AgentRun
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Think
from lifecycle_widgets.server import AnyServer

if TYPE_CHECKING:
    from griptape.tools import BaseTool


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
    on_text: Callable[[str], None] | None = None,
    on_thinking: Callable[[str], None] | None = None,
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
    begun = AgentRun(
        prompt,
        model=model,
        keep_alive=keep_alive,
        server=server,
        options=options,
        tools=tools,
        think=think,
        history=history,
        on_text=on_text,
        on_thinking=on_thinking,
    ).start()
    try:
        return begun.wait()
    except KeyboardInterrupt:
        begun.stop()
        raise
