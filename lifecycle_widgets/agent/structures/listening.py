"""Listening: what griptape tells of a run: tasks that end, tools that begin and end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from lifecycle_widgets.runs import ToolCall

TOOL_THREAD = "lifecycle-tool"
"""How the names of the threads begin in which tools run."""


class Hears(Protocol):
    """Who is told. A stop is raised from `may_go_on`."""

    def may_go_on(self) -> None: ...
    def task_ended(self, task: str) -> None: ...
    def tools_began(self, task: str, calls: tuple[ToolCall, ...]) -> None: ...
    def tools_ended(self, task: str, calls: tuple[ToolCall, ...], seconds: float) -> None: ...


class Listening:
    """Hears griptape's events of these tasks, and of no other run's.

    What one of their tools runs is heard as well, and its tasks may have the same ids. But a task
    tells all in the thread in which it began, and its tools run in others.

    Parameters
    ----------
    tasks:
        The tasks by id.
    tell:
        Who is told, in the thread in which it happens.
    """

    def __init__(self, tasks: Mapping[str, Any], tell: Hears) -> None:
        self._tasks, self._tell = tasks, tell
        self._lock = threading.Lock()
        self._began: dict[str, tuple[float, tuple[ToolCall, ...]]] = {}  # by subtask
        self._names: list[str] = []  # how the names of our tools' threads begin
        self._threads: dict[str, int] = {}  # by task: where it runs

    @property
    def tools_running(self) -> tuple[str, ...]:
        """The names of the tools that run at this moment."""
        with self._lock:
            return tuple(call.name for _, calls in self._began.values() for call in calls)

    @property
    def threads(self) -> tuple[threading.Thread, ...]:
        """The threads in which tools run at this moment."""
        names = tuple(self._names)
        return tuple(t for t in threading.enumerate() if names and t.name.startswith(names))

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear griptape's event bus, in this thread and in those that griptape starts in it.

        Before a person's own listeners: one that raises keeps the event from those after it.
        """
        from griptape.events import (
            EventBus,
            EventListener,
            FinishActionsSubtaskEvent,
            FinishTaskEvent,
            StartActionsSubtaskEvent,
            StartTaskEvent,
        )

        kinds: dict[Any, Callable[[Any], None]] = {
            StartTaskEvent: self._task_begins,
            FinishTaskEvent: self._task_ends,
            StartActionsSubtaskEvent: self._tools_begin,
            FinishActionsSubtaskEvent: self._tools_end,
        }

        def heard(event: Any) -> None:
            kinds[type(event)](event)

        ours = EventListener(heard, event_types=list(kinds))
        alone = [task.id for task in self._tasks.values() if task.structure is None]
        self._threads.update(dict.fromkeys(alone, threading.get_ident()))  # which tells no begin
        EventBus.event_listeners = [ours, *EventBus.event_listeners]
        try:
            yield
        finally:
            EventBus.remove_event_listener(ours)

    def _task_begins(self, event: Any) -> None:
        here, threads = threading.get_ident(), dict(self._threads)
        begun = (self._tasks[task] for task in threads if threads[task] == here)
        if event.task_id not in self._tasks or event.task_id in self._threads:
            return
        if any(task.is_running() for task in begun):
            return  # it is of a structure that one of ours runs
        self._threads[event.task_id] = here
        self._tell.may_go_on()

    def _task_ends(self, event: Any) -> None:
        if self._is_ours(event.task_id):
            self._tell.task_ended(event.task_id)

    def _is_ours(self, task: str) -> bool:
        return self._threads.get(task) == threading.get_ident()

    def _tools_begin(self, event: Any) -> None:
        task = event.subtask_parent_task_id
        if not self._is_ours(task):
            return
        self._tell.may_go_on()
        calls = tuple(_call(action) for action in event.subtask_actions or ())
        self._name_threads(self._tasks[task], event.task_id, calls)
        with self._lock:
            self._began[event.task_id] = time.monotonic(), calls
        self._tell.tools_began(task, calls)

    def _tools_end(self, event: Any) -> None:
        with self._lock:
            began = self._began.pop(event.task_id, None)
        if began is not None:
            began_s, calls = began
            told = _with_errors(calls, event.task_output)
            self._tell.tools_ended(event.subtask_parent_task_id, told, time.monotonic() - began_s)
            self._tell.may_go_on()

    def _name_threads(self, task: Any, subtask_id: str, calls: tuple[ToolCall, ...]) -> None:
        """Name the threads in which the tools are about to run."""
        tools = "-".join(dict.fromkeys(call.name for call in calls))
        name = f"{TOOL_THREAD}-{tools}-{subtask_id[:6]}"
        self._names.append(name)
        for subtask in (*getattr(task, "subtasks", ()), getattr(task, "subtask", None)):
            if subtask is not None and subtask.id == subtask_id:
                subtask.create_futures_executor = partial(
                    ThreadPoolExecutor, thread_name_prefix=name
                )


def _call(action: Mapping[str, Any]) -> ToolCall:
    """As Ollama names it."""
    name = "_".join(str(action[key]) for key in ("name", "path") if action.get(key))
    return ToolCall(name, dict(action.get("input") or {}))


def _with_errors(calls: tuple[ToolCall, ...], output: Any) -> tuple[ToolCall, ...]:
    """The calls, with what each raised; griptape gives their outputs in the calls' order."""
    from griptape.artifacts import ErrorArtifact, ListArtifact

    outputs = list(output.value) if isinstance(output, ListArtifact) else [output] * len(calls)
    told = []
    for call, one in zip(calls, outputs, strict=False):
        error = _error(one) if isinstance(one, ErrorArtifact) else None
        told.append(ToolCall(call.name, call.arguments, error))
    return tuple(told) if len(told) == len(calls) else calls


def _error(artifact: Any) -> str:
    said = " ".join(str(artifact.value).split())
    fault = artifact.exception
    return f"{type(fault).__name__}: {said}" if fault is not None else said
