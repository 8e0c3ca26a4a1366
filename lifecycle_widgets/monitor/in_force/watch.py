"""What is in force at a server: looked at now and then, and said anew when it has changed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from lifecycle_widgets.monitor.in_force.environment import (
    KEEP_ALIVE,
    default_from,
    default_keep_alive_s,
)
from lifecycle_widgets.monitor.in_force.lives import Lives
from lifecycle_widgets.monitor.in_force.measured import Measured
from lifecycle_widgets.monitor.in_force.started import Started, told_by_process
from lifecycle_widgets.monitor.in_force.told import Told
from lifecycle_widgets.monitor.in_force.values import InForce
from lifecycle_widgets.server import NOT_TOLD, Resident, Server, ServerError, ServerUnreachable

_LOOK_S = 5.0
_ASK_S = 60.0  # for what another program, or the server, has to be asked


class InForceWatch:
    """Follows what is in force at a server, also through restarts and upgrades.

    Parameters
    ----------
    server:
        The Ollama to watch; of it, the version is asked for.

    Examples
    --------
    >>> watch = InForceWatch(Server("192.0.2.1"))
    >>> watch.read(None, "It is elsewhere.", None, answers=False).unseen
    'It is elsewhere.'
    """

    def __init__(self, server: Server) -> None:
        self._server, self._is_local = server, server.is_local
        self._measured, self._lives = Measured(server), Lives()
        self._started = Started(urlsplit(server.url).port or 0)
        self._told: Told | None = None  # by its process
        self._state: object = None  # in which it was looked at last
        self._answers = False
        self._look_s = self._ask_version_s = self._ask_container_s = 0.0  # when to, again
        self._in_force = InForce()

    def read(
        self,
        pid: int | None,
        unseen: str | None,
        residents: Sequence[Resident] | None,
        *,
        answers: bool,
    ) -> InForce:
        """What is in force now: the same object, until something of it has changed.

        Parameters
        ----------
        pid, unseen:
            The server's process; why it cannot be seen.
        residents:
            What is in memory; None where it is not told.
        answers:
            Whether the server does.
        """
        if residents is not None:
            self._measured.see(residents)
        state = (pid, unseen, answers, self._measured.seconds, self._started.told)
        if state != self._state or time.monotonic() >= self._look_s:
            self._state, self._look_s = state, time.monotonic() + _LOOK_S
            came, self._answers = answers and not self._answers, answers
            self._look(pid if unseen is None else None, unseen, came=came)
        return self._in_force

    def _look(self, pid: int | None, unseen: str | None, *, came: bool) -> None:
        lives, restarts = self._lives, self._lives.restarts
        is_new = lives.is_process(pid)
        if is_new or came:
            self._ask_version_s = self._ask_container_s = 0.0
        told = self._read_told(is_new=is_new, is_unseen=unseen is not None)
        if lives.process is None and told.started_at is not None:
            lives.is_container(told.started_at)
        self._read_version()
        if lives.restarts != restarts:
            self._measured.forget()
        seconds, source = self._default(told)
        made = InForce(
            version=lives.version,
            pid=None if lives.process is None else lives.process.pid,
            started_at=lives.began if self._answers or lives.process is not None else None,
            restarts=lives.restarts,
            environment=told.environment,
            environment_from=told.source,
            default_keep_alive_s=seconds,
            default_keep_alive_from=source,
            unseen=unseen or told.missing,
        )
        if made != self._in_force:
            self._in_force = made

    def _read_told(self, *, is_new: bool, is_unseen: bool) -> Told:
        """How it was started, as far as that is known by now."""
        process, now_s = self._lives.process, time.monotonic()
        if is_new and process is not None:
            self._told = told_by_process(process)
            if self._told is None:
                self._started.ask(process.pid)
        elif process is None:
            self._told = None
            may_ask = is_unseen and self._is_local and self._answers
            if may_ask and now_s >= self._ask_container_s:
                self._ask_container_s = now_s + _ASK_S
                self._started.ask(None)
            if not may_ask:
                return Told()
        return self._told or self._started.told or Told()

    def _read_version(self) -> None:
        if not self._answers or time.monotonic() < self._ask_version_s:
            return
        with contextlib.suppress(ServerError, ServerUnreachable):
            version = self._server.version
            self._ask_version_s = time.monotonic() + _ASK_S
            if version != NOT_TOLD:
                self._lives.answers_as(version)

    def _default(self, told: Told) -> tuple[float | None, str | None]:
        """The server's default keep_alive in seconds, and how it is known."""
        if self._measured.seconds is not None:
            return self._measured.seconds, "measured"
        environment = told.environment
        if self._lives.version is None:  # it is no Ollama, or has not said so yet
            return None, None
        if environment is None or (told.missing and KEEP_ALIVE not in environment):
            return None, None
        return default_keep_alive_s(environment), default_from(environment)
