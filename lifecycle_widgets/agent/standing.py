"""Standing: how a run stands, for whoever looks at it from another thread."""

from __future__ import annotations

import threading
from typing import Any

from lifecycle_widgets.agent.record.record import Record
from lifecycle_widgets.agent.structures.staged import Staged
from lifecycle_widgets.runs import Step
from lifecycle_widgets.server import Server


class Standing:
    """What a `StructureRun` tells of itself; reading it changes nothing."""

    _staged: Staged | None
    _record: Record
    _thread: threading.Thread | None
    _ended: threading.Event
    _unwound: threading.Event  # nothing of the run is in the structure any more

    @property
    def is_started(self) -> bool:
        """True from `start` on."""
        return self._thread is not None

    @property
    def running(self) -> bool:
        """True from `start` until the end."""
        return self._thread is not None and not self._ended.is_set()

    @property
    def model(self) -> str:
        """The model that gives the answer."""
        return self._staged.answers.model if self._staged is not None else ""

    @property
    def server(self) -> Server:
        """Where that one is asked."""
        assert self._staged is not None  # an AgentRun, which makes its agent later, has its own
        return self._staged.answers.server

    @property
    def answer(self) -> str:
        """The text so far; of a run that calls tools, of the last step that has a text."""
        return self._record.heard.answer

    @property
    def thinking(self) -> str:
        """What it has thought so far."""
        return self._record.heard.thoughts

    @property
    def steps(self) -> tuple[Step, ...]:
        """The requests that have ended so far."""
        return self._record.steps.so_far

    @property
    def asked(self) -> tuple[str, Server] | None:
        """The model, and the server, of the request in flight; None between requests."""
        return self._staged.asked if self._staged is not None and self.running else None

    @property
    def is_thinking(self) -> bool:
        """True while a model thinks: that is what came last."""
        return self.running and any(client.is_thinking for client in self._clients)

    @property
    def thinking_s(self) -> float | None:
        """How long it has thought so far; None when it has not."""
        known = [c.thinking_s for c in self._clients if c.thinking_s is not None]
        return sum(known) if known else None

    @property
    def waiting_for_first_token(self) -> bool:
        """True while nothing has come of a request: its model is loading, or reads the prompt."""
        waits = any(client.is_waiting for client in self._clients)
        return self.running and (waits or not (self.steps or self.asked))

    @property
    def is_held(self) -> bool:
        """Whether a model is held between its requests."""
        return self._staged is not None and self._staged.is_held

    @property
    def tools_running(self) -> tuple[str, ...]:
        """The names of the tools that run at this moment."""
        staged = self._staged
        return staged.listening.tools_running if staged is not None and self.running else ()

    @property
    def left_behind(self) -> tuple[str, ...]:
        """The names of the threads that still run though the run has ended: a tool that blocks."""
        if not self._ended.is_set() or self._thread is None or self._unwound.is_set():
            return ()
        tools = self._staged.listening.threads if self._staged is not None else ()
        return tuple(thread.name for thread in tools) or (self._thread.name,)

    @property
    def _clients(self) -> Any:
        return self._staged.clients if self._staged is not None else ()
