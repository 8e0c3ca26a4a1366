"""Who else was there while a lesson measured: by what the server shows, and by notices."""

from __future__ import annotations

import time
from collections.abc import Collection
from datetime import datetime

from lifecycle_widgets.monitor import Monitor, Request, Residency
from lifecycle_widgets.neighbours import Neighbour, neighbours
from lifecycle_widgets.server import Server, ServerError, ServerUnreachable

_SETTLES_S = 1.5  # a monitor looks twice a second, and what a request was is known a moment later
_OURS = "ours"
_BY_OTHERS = ("requested elsewhere", "server gone")


class Company:
    """Knows who else has used a server since a moment.

    Parameters
    ----------
    server:
        The one that is measured.

    Examples
    --------
    >>> company = Company(Server("192.0.2.1"))  # an address that is kept for examples
    >>> company.here()
    ()
    >>> company.close()
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._monitor = Monitor.shared(server)

    def here(self) -> tuple[Neighbour, ...]:
        """Other processes that have said that they use this server."""
        return tuple(one for one in neighbours() if one.server_url == self._server.url)

    def since(self, began_at: datetime, models: Collection[str]) -> str:
        """What others did since then, in a sentence; empty where nothing is known of any.

        Waits a moment first: what has just happened is known a little later.
        """
        time.sleep(_SETTLES_S)
        asked = [one for one in self._monitor.requests() if _is_by_others(one, began_at)]
        if asked:  # also of other models: they take the place of ours, and the processor
            last = max(one.ended_at or datetime.now().astimezone() for one in asked)
            times = sum(one.count for one in asked)
            often = "once" if times == 1 else f"{times} times"
            names = " and ".join(sorted({one.model for one in asked if one.model}))
            when = f"{often}, the last at {last:%H:%M:%S}"
            return f"Somebody else used {names or 'a model'} meanwhile ({when})"
        for stay in self._monitor.residencies():
            if stay.until and stay.until >= began_at and self._is_ended_by_others(stay, models):
                return (
                    f"Somebody else made {stay.model} leave at {stay.until:%H:%M:%S} ({stay.why})"
                )
        if others := self.here():
            return f"{_people(others)} at the same time"
        return ""

    def close(self) -> None:
        """End its share in the monitor. Idempotent."""
        self._monitor.release()

    def _is_ended_by_others(self, stay: Residency, models: Collection[str]) -> bool:
        return stay.why in _BY_OTHERS and self._is_one_of(stay.model, models)

    def _is_one_of(self, name: str, models: Collection[str]) -> bool:
        try:
            return not name or any(self._server.same_model(name, model) for model in models)
        except (ServerError, ServerUnreachable):
            return name in models


def _is_by_others(one: Request, began_at: datetime) -> bool:
    return one.whose != _OURS and (one.ended_at is None or one.ended_at >= began_at)


def _people(others: Collection[Neighbour]) -> str:
    """Who they are, as far as they have said.

    Examples
    --------
    >>> one = Neighbour(1, "ada", "lesson", "http://127.0.0.1:1", (), 0, datetime(2026, 1, 1))
    >>> _people([one]), _people([one, one])
    ('Another notebook used this Ollama', '2 other notebooks used this Ollama')
    """
    count = len(others)
    who = "Another notebook" if count == 1 else f"{count} other notebooks"
    return f"{who} used this Ollama"
