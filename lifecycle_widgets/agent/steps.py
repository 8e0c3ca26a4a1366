"""Steps: the requests of a run as they end, and the tools between them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lifecycle_widgets.agent.whole_prompt import Sent, whole_prompt_tokens
from lifecycle_widgets.runs import Step, Timings, was_loaded


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
        self._steps: list[tuple[Step, Sent]] = []

    def __len__(self) -> int:
        return len(self._steps)

    def add(self, step: Step, sent: Sent) -> None:
        """A request has ended, however it ended."""
        with self._lock:
            self._steps.append((step, sent))

    def tools_ran(self, seconds: float) -> None:
        """The tools that the last answer called have ended."""
        with self._lock:
            if self._steps:
                step, sent = self._steps[-1]
                self._steps[-1] = (replace(step, tools_s=(step.tools_s or 0.0) + seconds), sent)

    def total(self, total_s: float) -> Timings:
        """The timings of the whole run."""
        steps = [step for step, _ in self._steps]
        return Timings.total(
            [step.timings for step in steps],
            total_s=total_s,
            starts_s=[step.start_s for step in steps],
            tools_s=sum(step.tools_s or 0.0 for step in steps),
        )

    def finished(
        self,
        *,
        was_resident: bool | None,
        context: int | None,
        options: Mapping[str, Any],
        is_remote: bool,
    ) -> tuple[Step, ...]:
        """The steps with what is known only when the run has ended.

        Parameters
        ----------
        context:
            The context that was in force, in tokens.
        is_remote:
            Whether the model ran elsewhere; what was loaded there is not known.
        """
        told: list[Step] = []
        seen_before = 0
        for step, sent in self._steps:
            seen = step.timings.prompt_tokens
            whole = whole_prompt_tokens(
                sent, seen, context, seen_before=seen_before, options=options
            )
            loaded = was_loaded(step.timings, None if told else was_resident)
            told.append(
                replace(step, loaded=None if is_remote else loaded, whole_prompt_tokens=whole)
            )
            seen_before = max(seen_before, seen or 0)
        return tuple(told)
