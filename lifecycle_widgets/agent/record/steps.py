"""Steps: the requests of a run as they end, and the tools between them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from lifecycle_widgets.agent.requests.whole_prompt import Sent, whole_prompt_tokens
from lifecycle_widgets.runs import Step, Timings, ToolCall, was_loaded


@dataclass(frozen=True)
class Known:
    """What is known of a model when a run has ended.

    Parameters
    ----------
    was_resident:
        Whether it was in memory before the run; None: not told.
    context:
        The context that was in force, in tokens.
    options:
        Ollama's options of its requests.
    is_remote:
        Whether it ran elsewhere; what was loaded there is not known.
    """

    was_resident: bool | None = None
    context: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    is_remote: bool = False


class Steps:
    """Collects what a run has done so far. What another thread asks for is a copy.

    Examples
    --------
    >>> steps = Steps()
    >>> steps.add(Step(0.0, Timings(1.0, ttft_s=0.5)), Sent())
    >>> steps.tools_ran(0.7)
    >>> steps.total(2.0).tools_s, len(steps)
    (0.7, 1)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._steps: list[tuple[Step, Sent, str]] = []
        self._calling: dict[str, int] = {}  # by task: the step whose tools run

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, step: Step, sent: Sent, asker: str = "") -> None:
        """A request has ended, however it ended.

        Parameters
        ----------
        asker:
            Who sent it; each request of one holds the one before it, and more.
        """
        with self._lock:
            self._steps.append((step, sent, asker))

    @property
    def so_far(self) -> tuple[Step, ...]:
        """Those that have ended, in the order in which they began."""
        with self._lock:
            return tuple(sorted((step for step, *_ in self._steps), key=lambda step: step.start_s))

    def tools_begin(self, task: str) -> None:
        """The tools begin that the task's last answer has called. (What they ask themselves are
        steps of the task as well.)"""
        with self._lock:
            self._calling[task] = self._last_of(task)

    def tools_ran(self, seconds: float, task: str = "", calls: tuple[ToolCall, ...] = ()) -> None:
        """They have ended."""
        with self._lock:
            at = self._calling.pop(task, self._last_of(task))
            if at >= 0:
                step, sent, asker = self._steps[at]
                ran = replace(step, tools_s=(step.tools_s or 0.0) + seconds)
                self._steps[at] = (with_errors(ran, calls), sent, asker)

    def _last_of(self, task: str) -> int:
        ours = (i for i, (step, *_) in enumerate(self._steps) if step.task == task)
        return max(ours, default=-1)

    def total(self, total_s: float) -> Timings:
        """The timings of the whole run."""
        steps = self.so_far
        total = Timings.total(
            [step.timings for step in steps],
            total_s=total_s,
            starts_s=[step.start_s for step in steps],
            tools_s=sum(step.tools_s or 0.0 for step in steps),
        )
        # an embedding has no end of its own, and what a memory asks for is no answer
        answers = [step for step in steps if step.kind == "chat" and step.task]
        return replace(total, done_reason=answers[-1].timings.done_reason) if answers else total

    def finished(self, known: Callable[[Step], Known]) -> tuple[Step, ...]:
        """The steps with what is known only when the run has ended.

        Parameters
        ----------
        known:
            What is known of the model that a step asked.
        """
        told: list[Step] = []
        seen_before: dict[str, int] = {}  # by asker
        asked: set[str] = set()
        with self._lock:
            steps = sorted(self._steps, key=lambda one: one[0].start_s)
        for step, sent, asker in steps:
            its, seen = known(step), step.timings.prompt_tokens
            whole = whole_prompt_tokens(
                sent,
                seen,
                its.context,
                seen_before=seen_before.get(asker, 0),
                options=its.options,
            )
            before = None if step.model in asked else its.was_resident
            loaded = was_loaded(step.timings, before, kind=step.kind)
            told.append(
                replace(step, loaded=None if its.is_remote else loaded, whole_prompt_tokens=whole)
            )
            asked.add(step.model)
            seen_before[asker] = max(seen_before.get(asker, 0), seen or 0)
        return tuple(told)


def with_errors(step: Step, calls: tuple[ToolCall, ...]) -> Step:
    """The step, with what its tools raised; the calls that griptape ran are of its answer.

    Examples
    --------
    >>> step = Step(0.0, Timings(1.0), tool_calls=(ToolCall("Clock_now"),))
    >>> with_errors(step, (ToolCall("Clock_now", {}, "ValueError: no clock"),)).tool_calls[0].error
    'ValueError: no clock'
    """
    if len(calls) == len(step.tool_calls):
        told = tuple(
            replace(call, error=ran.error) for call, ran in zip(step.tool_calls, calls, strict=True)
        )
        return replace(step, tool_calls=told)
    # tools that are called by the text of an answer, as griptape has it for models without tools
    return replace(step, tool_calls=calls) if not step.tool_calls else step
