"""RunStatus: the line that says what a run is doing, while it goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import ipywidgets as widgets

from lifecycle_widgets.agent import AgentRun
from lifecycle_widgets.server import ServerError, ServerUnreachable
from lifecycle_widgets.widgets.formats import escaped, seconds_text

_TICK_S = 0.2
_NOT_ASKED, _NOT_TOLD = "starting", "waiting for the first token"
_STAGES = {None: _NOT_TOLD, False: "loading model", True: "reading the prompt"}


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
        self._followed: AgentRun | None = None
        self.add_class("lw-grow")

    def end(self, text: str) -> None:
        """Say this, and follow no run any more."""
        with self._lock:
            self._followed = None
            self._say(text)

    def follow(self, begun: AgentRun, ended: threading.Event, on_tick: Callable[[], None]) -> None:
        """Follow a run until it has ended, in a thread of its own.

        Parameters
        ----------
        on_tick:
            Called in that thread a few times a second.
        """
        with self._lock:
            self._followed = begun
            self._say(f"{_NOT_ASKED}… 0.0 s")
        work = threading.Thread(
            target=self._tick, args=(begun, ended, on_tick), name="lifecycle-status", daemon=True
        )
        work.start()

    def _tick(self, begun: AgentRun, ended: threading.Event, on_tick: Callable[[], None]) -> None:
        started, waits_for, is_loaded = time.monotonic(), _NOT_ASKED, False
        while not ended.wait(_TICK_S):
            waiting = begun.waiting_for_first_token
            stage = "thinking" if begun.is_thinking else waits_for if waiting else "streaming"
            with self._lock:
                if self._followed is begun and begun.running:
                    self._say(f"{stage}… {time.monotonic() - started:.1f} s")
            on_tick()
            if waiting and not is_loaded:
                told = _is_loaded(begun)
                waits_for, is_loaded = _STAGES[told], bool(told)

    def _say(self, text: str) -> None:
        self.value = f'<span class="lw-muted">{escaped(text)}</span>'


def thought_text(seconds: float | None, tokens: int | None = None) -> str:
    """How long a model has thought, and on how many tokens where that is known.

    Examples
    --------
    >>> thought_text(3.2), thought_text(3.2, 214), thought_text(None)
    ('Thought for 3.20 s', 'Thought for 3.20 s, 214 tokens', 'Thought')
    """
    text = "Thought" if seconds is None else f"Thought for {seconds_text(seconds)}"
    return text if tokens is None else f"{text}, {tokens} tokens"


def _is_loaded(begun: AgentRun) -> bool | None:
    """Whether the model is in memory by now (a reading resets no timer); None: not told."""
    try:
        return begun.server.resident(begun.model) is not None
    except (ServerUnreachable, ServerError):
        return None
