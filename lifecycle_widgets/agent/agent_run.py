"""AgentRun: one prompt, run as a griptape Agent that is made for it."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.agent.choices import (
    checked_history,
    checked_hold,
    checked_options,
    checked_rules,
    checked_think,
)
from lifecycle_widgets.agent.record.asked_for import Asked
from lifecycle_widgets.agent.structure_run import StructureRun
from lifecycle_widgets.agent.structures.made import made_agent, turns_of
from lifecycle_widgets.agent.structures.staged import Staged
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Think
from lifecycle_widgets.server import AnyServer, Server

if TYPE_CHECKING:
    from griptape.memory.structure import BaseConversationMemory
    from griptape.tools import BaseTool

    from lifecycle_widgets.agent.events import RunEvent


class AgentRun(StructureRun):
    """One prompt, run as a griptape Agent on Ollama, streamed, metered, held, and stoppable.

    Parameters
    ----------
    prompt:
        Sent as it is: ``{{ }}`` and ``{% %}`` mean nothing in it.
    model:
        An installed model.
    keep_alive:
        What `KeepAlive` takes. None: not sent. One that decides anew (``AdaptiveKeepAlive``) is
        asked before each request; the `Run` has what was sent.
    server:
        The Ollama to use: a Server, an address, a Sandbox. Without one, `Server.find` looks for it.
    options:
        Ollama's options (``num_predict``, ``temperature``, ``num_ctx`` ...), over griptape's own.
    tools:
        griptape tools for the agent.
    think:
        Whether a model that can is to think before it answers: False, True, or how much: "low",
        "medium", "high". None: not sent; then a model that can think does.
    history:
        Earlier turns of the conversation, which are sent before the prompt, as they are: pairs of
        what was asked and what was answered.
    rules:
        What the agent is to keep to, each a sentence; griptape sends them as the system's message.
    memory:
        A griptape conversation memory, in place of ``history``: its turns are sent, and this one is
        added when the run has ended well.
    hold:
        Whether the model is held between its requests; see `StructureRun`. None: where there are
        tools and the keep_alive is shorter than the lease.
    timeout_s:
        Seconds after which the run is stopped, and fails with `RunTimedOut`; None: no limit.
    on_text:
        Called with each piece of text, in the run's thread.
    on_thinking:
        Called with each piece of what the model thinks, in the run's thread.
    on_event:
        Called with each `RunEvent`, in a thread of the run.
    on_done:
        Called once with the `Run`, whatever happened.

    Raises
    ------
    ValueError
        At once, for an empty prompt, no model, a server that is none, what Ollama would reject as
        a keep_alive or think, a history that is none, what means nothing in options, or a hold
        without a keep_alive.

    Examples
    --------
    >>> AgentRun("  ", model="smollm2:135m", server=Server("localhost"))
    Traceback (most recent call last):
    ValueError: The prompt is empty. Write what to ask the model.
    """

    def __init__(
        self,
        prompt: str,
        *,
        model: str,
        server: AnyServer = None,
        keep_alive: KeepAlive | str | float | None = None,
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
        on_done: Callable[[Run], None] | None = None,
    ) -> None:
        if not isinstance(prompt, str) or not prompt.strip():
            raise ValueError("The prompt is empty. Write what to ask the model.")
        if not model:
            raise ValueError("No model is chosen. Choose one of the installed models.")
        self.prompt, self._model = prompt, model
        self.keep_alive, self.think = KeepAlive.of(keep_alive), checked_think(think)
        self._hold = checked_hold(hold, [self.keep_alive])
        self._options, self._tools = checked_options(options), list(tools)
        self._rules, self._memory = checked_rules(rules), memory
        if memory is not None and history:
            raise ValueError("Give history or memory, not both: either says what came before.")
        self.history = checked_history(history) if memory is None else turns_of(memory)
        self._server = Server.of(server)
        self._prepare(timeout_s, on_text, on_thinking, on_event, on_done)

    @property
    def model(self) -> str:
        """The model that is asked."""
        return self._model

    @property
    def server(self) -> Server:
        """Where it is asked."""
        return self._server

    def _context(self) -> contextvars.Context:
        """One of its own: neither a person's own listeners nor another run's may hear this one."""
        return contextvars.Context()

    def _made(self) -> Staged:
        """Made in the run's thread: griptape takes a second to import."""
        agent = made_agent(
            model=self._model,
            think=self.think,
            options=self._options,
            tools=self._tools,
            rules=self._rules,
            history=self.history,
            memory=self._memory,
        )
        staged = Staged(agent, (self.prompt,), self._server, self.keep_alive, self._hold)
        staged.begin_to_look()
        self._staged = staged
        if self._stop_asked.is_set():  # pressed meanwhile
            staged.stop()
        return staged

    def _asked(self) -> Asked:
        staged = self._staged
        chosen = staged.answers.chosen if staged is not None else KeepAlive(self.keep_alive)
        return Asked(
            self._model,
            chosen,
            self.prompt,
            self._server,
            self._options,
            self.think,
            self.history,
        )
