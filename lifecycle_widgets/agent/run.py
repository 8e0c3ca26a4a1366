"""AgentRun: one prompt, run as a griptape Agent in a thread of its own."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.error_advice import advice_for, out_of_descriptors
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Timings
from lifecycle_widgets.server import (
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

_THREAD_NAME = "lifecycle-agent-run"


class RunFailed(RuntimeError):
    """A run that began and could not be finished. ``run`` has what had arrived until then."""

    def __init__(self, message: str, run: Run | None = None) -> None:
        super().__init__(message)
        self.run = run


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
        The Ollama to use.
    options:
        Ollama's options (``num_predict``, ``temperature``, ``num_ctx`` ...), over griptape's own.
    tools:
        griptape tools for the agent.
    on_text:
        Called with each piece of text, in the run's thread.
    on_done:
        Called once with the `Run`, whatever happened, in the run's thread.

    Raises
    ------
    ValueError
        At once, for an empty prompt, no model, or a keep_alive that Ollama would reject.

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
        server: Server,
        keep_alive: KeepAlive | str | float | None = None,
        options: Mapping[str, Any] | None = None,
        tools: Sequence[BaseTool] = (),
        on_text: Callable[[str], None] | None = None,
        on_done: Callable[[Run], None] | None = None,
    ) -> None:
        if not prompt.strip():
            raise ValueError("The prompt is empty. Write what to ask the model.")
        if not model:
            raise ValueError("No model is chosen. Choose one of the installed models.")
        self.prompt, self.model, self.server = prompt, model, server
        self.keep_alive = KeepAlive(keep_alive)
        self._options, self._tools = dict(options or {}), list(tools)
        self._on_text, self._on_done = on_text, on_done
        self._pieces: list[str] = []
        self._requests: list[Timings] = []
        self._client: MeteredClient | None = None
        self._stop_asked = threading.Event()
        self._ended = threading.Event()
        self._fault: BaseException | None = None
        self._run: Run | None = None
        self._thread = threading.Thread(
            # a context of its own: griptape's listeners live in context variables, and neither a
            # person's own listeners nor another run's may hear this one
            target=contextvars.Context().run,
            args=(self._work,),
            name=_THREAD_NAME,
            daemon=True,
        )

    # --- for whoever started it ------------------------------------------------------------------

    def start(self) -> AgentRun:
        """Begin, in a thread of its own. Returns itself."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop it for good, at any time and from any thread; the server stops generating too."""
        self._stop_asked.set()
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
        """
        if not self._ended.wait(timeout_s):
            raise TimeoutError(f"The run is not finished after {timeout_s:g} s; it goes on.")
        if self._fault is not None:
            raise self._fault
        assert self._run is not None
        return self._run

    @property
    def running(self) -> bool:
        """True from `start` until the end."""
        return self._thread.is_alive() and not self._ended.is_set()

    @property
    def answer(self) -> str:
        """The text so far."""
        return "".join(self._pieces)

    @property
    def waiting_for_first_token(self) -> bool:
        """True while nothing has come: the model is loading, or reads the prompt."""
        return self.running and not self._pieces

    # --- in the thread ---------------------------------------------------------------------------

    def _work(self) -> None:
        was_resident = fault = None
        at, started = datetime.now().astimezone(), time.monotonic()
        try:
            agent = self._agent()  # imports griptape, which is not the run's time
            was_resident = self._was_resident()
            at, started = datetime.now().astimezone(), time.monotonic()
            fault = self._run_agent(agent)
        except BaseException as error:  # whatever it is, it belongs to the one who waits
            fault = error
        total = Timings.total(self._requests, total_s=time.monotonic() - started)
        if self.keep_alive.is_zero and self._requests:
            self.server.zeroed.append((full_name(self.model), time.monotonic()))
        stopped = self._stop_asked.is_set()
        fault = None if stopped or fault is None else self._explained(fault)
        self._run = Run(
            model=self.model,
            keep_alive=self.keep_alive,
            prompt=self.prompt,
            answer=self.answer,
            started_at=at,
            timings=total,
            requests=tuple(self._requests),
            was_resident=was_resident,
            stopped=stopped,
            error=str(fault) if fault is not None else None,
            server_url=self.server.url,
        )
        if isinstance(fault, RunFailed):
            fault.run = self._run
        self._fault = fault
        self._ended.set()
        if self._on_done is not None:
            self._on_done(self._run)

    def _agent(self) -> Agent:
        from griptape.drivers.prompt.ollama import OllamaPromptDriver
        from griptape.structures import Agent
        from griptape.tasks import PromptTask

        from lifecycle_widgets.agent.client import MeteredClient

        _keep_griptape_quiet()
        self._client = MeteredClient(self.server.url, on_timings=self._requests.append)
        if self._stop_asked.is_set():  # pressed while griptape was being imported
            self._client.stop()
        value = self.keep_alive.to_json()
        driver = OllamaPromptDriver(
            model=self.model,
            client=self._client,
            stream=True,
            max_attempts=1,  # a retry would repeat the text that was already shown
            after_hook=lambda _: None,  # the default one prints, and sets up the root logger
            extra_params={} if value is None else {"keep_alive": value},
        )
        driver.options.update(self._options)
        # the text goes in by a template, else griptape would run the person's text as one
        task = PromptTask("{{ args[0] }}", prompt_driver=driver, tools=self._tools)
        return Agent(tasks=[task], conversation_memory=None)

    def _run_agent(self, agent: Agent) -> BaseException | None:
        """Run it to its end; returns what went wrong (griptape does not raise it)."""
        from griptape.artifacts import ErrorArtifact
        from griptape.events import EventListener, TextChunkEvent

        with EventListener(self._heard, event_types=[TextChunkEvent]):
            agent.run(self.prompt)
        output = agent.task.output
        if isinstance(output, ErrorArtifact):
            return output.exception or RunFailed(str(output.value))
        return None

    def _heard(self, event: Any) -> None:
        if event.token:
            self._pieces.append(event.token)
            if self._on_text is not None:
                self._on_text(event.token)

    def _was_resident(self) -> bool:
        return self.server.resident(self.model) is not None

    def _explained(self, fault: BaseException) -> BaseException:
        """The exception a person can act on."""
        import httpx
        import ollama

        if isinstance(fault, (ServerUnreachable, ServerError, UnknownModel, RunFailed)):
            return fault
        no_connection = isinstance(fault, (httpx.ConnectError, httpx.ConnectTimeout))
        if no_connection or (out_of_descriptors(fault) and not self._requests):
            return self.server.unreachable(fault)
        if isinstance(fault, ollama.ResponseError) and fault.status_code > 0:
            try:
                return self.server.explain(fault, self.model)
            except ServerUnreachable as gone:
                return gone
        if isinstance(fault, ollama.ResponseError):
            advice = advice_for(fault.error, self.model) or "Run it again."
            return RunFailed(
                f"{self.model} failed in the middle of its answer ({fault.error}). What had "
                f"arrived is kept. {advice}"
            )
        if isinstance(fault, (httpx.TransportError, ConnectionError)):
            return RunFailed(
                f"Ollama at {self.server.url} went away in the middle of the answer ({fault}). "
                "What had arrived is kept; see that the server runs, then run it again."
            )
        failed = RunFailed(f"The run failed: {type(fault).__name__}: {fault}")
        failed.__cause__ = fault
        return failed


def run_agent(
    prompt: str,
    *,
    model: str,
    keep_alive: KeepAlive | str | float | None = None,
    server: Server | None = None,
    options: Mapping[str, Any] | None = None,
    tools: Sequence[BaseTool] = (),
    on_text: Callable[[str], None] | None = None,
) -> Run:
    """Run one prompt as a griptape Agent, and wait for its end.

    Parameters are those of `AgentRun`; without a ``server`` it is found by `Server.find`. An
    interrupt (the kernel's stop button, Ctrl-C) stops the run and the server's generating.

    Returns
    -------
    Run
        ``run.answer``, ``run.timings`` (``.load_s``, ``.ttft_s``, ``.total_s``, ``.tokens_per_s``).

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
        server=server or Server.find(),
        options=options,
        tools=tools,
        on_text=on_text,
    ).start()
    try:
        return begun.wait()
    except KeyboardInterrupt:
        begun.stop()
        raise


def warm_up() -> None:
    """Import griptape in the background, so that the first run need not wait for it."""

    def load() -> None:
        import griptape.drivers.prompt.ollama
        import griptape.structures  # noqa: F401

        import lifecycle_widgets.agent.client  # noqa: F401

    threading.Thread(target=load, name="lifecycle-warm-up", daemon=True).start()


def _keep_griptape_quiet() -> None:
    """Keep griptape from printing prompts and tracebacks of *our* runs into the notebook.

    What it raises we report ourselves; a person's own agents go on logging as they do.
    """
    log = logging.getLogger("griptape")
    if _not_ours not in log.filters:
        log.addFilter(_not_ours)


def _not_ours(record: logging.LogRecord) -> bool:
    return record.threadName != _THREAD_NAME
