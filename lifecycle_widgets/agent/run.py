"""AgentRun: one prompt, run as a griptape Agent in a thread of its own."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.agent.choices import checked_history, checked_options, checked_think
from lifecycle_widgets.agent.faults import RunFailed, explained
from lifecycle_widgets.agent.heard import Heard
from lifecycle_widgets.agent.in_memory import InMemory
from lifecycle_widgets.agent.steps import Steps
from lifecycle_widgets.agent.structure import THREAD_NAME, make_agent, run_to_its_end
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Step, Think, Timings
from lifecycle_widgets.server import AnyServer, Server

if TYPE_CHECKING:
    from griptape.structures import Agent
    from griptape.tools import BaseTool

    from lifecycle_widgets.agent.client import MeteredClient
    from lifecycle_widgets.agent.whole_prompt import Sent


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
    history:
        Earlier turns of the conversation, which are sent before the prompt, as they are: pairs of
        what was asked and what was answered.
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
        a keep_alive or think, a history that is none, or what means nothing in options.

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
        self.history = checked_history(history)
        self.server = Server.of(server)
        self._heard, self._on_done = Heard(on_text, on_thinking), on_done
        self._steps, self._memory = Steps(), InMemory(self.server, model)
        self._client: MeteredClient | None = None
        self._stop_asked = threading.Event()
        self._news = threading.Event()  # it is prepared, or Stop was pressed
        self._ended = threading.Event()
        self._fault: BaseException | None = None
        self._run: Run | None = None
        self._leaves_as = ""  # the name in memory of a model that is to leave with each answer
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
        """The text so far; of a run that calls tools, of the last step that has a text."""
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
        self._begin()
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

    def _begin(self) -> None:
        """The run's time counts from now on."""
        self._at, self._started_s = datetime.now().astimezone(), time.monotonic()
        if self._client is not None:
            self._client.run_began_s = self._started_s

    def _measured(self) -> BaseException | str | None:
        """Run it to its end; returns what went wrong."""
        prepared = self._prepared()
        if self._stop_asked.is_set():
            return None
        agent, self._leaves_as = prepared.result()
        self._begin()
        return run_to_its_end(agent, self.prompt, self._heard.text, self._steps.tools_ran)

    def _prepared(self) -> Future[tuple[Agent, str]]:
        """The agent, and the name in memory of a model that is to leave with the answer.

        Both come before the run's own time (griptape is imported, /api/ps is read), in a thread
        that Stop need not wait for: neither can be broken off.
        """
        prepared: Future[tuple[Agent, str]] = Future()
        prepared.add_done_callback(lambda _: self._news.set())

        def prepare() -> None:
            try:
                agent, resident = self._agent(), self._memory.look_before()
                zeroed = self._memory.known_as(resident) if self.keep_alive.is_zero else ""
                prepared.set_result((agent, zeroed))
            except BaseException as fault:  # told by the run
                prepared.set_exception(fault)

        threading.Thread(target=prepare, name=THREAD_NAME, daemon=True).start()
        self._news.wait()
        return prepared

    def _agent(self) -> Agent:
        from lifecycle_widgets.agent.client import MeteredClient

        self._client = MeteredClient(
            self.server,
            on_step=self._step_ended,
            on_thinking=self._heard.thinking,
            on_token=self._memory.look_meanwhile,
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
            history=self.history,
        )

    def _step_ended(self, step: Step, sent: Sent) -> None:
        self._steps.add(step, sent)
        self._heard.end_step()
        if self._leaves_as:  # after each of its requests
            self.server.zeroed.append((self._leaves_as, time.monotonic()))

    # --- what is told of it ----------------------------------------------------------------------

    def _outcome(self, fault: BaseException | str | None) -> tuple[Run, BaseException | None]:
        total = self._steps.total(time.monotonic() - self._started_s)
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
        was_resident = None if remote else self._memory.was_resident
        is_whole = fault is None and not self._stop_asked.is_set()
        context = self._memory.context_length(self._options, wait=is_whole)
        steps = self._steps.finished(
            was_resident=was_resident,
            context=context,
            options=self._options,
            is_remote=remote is not None,
        )
        return Run(
            model=self.model,
            keep_alive=self.keep_alive,
            prompt=self.prompt,
            answer=steps[-1].text if is_whole and steps else self.answer,
            started_at=self._at,
            timings=total,
            steps=steps,
            was_resident=was_resident,
            stopped=self._stop_asked.is_set(),
            error=str(fault) if fault is not None else None,
            server_url=self.server.url,
            thinking=self.thinking,
            think=self.think,
            remote_host=remote,
            options=self._options,
            history=self.history,
            context_length=None if remote else context,
            context_before=None if remote else self._memory.context_before,
        )
