"""Experiment: the common face. What will be run and for how long; run, stop; a result."""

from __future__ import annotations

import contextlib
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, ClassVar, Generic, TypeVar

import pandas as pd

from lifecycle_widgets.agent import AgentRun, StructureRun, checked_think
from lifecycle_widgets.experiments.face.conversation import Turns
from lifecycle_widgets.experiments.face.faults import sentence
from lifecycle_widgets.experiments.face.plan import Plan, Step
from lifecycle_widgets.experiments.face.progress_line import ProgressLine, writer
from lifecycle_widgets.experiments.face.result import Result
from lifecycle_widgets.experiments.ground.consent import Consent, NeedsConsent
from lifecycle_widgets.experiments.ground.ground import chat_model, require_told, reserve_memory
from lifecycle_widgets.experiments.ground.meanwhile import Meanwhile
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Think
from lifecycle_widgets.server import AnyServer, Server, ServerError, ServerUnreachable, UnknownModel
from lifecycle_widgets.waiting import Interrupted

R = TypeVar("R", bound=Result)
Row = Mapping[str, Any]


class ExperimentFailed(RuntimeError):
    """It could not be finished. ``result`` has what was measured until then."""

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result


class _Stopped(Exception):
    """stop() was called."""


class Experiment(ABC, Generic[R]):
    """A repeatable measurement. Each kind says in `plan` what it does, then measures.

    A subclass writes `plan`, ``_settings`` (JSON values for the facts) and ``_measure``, a
    generator that yields one row per measurement and cleans up in ``finally``. In it, ``_ask``,
    ``_wait`` and ``_say`` are there to ask a model, to wait and to tell what comes now; all of
    them end when a person presses Stop. Whatever loads or unloads on the person's server goes
    through ``_ask``, ``_preload`` and ``_unload``, which touch nobody else's model unasked. What
    it puts into ``_found`` goes into the facts.

    Parameters
    ----------
    server:
        The Ollama to measure: a `Server`, its address, or a `Sandbox`. Without one, `Server.find`
        looks for it.
    think:
        Whether models that can think do so first (False, True, ``"low"`` ...); None: not sent.
    """

    result_kind: ClassVar[type[Result]]

    def __init__(self, server: AnyServer = None, *, think: Think = None) -> None:
        self.think = checked_think(think)
        self._server = Server.of(server)
        self.result: R | None = None  #: the last run's, also when it failed or was stopped
        self._stop_asked = threading.Event()
        self._asking: StructureRun | None = None
        self._on_step: Callable[[Step], None] | None = None
        self._rows: list[Row] = []
        self._found: dict[str, Any] = {}  # facts that are known only at the end
        self._planned = 0
        self._busy = threading.Lock()
        self._consent = Consent(self._server, ())
        self._disturbed = False  # somebody else used the model of the last request
        self._meanwhile = Meanwhile(self._server)

    @property
    def server(self) -> Server:
        """The Ollama that it measures. Cannot be changed while it runs."""
        return self._server

    @server.setter
    def server(self, server: AnyServer) -> None:
        if self._busy.locked():
            raise RuntimeError("This experiment is running. Stop it, or wait for its end.")
        self._server = Server.of(server)

    # --- what a kind of experiment writes --------------------------------------------------------

    @abstractmethod
    def plan(self) -> Plan:
        """What will be run, and for how long."""

    @abstractmethod
    def _settings(self) -> dict[str, Any]:
        """The settings, as plain JSON values."""

    @abstractmethod
    def _measure(self) -> Iterator[Row]:
        """Yield one row per measurement."""

    # --- running ---------------------------------------------------------------------------------

    def run(
        self,
        *,
        on_step: Callable[[Step], None] | None = None,
        may_unload: bool | Collection[str] = False,
    ) -> R:
        """Measure. Blocks until the end; `stop` ends it from another thread.

        Models that it loaded are unloaded at the end, however it ends, unless somebody else has
        begun to use them.

        Parameters
        ----------
        on_step:
            Called with a `Step` before each measurement. None: a person who looks on (in a
            notebook, in a terminal) sees a line that says how far it is.
        may_unload:
            That it may unload models which somebody else has used last: True, or the names of some
            of them. Without it asks (`NeedsConsent`). What this process has used last, by the lab
            or in code, is its own; so is all that is in a sandbox which it has started. The weights
            are what counts, whatever name they were loaded under.

        Returns
        -------
        Result
            Also after `stop`, with what there was until then (``result.is_complete`` is False).

        Raises
        ------
        NeedsConsent
            See ``may_unload``. Nothing has been touched.
        UnknownModel, ServerUnreachable, NotTold, MemoryError, ValueError
            It cannot begin: what is lacking, and what to do. NotTold: the server does not tell
            what is in memory. ValueError: there is nothing to measure about the model.
        TimeoutError
            What it was allowed to unload did not leave.
        ExperimentFailed
            It failed on the way, or somebody else began to use the model; ``.result`` has what was
            measured.
        RuntimeError
            It is running already.
        """
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("This experiment is running. Stop it, or wait for its end.")
        try:
            self._stop_asked.clear()
            self._rows, self._planned, self._found, self.result = [], 0, {}, None
            with ProgressLine(writer() if on_step is None else None) as line:
                self._on_step = line.say if on_step is None else on_step
                try:
                    return self._begun(may_unload)
                finally:
                    line.end(self._how_far())
        except KeyboardInterrupt:
            kept = "What there is, is in its .result." if self.result is not None else ""
            raise Interrupted(f"the experiment was {self._how_far()}. {kept}".strip()) from None
        finally:
            self._busy.release()

    def _begun(self, may_unload: bool | Collection[str]) -> R:
        plan = self.plan()
        self._planned = plan.rows
        with contextlib.ExitStack() as at_the_end:  # the memory is given back
            self._check(plan, may_unload, at_the_end)
            return self._carry_out(plan)

    def _how_far(self) -> str:
        """How it ended, in some words."""
        if self.result is None:
            return "stopped before anything was measured"
        far = f"{len(self._rows)} of {self._planned} measurements"
        if self.result.is_complete:
            return f"done: {far}"
        return f"failed after {far}" if self.result.facts["error"] else f"stopped after {far}"

    def is_of(self, result: Result) -> bool:
        """Whether a result was measured with these settings, on this server."""
        settings = {"server_url": self.server.url, **self._settings()}
        return isinstance(result, self.result_kind) and all(
            name in result.facts and result.facts[name] == value for name, value in settings.items()
        )

    def stop(self) -> None:
        """Stop for good, from any thread; a request that is running is ended. Idempotent."""
        self._stop_asked.set()
        asking = self._asking
        if asking is not None:
            asking.stop()

    def _check(
        self,
        plan: Plan,
        may_unload: bool | Collection[str],
        at_the_end: contextlib.ExitStack,
    ) -> None:
        """Whether it can begin; what was allowed is unloaded at the very end of the questions."""
        self._consent = Consent(self.server, plan.models, may_unload)
        if plan.models:
            require_told(self.server)
        for model in plan.models:
            chat_model(self.server, model)
        here = self._consent.require(*plan.models) if plan.models else {}
        what = type(self).__name__
        at_the_end.enter_context(
            reserve_memory(self.server, plan.memory_bytes, here.values(), what, plan.models)
        )
        for model in here:
            self._consent.unload(model)

    def _carry_out(self, plan: Plan) -> R:
        at, started = datetime.now().astimezone(), time.monotonic()
        facts: dict[str, Any] = {
            "server_url": self.server.url,
            "server_kind": "private sandbox" if self.server.is_sandbox else "own Ollama",
            "ollama_version": self.server.version,
            "started_at": at.isoformat(timespec="seconds"),
            "planned": plan.rows,
            "stopped": False,
            "error": None,
            **self._settings(),
        }
        fault: BaseException | None = None
        measuring = self._measure()
        self._meanwhile = Meanwhile(self.server)
        with self._meanwhile:
            try:
                for row in measuring:
                    self._rows.append(row)
                    self._look_for_stop()
            except _Stopped:
                facts["stopped"] = len(self._rows) < plan.rows
            except BaseException as error:
                fault = error
            finally:
                measuring.close()  # type: ignore[attr-defined]  # its `finally` runs now
                self._leave()
        facts |= {"meanwhile": self._meanwhile.facts(), **self._found}
        facts["seconds"] = round(time.monotonic() - started, 3)
        if isinstance(fault, KeyboardInterrupt):
            facts["stopped"] = True
        elif fault is not None:
            facts["error"], facts["stopped"] = sentence(fault), False
        self.result = self.result_kind(pd.DataFrame(self._rows), facts)  # type: ignore[assignment]
        if fault is None:
            return self.result  # type: ignore[return-value]
        if not isinstance(fault, Exception) or (isinstance(fault, NeedsConsent) and not self._rows):
            raise fault  # an interrupt, or a question: what was measured is in .result
        done = f"{len(self._rows)} of {plan.rows} measurements are kept in .result"
        raise ExperimentFailed(f"{sentence(fault)} ({done}.)", self.result) from fault

    def _leave(self) -> None:
        """Unload what we loaded. A server that is gone has nothing loaded."""
        try:
            self._consent.leave()
        except (ServerUnreachable, ServerError, UnknownModel, TimeoutError):
            pass

    # --- for the measuring -----------------------------------------------------------------------

    def _look_for_stop(self) -> None:
        if self._stop_asked.is_set():
            raise _Stopped

    def _say(self, what: str) -> None:
        """Tell what comes now. Raises when a person has pressed Stop."""
        self._look_for_stop()
        if self._on_step is not None:
            self._on_step(Step(len(self._rows), self._planned, what))

    def _wait(self, seconds: float) -> None:
        """Wait, but not longer than until Stop. What others do meanwhile disturbs nothing."""
        began_s = time.monotonic()
        if self._stop_asked.wait(max(0.0, seconds)):
            raise _Stopped
        self._meanwhile.paused(began_s)

    def _ask(
        self,
        prompt: str,
        *,
        model: str,
        keep_alive: KeepAlive | str | float | None,
        server: Server | None = None,
        options: Mapping[str, Any] | None = None,
        history: Turns = (),
    ) -> Run:
        """One prompt, as a griptape Agent with streaming; its `Run`.

        ``self._disturbed`` says afterwards whether somebody else has used or unloaded the model
        since our last request for it, as far as its deadline betrays that.

        Raises NeedsConsent when the model is in memory for somebody else (on another ``server``
        than the experiment's, a private one, it never is).
        """
        self._look_for_stop()
        self._disturbed = False
        if self._is_another(server):
            assert server is not None
            return self._answer(prompt, model, keep_alive, server, options, history)
        here, began_at = self._consent.require(model), datetime.now(timezone.utc)
        self._disturbed = self._consent.is_disturbed(model, here.get(model))
        try:
            run = self._answer(prompt, model, keep_alive, self.server, options, history)
        except BaseException:
            self._consent.lent(model, keep_alive, began_at)  # it may have been loaded all the same
            raise
        if run.was_resident and not here:
            self._consent.refuse(model)  # somebody has loaded it since we looked
            self._disturbed = True
        self._consent.lent(model, keep_alive, began_at)
        return run

    def _is_another(self, server: Server | None) -> bool:
        """Whether it is one of our own, beside the experiment's, where nobody else's models are."""
        return server is not None and server.url != self.server.url

    def _look_for_others(self, model: str) -> bool:
        """``self._disturbed``, once more after the answer: a request beside ours moves the deadline
        that ours has set. Raises as `Server.resident`."""
        resident = self.server.resident(model)
        self._disturbed = self._disturbed or self._consent.is_disturbed(model, resident)
        return self._disturbed

    def _answer(
        self,
        prompt: str,
        model: str,
        keep_alive: KeepAlive | str | float | None,
        server: Server,
        options: Mapping[str, Any] | None,
        history: Turns,
    ) -> Run:
        return self._waited(
            AgentRun(
                prompt,
                model=model,
                keep_alive=keep_alive,
                server=server,
                options=options,
                history=history,
                think=self.think,
            )
        )

    def _waited(self, asking: StructureRun) -> Run:
        """The run, waited for to its end. Stop stops it."""
        self._asking = asking
        asking.start()
        try:
            if self._stop_asked.is_set():  # pressed between the look and the start
                asking.stop()
            run = asking.wait()
        except BaseException:
            asking.stop()
            raise
        finally:
            self._asking = None
        if run.stopped:
            raise _Stopped
        return run

    def _preload(self, model: str, keep_alive: KeepAlive | str | float | None) -> None:
        """Have it in memory. Raises NeedsConsent when it is there for somebody else."""
        self._consent.require(model)
        began_at = datetime.now(timezone.utc)
        self.server.preload(model, keep_alive)
        self._consent.lent(model, keep_alive, began_at)

    def _unload(self, model: str) -> None:
        """Have it out of memory. Raises NeedsConsent when it is there for somebody else."""
        self._consent.unload(model)
