"""RunStatus: the line that says what a run is doing, while it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import ipywidgets as widgets

from lifecycle_widgets.agent import (
    RunEvent,
    StepBegan,
    StepEnded,
    StructureRun,
    Text,
    Thinking,
    ToolsBegan,
)
from lifecycle_widgets.agent.usual_load import usual_load_s
from lifecycle_widgets.server import Server, ServerError, ServerUnreachable, UnknownModel
from lifecycle_widgets.widgets.formats import escaped, seconds_text

_TICK_S = 0.2
_NOT_ASKED = "starting… {}"
_NOT_TOLD, _READS = "waiting for the first token… {}", "reading the prompt… {}"


class RunStatus(widgets.HTML):  # type: ignore[misc]  # ipywidgets has no types
    """Says what a run waits for, and for how long.

    Examples
    --------
    >>> status = RunStatus()
    >>> status.end("done after 1.2 s")
    >>> status.value
    '<span class="lw-muted">done after 1.2 s</span>'
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._followed: StructureRun | None = None
        self.add_class("lw-grow").add_class("lw-status")

    def end(self, text: str) -> None:
        """Say this, and follow no run any more."""
        with self._lock:
            self._followed = None
            self._say(text)

    def follow(
        self, begun: StructureRun, ended: threading.Event, on_tick: Callable[[], None]
    ) -> None:
        """Follow a run, which is not started yet, until it has ended; in a thread of its own.

        Parameters
        ----------
        on_tick:
            Called in that thread a few times a second.
        """
        with self._lock:
            self._followed = begun
            self._say(_NOT_ASKED.format("0.0 s"))
        work = threading.Thread(
            target=self._tick,
            args=(begun, _Stage(begun), ended, on_tick),
            name="lifecycle-status",
            daemon=True,
        )
        work.start()

    def _tick(
        self,
        begun: StructureRun,
        stage: _Stage,
        ended: threading.Event,
        on_tick: Callable[[], None],
    ) -> None:
        while not ended.wait(_TICK_S):
            with self._lock:
                if self._followed is begun and begun.running:
                    self._say(stage.text())
            on_tick()
            stage.look()

    def _say(self, text: str) -> None:
        self.value = f'<span class="lw-muted">{escaped(text)}</span>'


class _Stage:
    """What a run is at: by its events, and by /api/ps while it waits for a first token."""

    def __init__(self, begun: StructureRun) -> None:
        self._begun, self._began_s = begun, time.monotonic()
        self._models: set[str] = set()  # that have been asked
        self._waiting: dict[str, float] = {}  # tasks whose request has no token yet, since when
        self._waits_for, self._is_loaded = _NOT_ASKED, False
        self._is_thinking = False
        self._tools_s = 0.0  # since when tools run
        begun.follow(self._heard)

    def _heard(self, event: RunEvent) -> None:
        """In a thread of the run."""
        if isinstance(event, StepBegan):
            self._models.add(event.model)
            self._waiting[event.task] = time.monotonic()
            self._waits_for, self._is_loaded = _NOT_TOLD, False
        elif isinstance(event, ToolsBegan):
            self._tools_s = time.monotonic()
        elif isinstance(event, (Text, Thinking, StepEnded)):
            self._waiting.pop(event.task, None)
            self._is_thinking = isinstance(event, Thinking)

    def text(self) -> str:
        """In words, with the seconds that it has taken."""
        now_s, waiting = time.monotonic(), list(self._waiting.values())
        if tools := self._begun.tools_running:
            verb = "is" if len(tools) == 1 else "are"
            return f"{', '.join(tools)} {verb} running… {now_s - self._tools_s:.1f} s"
        if waiting or not self._models:
            since_s = min(waiting, default=self._began_s)
            return self._waits_for.format(f"{now_s - since_s:.1f} s")
        stage = "thinking" if self._is_thinking else "streaming"
        if self._begun.asked is None:
            stage = "griptape is at work"
        return f"{stage}… {now_s - self._began_s:.1f} s"

    def look(self) -> None:
        """While it waits, see whether the model is loaded by now (a reading resets no timer)."""
        asked = self._begun.asked
        if not self._waiting or self._is_loaded or asked is None:
            return
        told = _is_loaded(*asked)
        self._is_loaded = bool(told)
        self._waits_for = _READS if told else _NOT_TOLD if told is None else self._loads(*asked)

    def _loads(self, model: str, server: Server) -> str:
        what = "model" if len(self._models) == 1 else model.replace("{", "{{").replace("}", "}}")
        usual_s = usual_load_s(server, model)
        usual = "" if usual_s is None else f", usually {usual_s:.1f} s"
        return f"loading {what}… {{}}{usual}"


def _is_loaded(model: str, server: Server) -> bool | None:
    """Whether the model is in memory by now; None: not told."""
    try:
        return server.resident(model) is not None
    except (ServerUnreachable, ServerError, UnknownModel):
        return None


def thought_text(seconds: float | None, tokens: int | None = None) -> str:
    """How long a model has thought, and on how many tokens where that is known.

    Examples
    --------
    >>> thought_text(3.2), thought_text(3.2, 214), thought_text(None)
    ('Thought for 3.20 s', 'Thought for 3.20 s, 214 tokens', 'Thought')
    """
    text = "Thought" if seconds is None else f"Thought for {seconds_text(seconds)}"
    return text if tokens is None else f"{text}, {tokens} tokens"
