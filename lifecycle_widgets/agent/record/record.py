"""Record: what a run has done so far, for whoever wants to know while it goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lifecycle_widgets.agent.events import (
    RunEnded,
    RunEvent,
    StepBegan,
    StepEnded,
    Text,
    Thinking,
    ToolsBegan,
    ToolsEnded,
)
from lifecycle_widgets.agent.faults import callback_failed
from lifecycle_widgets.agent.record.heard import Heard
from lifecycle_widgets.agent.record.steps import Steps
from lifecycle_widgets.agent.requests.whole_prompt import Sent
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Step, ToolCall


class Record:
    """Takes down what happens in a run, in whichever of its threads, and passes it on.

    Parameters
    ----------
    on_event:
        A person's function; called for one event at a time. What it raises ends the run.
    heard:
        Gets what comes of the answer.

    Examples
    --------
    >>> record = Record(None, Heard())
    >>> record.began("", "smollm2:135m", KeepAlive(0))
    >>> record.text("", "smollm2:135m", "Hello.", is_answer=True)
    >>> record.heard.answer
    'Hello.'
    """

    def __init__(self, on_event: Callable[[RunEvent], None] | None, heard: Heard) -> None:
        self.heard, self.steps = heard, Steps()
        self._on_event = on_event
        self._lock = threading.RLock()
        self._end: RunEnded | None = None
        self._others: list[Callable[[RunEvent], None]] = []

    def follow(self, listener: Callable[[RunEvent], None]) -> None:
        """Pass every event from now on to a function that raises nothing; an end also later."""
        with self._lock:
            if self._end is not None:
                listener(self._end)
            self._others.append(listener)

    def began(self, task: str, model: str, keep_alive: KeepAlive) -> None:
        """A request is about to be sent."""
        self._tell(StepBegan(task, model, keep_alive))

    def text(self, task: str, model: str, piece: str, *, is_answer: bool) -> None:
        """A piece of text."""
        if is_answer:
            self.heard.text(piece)
        self._tell(Text(task, model, piece))

    def thinking(self, task: str, model: str, piece: str, *, is_answer: bool) -> None:
        """A piece of what a model thinks."""
        if is_answer:
            self.heard.thinking(piece)
        self._tell(Thinking(task, model, piece))

    def step_ended(self, step: Step, sent: Sent, *, asker: str, is_answer: bool) -> None:
        """A request has ended, however it ended."""
        self.steps.add(step, sent, asker)
        if is_answer:
            self.heard.end_step()
        self._tell(StepEnded(step.task, step))

    def tools_began(self, task: str, calls: tuple[ToolCall, ...]) -> None:
        """The tools of the task's last answer begin."""
        self.steps.tools_begin(task)
        self._tell(ToolsBegan(task, calls))

    def tools_ended(self, task: str, calls: tuple[ToolCall, ...], seconds: float) -> None:
        """They have ended."""
        self.steps.tools_ran(seconds, task, calls)
        self._tell(ToolsEnded(task, calls, seconds))

    def run_ended(self, run: Run) -> None:
        """It is over: nothing comes after it, whatever a tool that was left behind still does."""
        with self._lock:
            self._tell(RunEnded(run))

    def _tell(self, event: RunEvent) -> None:
        with self._lock:
            if self._end is not None:
                return
            if isinstance(event, RunEnded):
                self._end = event
            try:
                if self._on_event is not None:
                    self._on_event(event)
            except BaseException as fault:
                raise callback_failed("on_event", fault) from fault
            finally:  # after the person's own, which has heard all of it when a loop over it ends
                for listener in self._others:
                    listener(event)
