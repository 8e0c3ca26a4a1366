"""InMemory: what /api/ps tells of a run's model, before the run and while it answers."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from lifecycle_widgets.server import (
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
    full_name,
)

_NAME = "lifecycle-in-memory"
_WAIT_S = 0.5  # for an answer that is still on its way when the run has ended


class InMemory:
    """Looks at the model before the run, and when a first token has come; that resets no timer.

    Both looks are taken in threads of their own: the first while griptape prepares the prompt, the
    second while the answer comes (with a keep_alive of 0 the model is gone as soon as that ends).
    """

    def __init__(self, server: Server, model: str) -> None:
        self._server, self._model = server, model
        self._before: Future[None] | None = None
        self._look: threading.Thread | None = None
        self.was_resident: bool | None = None
        """Whether it was in memory before the run; None: not told."""
        self.context_before: int | None = None
        """Its context then, in tokens."""
        self.zeroed = ""
        """The name in memory of a model that is to leave with each answer; "" for others."""
        self._context: int | None = None

    def begin_to_look(self, leaves: bool) -> None:
        """Begin to look how it is in memory before the run.

        Parameters
        ----------
        leaves:
            Whether it is to leave with each answer: then its name in memory is found as well.
        """
        self._before = Future()
        threading.Thread(
            target=self._look_before, args=(self._before, leaves), name=_NAME, daemon=True
        ).start()

    def before(self) -> None:
        """Wait until it is known how it was. Raises ServerUnreachable where no server is there."""
        if self._before is not None:
            self._before.result()

    def _look_before(self, told: Future[None], leaves: bool) -> None:
        try:
            resident = None
            with suppress(ServerError):  # a server that does not tell can still answer
                resident = self._server.resident(self._model)
                self.was_resident = resident is not None
                self.context_before = resident.context_length if resident is not None else None
            if leaves:
                self.zeroed = self._known_as(resident)
            told.set_result(None)
        except BaseException as fault:  # told by the run
            told.set_exception(fault)

    def _known_as(self, resident: Resident | None) -> str:
        """The name under which /api/ps has it."""
        if resident is not None:
            return full_name(resident.name)
        with suppress(ServerError, ServerUnreachable, UnknownModel):
            return full_name(self._server.require(self._model).name)  # its letter case may differ
        return full_name(self._model)

    def look_meanwhile(self) -> None:
        """Begin to look how it is in memory now, unless that is known or being looked at."""
        if self._context is None and not (self._look is not None and self._look.is_alive()):
            self._look = threading.Thread(target=self._read, name=_NAME, daemon=True)
            self._look.start()

    def context_length(self, options: Mapping[str, Any], *, wait: bool) -> int | None:
        """The context that was in force; None when it is not told.

        Parameters
        ----------
        options:
            Those of the run; a ``num_ctx`` that was chosen counts where /api/ps does not tell.
        wait:
            Whether an answer that is still on its way is waited for, for a moment.
        """
        if wait and self._look is not None:
            self._look.join(_WAIT_S)
        chosen = options.get("num_ctx")
        told = self._context
        return told if told is not None or not isinstance(chosen, int) else chosen

    def _read(self) -> None:
        with suppress(ServerError, ServerUnreachable, UnknownModel):
            resident = self._server.resident(self._model)
            self._context = resident.context_length if resident is not None else None
