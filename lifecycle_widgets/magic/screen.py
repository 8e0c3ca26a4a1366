"""Screen: a run's events as text below its cell, in a notebook and in a terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass

from IPython.display import display

from lifecycle_widgets.agent import RunEvent, StepEnded, StructureRun, Text, ToolsEnded
from lifecycle_widgets.magic.paper import Paper
from lifecycle_widgets.magic.words import cost_text, task_text, tools_text
from lifecycle_widgets.runs import Run

_PATIENCE_S = 1.0  # how long nothing may come before a line says so


@dataclass
class _Waiting:
    """What has come of a task while another one's text is being written."""

    model: str
    text: str = ""
    is_over: bool = False


class Screen:
    """Writes what a run says. The texts of tasks that run beside each other come one by one.

    Parameters
    ----------
    run:
        The run.
    paper:
        What is written on.
    names_tasks:
        Whether each text is headed by the task that it is of.
    """

    def __init__(self, run: StructureRun, paper: Paper, *, names_tasks: bool) -> None:
        self._run, self._paper, self._names_tasks = run, paper, names_tasks
        self._began_s = time.monotonic()
        self._task: str | None = None  # whose text is being written
        self._headed: tuple[str, str] | None = None  # whose text was the last
        self._waiting: dict[str, _Waiting] = {}

    def hear(self, event: RunEvent) -> None:
        """Something has happened."""
        if isinstance(event, Text):
            self._text(event.task, event.model, event.text)
        elif isinstance(event, StepEnded):
            self._step_ended(event.task)
        elif isinstance(event, ToolsEnded) and event.task not in self._waiting:
            self._paper.end_line()
            self._paper.write(f"{tools_text(event)}\n")
        self._paper.show()

    def tick(self) -> None:
        """Nothing has happened for a while."""
        waited_s = time.monotonic() - self._began_s
        if self._headed is None and waited_s > _PATIENCE_S:
            what = "thinks" if self._run.is_thinking else "has not begun to answer"
            self._paper.status = f"{self._run.model} {what}: {waited_s:.0f} s"
        self._paper.show()

    def end(self, run: Run) -> None:
        """It is over: write what is left, and what it cost."""
        for other in self._waiting.values():
            other.is_over = True
        self._go_on()
        self._paper.status = ""
        self._paper.show(now=True)
        if run.steps and (run.error is None or run.timings.ttft_s is not None):
            display({"text/plain": cost_text(run)}, raw=True)

    # --- one task after the other ----------------------------------------------------------------

    def _text(self, task: str, model: str, text: str) -> None:
        if self._task is None:
            self._begin(task, model)
        if task == self._task:
            self._paper.write(text)
        else:
            self._waiting.setdefault(task, _Waiting(model)).text += text

    def _step_ended(self, task: str) -> None:
        if task == self._task:
            self._go_on()
        elif task in self._waiting:
            self._waiting[task].is_over = True

    def _go_on(self) -> None:
        """The text of a task has ended: write what has come of others meanwhile."""
        self._paper.end_line()
        self._task = None
        while self._waiting and self._task is None:
            task = next(iter(self._waiting))
            other = self._waiting.pop(task)
            self._begin(task, other.model)
            self._paper.write(other.text)
            if other.is_over:
                self._paper.end_line()
                self._task = None

    def _begin(self, task: str, model: str) -> None:
        self._task, self._paper.status = task, ""
        if self._names_tasks and (task, model) != self._headed:
            self._paper.write(f"{task_text(task, model)}\n")
        self._headed = task, model
