"""Experiment: the common face. What will be run and for how long; run, stop; a result."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

import pandas as pd

from lifecycle_widgets.agent import AgentRun, RunFailed
from lifecycle_widgets.experiments.free_memory import free_memory_bytes
from lifecycle_widgets.experiments.result import Result, as_markdown
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import (
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
    full_name,
)

R = TypeVar("R", bound=Result)
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What an experiment is going to do.

    Parameters
    ----------
    what:
        In a sentence or two: what will be run.
    rows:
        How many measurements.
    seconds:
        How long it will take, about.
    memory_bytes:
        The memory that will be in use at once, about.
    models:
        The models that it loads and unloads on ``server``. Empty when it uses private servers
        only.
    notes:
        What the reader should know first: what cannot be measured here, and why.
    """

    what: str
    rows: int
    seconds: float
    memory_bytes: int = 0
    models: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def _repr_markdown_(self) -> str:
        """As a notebook shows it."""
        size = f", up to about {self.memory_bytes / 1e9:.1f} GB of memory"
        facts = f"{self.rows} measurements, about {self.seconds:.0f} s"
        text = f"{self.what} {facts}{size if self.memory_bytes else ''}."
        return "\n".join([as_markdown(text), "", *(f"- {as_markdown(n)}" for n in self.notes)])


@dataclass(frozen=True)
class Step:
    """How far an experiment is: ``done`` of ``total`` measurements, and what comes now."""

    done: int
    total: int
    what: str


class ExperimentFailed(RuntimeError):
    """It could not be finished. ``result`` has what was measured until then."""

    def __init__(self, message: str, result: Result | None = None) -> None:
        super().__init__(message)
        self.result = result


class NeedsConsent(PermissionError):
    """``models`` are in memory, and the experiment did not load them: it asks first."""

    def __init__(self, models: Sequence[str]) -> None:
        self.models = tuple(models)
        are = "is" if len(models) == 1 else "are"
        super().__init__(
            f"{', '.join(models)} {are} in memory already, and this experiment would unload what "
            "somebody may be using. If that is all right: run(may_unload=True)."
        )


class _Stopped(Exception):
    """stop() was called."""


class Experiment(ABC, Generic[R]):
    """A repeatable measurement. Each kind says in `plan` what it does, then measures.

    A subclass writes `plan`, ``_settings`` (JSON values for the facts) and ``_measure``, a
    generator that yields one row per measurement and cleans up in ``finally``. In it, ``_ask``,
    ``_wait`` and ``_say`` are there to ask a model, to wait and to tell what comes now; all of
    them end when a person presses Stop. What it puts into ``_found`` goes into the facts.

    Parameters
    ----------
    server:
        The Ollama to measure; without one, `Server.find` looks for it.
    """

    result_kind: ClassVar[type[Result]]

    def __init__(self, server: Server | None = None) -> None:
        self.server = server or Server.find()
        self.result: R | None = None  #: the last run's, also when it failed or was stopped
        self._stop_asked = threading.Event()
        self._asking: AgentRun | None = None
        self._on_step: Callable[[Step], None] | None = None
        self._rows: list[Row] = []
        self._found: dict[str, Any] = {}  # facts that are known only at the end
        self._planned = 0
        self._busy = threading.Lock()

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

    def run(self, *, on_step: Callable[[Step], None] | None = None, may_unload: bool = False) -> R:
        """Measure. Blocks until the end; `stop` ends it from another thread.

        Models that it loaded are unloaded at the end, however it ends.

        Parameters
        ----------
        on_step:
            Called with a `Step` before each measurement.
        may_unload:
            That it may unload models which were in memory before (on a person's own server it
            asks; in the private sandbox nobody else's models are).

        Returns
        -------
        Result
            Also after `stop`, with what there was until then (``result.is_complete`` is False).

        Raises
        ------
        NeedsConsent
            See ``may_unload``. Nothing has been touched.
        UnknownModel, ServerUnreachable, MemoryError
            It cannot begin: what is lacking, and what to do.
        ExperimentFailed
            It failed on the way; ``.result`` has what was measured.
        RuntimeError
            It is running already.
        """
        if not self._busy.acquire(blocking=False):
            raise RuntimeError("This experiment is running. Stop it, or wait for its end.")
        try:
            self._stop_asked.clear()
            self._on_step, self._rows, self._found, self.result = on_step, [], {}, None
            plan = self.plan()
            self._planned = plan.rows
            self._check(plan, may_unload)
            return self._carry_out(plan)
        finally:
            self._busy.release()

    def stop(self) -> None:
        """Stop for good, from any thread; a request that is running is ended. Idempotent."""
        self._stop_asked.set()
        asking = self._asking
        if asking is not None:
            asking.stop()

    def _check(self, plan: Plan, may_unload: bool) -> None:
        for model in plan.models:
            self.server.require(model)
        here = {full_name(model) for model in plan.models}
        foreign = [r.name for r in self.server.residents() if full_name(r.name) in here]
        if foreign and not (may_unload or self.server.is_sandbox):
            raise NeedsConsent(foreign)
        for model in foreign:
            self.server.unload(model)
        free_bytes = free_memory_bytes()
        if self.server.is_local and not _has_gpu(self.server) and plan.memory_bytes > free_bytes:
            raise MemoryError(
                f"This needs about {plan.memory_bytes / 1e9:.1f} GB of memory at once, and "
                f"{free_bytes / 1e9:.1f} GB are free. Choose a smaller model, or close something."
            )

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
        before = {r.name for r in self.server.residents()}
        fault: BaseException | None = None
        measuring = self._measure()
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
            self._leave(plan, before)
        facts |= self._found
        facts["seconds"] = round(time.monotonic() - started, 3)
        if fault is not None:
            facts["error"] = str(fault) or type(fault).__name__
            facts["stopped"] = isinstance(fault, KeyboardInterrupt)
        self.result = self.result_kind(pd.DataFrame(self._rows), facts)  # type: ignore[assignment]
        if fault is None:
            return self.result  # type: ignore[return-value]
        if not isinstance(fault, Exception):
            raise fault  # an interrupt; what was measured is in .result
        done = f"{len(self._rows)} of {plan.rows} measurements are kept in .result"
        raise ExperimentFailed(f"{_sentence(fault)} ({done}.)", self.result) from fault

    def _leave(self, plan: Plan, before: set[str]) -> None:
        """Unload what we loaded. A server that is gone has nothing loaded."""
        ours = {full_name(model) for model in plan.models}
        try:
            for resident in self.server.residents() if ours else ():
                if full_name(resident.name) in ours and resident.name not in before:
                    self.server.unload(resident.name)
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
        """Wait, but not longer than until Stop."""
        if self._stop_asked.wait(max(0.0, seconds)):
            raise _Stopped

    def _ask(
        self,
        prompt: str,
        *,
        model: str,
        keep_alive: KeepAlive | str | float | None,
        server: Server | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> Run:
        """One prompt, as a griptape Agent with streaming; its `Run`."""
        self._look_for_stop()
        self._asking = AgentRun(
            prompt,
            model=model,
            keep_alive=keep_alive,
            server=server or self.server,
            options=options,
        )
        self._asking.start()
        try:
            if self._stop_asked.is_set():  # pressed between the look and the start
                self._asking.stop()
            run = self._asking.wait()
        except BaseException:
            self._asking.stop()
            raise
        finally:
            self._asking = None
        if run.stopped:
            raise _Stopped
        return run


def _sentence(fault: Exception) -> str:
    known = (ServerUnreachable, ServerError, UnknownModel, RunFailed, TimeoutError, MemoryError)
    if isinstance(fault, (*known, ValueError, OSError)):
        return str(fault)
    return f"The experiment failed: {type(fault).__name__}: {fault}"


def _has_gpu(server: Server) -> bool:
    """Whether models of this server are seen on a GPU (then main memory is not the limit)."""
    from lifecycle_widgets.monitor.gpus import Gpus

    gpus = Gpus()
    try:
        return bool(gpus.read())
    finally:
        gpus.close()
