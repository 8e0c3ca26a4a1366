"""StructureRun: a griptape structure, run on Ollama in a thread of its own."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.agent import faces
from lifecycle_widgets.agent.faults import Ended, RunFailed
from lifecycle_widgets.agent.record.asked_for import Asked
from lifecycle_widgets.agent.record.ended import tell_of
from lifecycle_widgets.agent.record.heard import Heard
from lifecycle_widgets.agent.record.outcome import Ending, outcome_of
from lifecycle_widgets.agent.record.record import Record
from lifecycle_widgets.agent.standing import Standing
from lifecycle_widgets.agent.structures.borrowed import Borrowed
from lifecycle_widgets.agent.structures.drivers import Stopped
from lifecycle_widgets.agent.structures.staged import Staged
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import AnyServer
from lifecycle_widgets.waiting import told_if_interrupted, wait_for

if TYPE_CHECKING:
    from lifecycle_widgets.agent.events import RunEvent

THREAD_NAME = "lifecycle-agent-run"
"""The name of each run's thread."""

_outer: ContextVar[StructureRun | None] = ContextVar("lifecycle_outer_run", default=None)
_UNWINDS_S = 1.0  # how long a run that is stopped may take to notice, before it is left behind
_LOOK_S = 0.005


class StructureRun(Standing):
    """A person's own griptape structure, run as it is: streamed, metered, held, and stoppable.

    For the time of the run, drivers of ours sit in place of its Ollama drivers; it is given back
    as it was, whatever happened. What is sent is what the person's drivers would send, but that
    answers are streamed and nothing is asked twice.

    Parameters
    ----------
    structure:
        An Agent, a PromptTask, a Pipeline or a Workflow. Its drivers may ask several models.
    args:
        What ``structure.run`` takes. Text goes in as it is: ``{{ }}`` and ``{% %}`` mean nothing.
    server:
        The Ollama where all models are asked: a Server, an address, a Sandbox. Without one, each
        driver's own; and where it names none, what `Server.find` finds.
    keep_alive:
        What `KeepAlive` takes, or a mapping model -> that. None: what the drivers have themselves.
        One that decides anew (``AdaptiveKeepAlive``) is asked before each request.
    hold:
        Whether a model is held between its requests, so that the keep_alive applies when the last
        one has ended (see `agent.hold`). None: where the run can have more than one request of the
        model and its keep_alive is shorter than the lease.
    timeout_s:
        Seconds after which the run is stopped, and fails with `RunTimedOut`; None: no limit.
    on_text, on_thinking:
        Called with each piece of the answer, and of what its model thinks; in a thread of the run.
    on_event:
        Called with each `RunEvent`, of every task; in a thread of the run, one at a time.
    on_done:
        Called once with the `Run`, whatever happened.

    Raises
    ------
    ValueError
        At once, for what is no structure, or asks no model of Ollama's; for a keep_alive, a mapping
        or a server that is none.

    Examples
    --------
    >>> StructureRun("an agent")
    Traceback (most recent call last):
    ValueError: A str is no griptape structure. Give an Agent, a PromptTask, a Pipeline or a \
Workflow.
    """

    def __init__(
        self,
        structure: Any,
        *args: Any,
        server: AnyServer = None,
        keep_alive: KeepAlive | str | float | Mapping[str, Any] | None = None,
        hold: bool | None = None,
        timeout_s: float | None = None,
        on_text: Callable[[str], None] | None = None,
        on_thinking: Callable[[str], None] | None = None,
        on_event: Callable[[RunEvent], None] | None = None,
        on_done: Callable[[Run], None] | None = None,
    ) -> None:
        self._prepare(timeout_s, on_text, on_thinking, on_event, on_done)
        self._stage = partial(Staged, structure, args, server, keep_alive, hold)
        self._staged: Staged | None = self._stage()

    def _prepare(
        self,
        timeout_s: float | None,
        on_text: Callable[[str], None] | None,
        on_thinking: Callable[[str], None] | None,
        on_event: Callable[[RunEvent], None] | None,
        on_done: Callable[[Run], None] | None,
    ) -> None:
        self._timeout_s, self._on_done = _checked_timeout(timeout_s), on_done
        self._record = Record(on_event, Heard(on_text, on_thinking))
        self._staged = None
        self._borrowed: Borrowed | None = None
        self._stop_asked, self._timed_out = threading.Event(), False
        self._ending, self._ended = threading.Lock(), threading.Event()
        self._ending_begun, self._unwound = False, threading.Event()
        self._at, self._started_s = datetime.now().astimezone(), time.monotonic()
        self._fault: BaseException | None = None
        self._run: Run | None = None
        self._thread: threading.Thread | None = None
        self._inner: list[StructureRun] = []  # that its tools have started

    # --- for whoever started it ------------------------------------------------------------------

    def start(self) -> Any:
        """Begin, in a thread of its own. Returns itself.

        Raises
        ------
        RuntimeError
            When it was started before, or the structure is in another run.
        """
        if self._thread is not None:
            raise RuntimeError("This run was started before. Make a new one for another answer.")
        self._have()
        if (outer := _outer.get()) is not None:
            outer._has_started(self)
        context = self._context()
        self._thread = threading.Thread(
            target=context.run, args=(self._work,), name=THREAD_NAME, daemon=True
        )
        try:
            self._thread.start()
        except RuntimeError:  # the process can have no more threads
            self._thread = None
            if self._borrowed is not None:
                self._borrowed.let_go()
            raise
        if self._timeout_s is not None:
            threading.Thread(target=self._watch, name=f"{THREAD_NAME}-limit", daemon=True).start()
        return self

    def stop(self) -> None:
        """Stop it for good, at any time and from any thread; the server stops generating too.

        Where a tool does not return, the run ends for the person all the same: `left_behind` names
        its threads.
        """
        if self._stop_asked.is_set() or self._ended.is_set():
            return
        self._stop_asked.set()
        if (staged := self._staged) is not None:
            staged.stop()
        for run in list(self._inner):
            run.stop()
        if self._thread is not None:
            threading.Thread(
                target=self._leave_behind, name=f"{THREAD_NAME}-stop", daemon=True
            ).start()

    def wait(self, timeout_s: float | None = None) -> Run:
        """Wait for the end. An interrupt (the kernel's stop button, Ctrl-C) stops the run.

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
            When it failed on the way; ``.run`` has what had arrived. `RunTimedOut` where it took
            longer than it was given.
        TimeoutError
            When it is still running; it goes on.
        RuntimeError
            When it was never started.
        """
        if self._thread is None:
            raise RuntimeError("The run was not started. Call start() first.")
        with told_if_interrupted(faces.STOPPED):
            try:
                has_ended = wait_for(self._ended, timeout_s)
            except KeyboardInterrupt:
                self.stop()
                raise
        if not has_ended:
            raise TimeoutError(f"The run is not finished after {timeout_s:g} s; it goes on.")
        if self._fault is not None or self._run is None:
            raise self._fault or RunFailed("The run ended without a reason. Run it again.")
        return self._run

    def settle(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing of it is left, also of a tool that went on after a stop.

        Returns
        -------
        bool
            False when something is still left after ``timeout_s`` seconds.
        """
        if self._thread is not None:
            self._thread.join(timeout_s)
        return not self.left_behind

    def __iter__(self) -> Iterator[RunEvent]:
        """Start it, and yield its events, `RunEnded` last. Who leaves early stops it."""
        return faces.events_of(self)

    def __aiter__(self) -> AsyncIterator[RunEvent]:
        """The same for ``async for``."""
        return faces.async_events_of(self)

    def __await__(self) -> Generator[Any, None, Run]:
        """Start it, and wait for its `Run`. Cancelling the task stops the run."""
        return faces.awaited(self).__await__()

    def follow(self, listener: Callable[[RunEvent], None]) -> None:
        """Pass every event from now on to one more function, which must raise nothing."""
        self._record.follow(listener)

    # --- in its thread ---------------------------------------------------------------------------

    def _context(self) -> contextvars.Context:
        """What griptape's listeners live in: a person's own are to hear their own structure."""
        return contextvars.copy_context()

    def _have(self) -> None:
        """Have the structure, where there is one yet, and begin to look what is in memory."""
        if (staged := self._staged) is None:
            return
        self._borrowed = staged.borrowed(self._stop_asked.is_set)
        try:
            while not staged.is_fresh:  # it was made while another run had the structure
                self._borrowed.let_go()
                staged = self._staged = self._stage()
                self._borrowed = staged.borrowed(self._stop_asked.is_set)
            staged.begin_to_look()
        except BaseException:
            self._borrowed.let_go()
            raise

    def _has_started(self, run: StructureRun) -> None:
        """A tool of this one has started another, which is stopped with it."""
        self._inner.append(run)
        if self._stop_asked.is_set():
            run.stop()

    def _work(self) -> None:
        """Whatever happens in here, whoever waits is told."""
        _outer.set(self)
        self._begin()
        fault: BaseException | str | None = None
        try:
            fault = self._ran()
        except Stopped:
            pass
        except Ended as ended:
            fault = ended.told
        except BaseException as error:  # whatever it is, it belongs to the one who waits
            fault = error
        _outer.set(None)
        try:
            if self._borrowed is not None:
                self._borrowed.give_back()
            self._unwound.set()
            self._end(fault)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        """Another run may have the structure, as soon as nothing of this one is in it."""
        if self._borrowed is not None and self._unwound.is_set():
            self._borrowed.let_go()

    def _begin(self) -> None:
        """The run's time counts from now on."""
        self._at, self._started_s = datetime.now().astimezone(), time.monotonic()

    def _made(self) -> Staged:
        """The structure with all that it needs for a run (an AgentRun makes it here)."""
        assert self._staged is not None
        return self._staged

    def _asked(self) -> Asked:
        """What was asked for, as the run shows it."""
        assert self._staged is not None
        return self._staged.as_asked()

    def _ran(self) -> BaseException | str | None:
        """Run it to its end; returns what went wrong."""
        staged = self._made()
        if self._borrowed is None:
            self._borrowed = staged.borrowed(self._stop_asked.is_set)
        if self._stop_asked.is_set():
            return None
        self._begin()
        staged.lend(self._borrowed, self._record, self._started_s, self._stop_asked.is_set)
        return staged.run()

    def _end(self, fault: BaseException | str | None) -> None:
        """The run is over for whoever waits; once."""
        with self._ending:
            if self._ending_begun:
                return
            self._ending_begun = True
        ending = Ending(
            self._at,
            time.monotonic() - self._started_s,
            self._stop_asked.is_set(),
            self._timeout_s if self._timed_out else None,
            fault,
        )
        is_stopped = self._stop_asked.is_set()
        staged = self._staged
        try:
            said = staged.let_go() if staged is not None and not is_stopped else self._still()
            asked = self._asked()
            self._run, self._fault = outcome_of(asked, self._record, staged, ending, said)
        except BaseException as error:
            self._fault = RunFailed(f"The run could not be told: {type(error).__name__}: {error}")
            bare = replace(ending, fault=self._fault, stopped=False)
            self._run, _ = outcome_of(self._asked(), self._record, None, bare, ())
        finally:
            self._let_go()
            if self._run is not None:
                tell_of(self._run)
            self._ended.set()
        with ExitStack() as lastly:  # whatever a person's functions raise
            if staged is not None:
                lastly.callback(staged.close)
            if is_stopped and staged is not None:
                lastly.callback(staged.let_go)
            if self._run is not None:
                if self._on_done is not None:
                    lastly.callback(self._on_done, self._run)
                self._record.run_ended(self._run)

    def _still(self) -> tuple[str, ...]:
        """What is still running of a run that was stopped, unless it is a tool, which says so."""
        staged, thread = self._staged, self._thread
        in_a_tool = staged is not None and staged.listening.threads
        if thread is None or self._unwound.is_set() or in_a_tool:
            return ()
        return (f"What it was doing has not ended: its thread is {thread.name}.",)

    def _leave_behind(self) -> None:
        """It was stopped: end it for the person, at once where a tool is all that still runs."""
        until_s = time.monotonic() + _UNWINDS_S
        while not self._ended.wait(_LOOK_S):
            staged = self._staged
            in_a_tool = staged is not None and staged.listening.tools_running and not staged.asked
            if in_a_tool or time.monotonic() > until_s:
                self._end(None)
                return

    def _watch(self) -> None:
        """Stop it when its time is up."""
        if not self._ended.wait(self._timeout_s):
            self._timed_out = not self._stop_asked.is_set()
            self.stop()


def _checked_timeout(timeout_s: float | None) -> float | None:
    is_number = isinstance(timeout_s, (int, float)) and not isinstance(timeout_s, bool)
    if timeout_s is None or (is_number and timeout_s > 0):
        return None if timeout_s is None else min(timeout_s, threading.TIMEOUT_MAX)
    raise ValueError(f"timeout_s is {timeout_s!r}. Give seconds, more than 0; None: no limit.")
