"""AgentRun: one prompt, run as a griptape Agent in a thread of its own."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.agent.choices import checked_options, checked_think
from lifecycle_widgets.agent.faults import RunFailed, explained
from lifecycle_widgets.agent.heard import Heard
from lifecycle_widgets.agent.structure import THREAD_NAME, make_agent, run_to_its_end
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Think, Timings
from lifecycle_widgets.server import (
    AnyServer,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
    full_name,
)

if TYPE_CHECKING:
    from griptape.structures import Agent
    from griptape.tools import BaseTool

    from lifecycle_widgets.agent.client import MeteredClient


class AgentRun:
    """One prompt, run as a griptape Agent on Ollama, streamed, metered, and stoppable.

    Parameters
    ----------
    prompt:
        Sent as it is: ``{{ }}`` and ``{% %}`` mean nothing in it.
    model:
        An installed model.
    keep_alive:
        What `KeepAlive` takes. None: not sent.
    server:
        The Ollama to use: a Server, an address, a Sandbox. Without one, `Server.find` looks for it.
    options:
        Ollama's options (``num_predict``, ``temperature``, ``num_ctx`` ...), over griptape's own.
    tools:
        griptape tools for the agent.
    think:
        Whether a model that can is to think before it answers: False, True, or how much: "low",
        "medium", "high". None: not sent; then a model that can think does.
    on_text:
        Called with each piece of text, in the run's thread.
    on_thinking:
        Called with each piece of what the model thinks, in the run's thread.
    on_done:
        Called once with the `Run`, whatever happened, in the run's thread.

    Raises
    ------
    ValueError
        At once, for an empty prompt, no model, a server that is none, what Ollama would reject as
        a keep_alive or think, or what means nothing in options.

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
        on_text: Callable[[str], None] | None = None,
        on_thinking: Callable[[str], None] | None = None,
        on_done: Callable[[Run], None] | None = None,
    ) -> None:
        if not isinstance(prompt, str) or not prompt.strip():
            raise ValueError("The prompt is empty. Write what to ask the model.")
        if not model:
            raise ValueError("No model is chosen. Choose one of the installed models.")
        self.prompt, self.model = prompt, model
        self.keep_alive, self.think = KeepAlive(keep_alive), checked_think(think)
        self._options, self._tools = checked_options(options), list(tools)
        self.server = Server.of(server)
        self._heard, self._on_done = Heard(on_text, on_thinking), on_done
        self._requests: list[Timings] = []
        self._client: MeteredClient | None = None
        self._stop_asked = threading.Event()
        self._news = threading.Event()  # it is prepared, or Stop was pressed
        self._ended = threading.Event()
        self._fault: BaseException | None = None
        self._run: Run | None = None
        self._was_resident: bool | None = None
        self._thread = threading.Thread(
            # a context of its own: griptape's listeners live in context variables, and neither a
            # person's own listeners nor another run's may hear this one
            target=contextvars.Context().run,
            args=(self._work,),
            name=THREAD_NAME,
            daemon=True,
        )

    # --- for whoever started it ------------------------------------------------------------------

    def start(self) -> AgentRun:
        """Begin, in a thread of its own. Returns itself.

        Raises
        ------
        RuntimeError
            When it was started before.
        """
        if self._thread.ident is not None:
            raise RuntimeError("This run was started before. Make a new one for another answer.")
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop it for good, at any time and from any thread; the server stops generating too."""
        self._stop_asked.set()
        self._news.set()
        if self._client is not None:
            self._client.stop()

    def wait(self, timeout_s: float | None = None) -> Run:
        """Wait for the end.

        Parameters
        ----------
        timeout_s:
            How long to wait, in seconds; None: as long as it takes.

        Returns
        -------
        Run
            Also when it was stopped (``run.stopped``).

        Raises
        ------
        UnknownModel, ServerUnreachable, ServerError
            When it could not begin.
        RunFailed
            When it failed on the way; ``.run`` has what had arrived.
        TimeoutError
            When it is still running; it goes on.
        RuntimeError
            When it was never started.
        """
        if self._thread.ident is None:
            raise RuntimeError("The run was not started. Call start() first.")
        if not self._ended.wait(timeout_s):
            raise TimeoutError(f"The run is not finished after {timeout_s:g} s; it goes on.")
        if self._fault is not None or self._run is None:
            raise self._fault or RunFailed("The run ended without a reason. Run it again.")
        return self._run

    @property
    def running(self) -> bool:
        """True from `start` until the end."""
        return self._thread.is_alive() and not self._ended.is_set()

    @property
    def answer(self) -> str:
        """The text so far."""
        return self._heard.answer

    @property
    def thinking(self) -> str:
        """What it has thought so far."""
        return self._heard.thoughts

    @property
    def is_thinking(self) -> bool:
        """True while the model thinks: that is what came last."""
        return self.running and self._client is not None and self._client.is_thinking

    @property
    def thinking_s(self) -> float | None:
        """How long it has thought so far; None when it has not."""
        return self._client.thinking_s if self._client is not None else None

    @property
    def waiting_for_first_token(self) -> bool:
        """True while nothing has come: the model is loading, or reads the prompt."""
        return self.running and not (self._client is not None and self._client.has_token)

    # --- in the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        """Whatever happens in here, whoever waits is told."""
        self._at, self._started_s = datetime.now().astimezone(), time.monotonic()
        fault: BaseException | str | None = None
        try:
            fault = self._measured()
        except BaseException as error:  # whatever it is, it belongs to the one who waits
            fault = error
        try:
            self._run, self._fault = self._outcome(fault)
        except BaseException as error:
            self._fault = RunFailed(f"The run could not be told: {type(error).__name__}: {error}")
            self._run = self._as_run(Timings(0.0), self._fault)
        finally:
            self._ended.set()
        if self._on_done is not None and self._run is not None:
            self._on_done(self._run)

    def _measured(self) -> BaseException | str | None:
        """Run it to its end; returns what went wrong."""
        prepared = self._prepared()
        if self._stop_asked.is_set():
            return None
        agent, name = prepared.result()
        self._at, self._started_s = datetime.now().astimezone(), time.monotonic()
        try:
            return run_to_its_end(agent, self.prompt, self._heard.text)
        finally:
            if name and self._requests:
                self.server.zeroed.append((name, time.monotonic()))

    def _prepared(self) -> Future[tuple[Agent, str]]:
        """The agent, and the name in memory of a model that is to leave with the answer.

        Both come before the run's own time (griptape is imported, /api/ps is read), in a thread
        that Stop need not wait for: neither can be broken off.
        """
        prepared: Future[tuple[Agent, str]] = Future()
        prepared.add_done_callback(lambda _: self._news.set())

        def prepare() -> None:
            try:
                agent, resident = self._agent(), self._resident()
                zeroed = self._known_as(resident) if self.keep_alive.is_zero else ""
                prepared.set_result((agent, zeroed))
            except BaseException as fault:  # told by the run
                prepared.set_exception(fault)

        threading.Thread(target=prepare, name=THREAD_NAME, daemon=True).start()
        self._news.wait()
        return prepared

    def _agent(self) -> Agent:
        from lifecycle_widgets.agent.client import MeteredClient

        self._client = MeteredClient(
            self.server, on_timings=self._request_ended, on_thinking=self._heard.thinking
        )
        if self._stop_asked.is_set():  # pressed while griptape was being imported
            self._client.stop()
        asked = {"keep_alive": self.keep_alive.to_json(), "think": self.think}
        return make_agent(
            model=self.model,
            client=self._client,
            request={name: value for name, value in asked.items() if value is not None},
            options=self._options,
            tools=self._tools,
        )

    def _resident(self) -> Resident | None:
        """The model in memory before the run, under whatever name."""
        with suppress(ServerError):  # a server that does not tell can still answer
            resident = self.server.resident(self.model)
            self._was_resident = resident is not None
            return resident
        return None

    def _known_as(self, resident: Resident | None) -> str:
        """The name under which /api/ps has it."""
        if resident is not None:
            return full_name(resident.name)
        with suppress(ServerError, ServerUnreachable, UnknownModel):
            return full_name(self.server.require(self.model).name)  # its letter case may differ
        return full_name(self.model)

    def _request_ended(self, timings: Timings) -> None:
        self._requests.append(timings)
        self._heard.pause()

    # --- what is told of it ----------------------------------------------------------------------

    def _outcome(self, fault: BaseException | str | None) -> tuple[Run, BaseException | None]:
        total = Timings.total(self._requests, total_s=time.monotonic() - self._started_s)
        told: BaseException | None = None
        if fault is not None and not self._stop_asked.is_set():
            has_begun = total.ttft_s is not None
            told = explained(fault, server=self.server, model=self.model, has_begun=has_begun)
        run = self._as_run(total, told)
        if isinstance(told, RunFailed):
            told.run = run
        return run, told

    def _as_run(self, total: Timings, fault: BaseException | None) -> Run:
        remote = self._client.remote_host if self._client is not None else None
        return Run(
            model=self.model,
            keep_alive=self.keep_alive,
            prompt=self.prompt,
            answer=self.answer,
            started_at=self._at,
            timings=total,
            requests=tuple(self._requests),
            was_resident=None if remote else self._was_resident,
            stopped=self._stop_asked.is_set(),
            error=str(fault) if fault is not None else None,
            server_url=self.server.url,
            thinking=self.thinking,
            think=self.think,
            remote_host=remote,
        )


def run_agent(
    prompt: str,
    *,
    model: str,
    keep_alive: KeepAlive | str | float | None = None,
    server: AnyServer = None,
    options: Mapping[str, Any] | None = None,
    tools: Sequence[BaseTool] = (),
    think: Think = None,
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
        ``.tokens_per_s``), ``run.note`` (what a reader should know of it).

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
        on_text=on_text,
        on_thinking=on_thinking,
    ).start()
    try:
        return begun.wait()
    except KeyboardInterrupt:
        begun.stop()
        raise
