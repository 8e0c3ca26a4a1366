"""ResidentsPoll: what is in memory, asked for twice a second at as little cost as can be."""

from __future__ import annotations

from lifecycle_widgets.server import answers
from lifecycle_widgets.server.door.door import Door
from lifecycle_widgets.server.door.questions import Questions
from lifecycle_widgets.server.door.short_way import ShortWay
from lifecycle_widgets.server.errors import NotTold
from lifecycle_widgets.server.values import Resident


class ResidentsPoll:
    """As `Server.residents`, by a connection of its own; from one thread at a time.

    An answer that has the same bytes as the one before is not read again: the same tuple comes.

    Parameters
    ----------
    door, questions:
        The way to the server, and with which patience.
    """

    def __init__(self, door: Door, questions: Questions) -> None:
        self._door = door
        self._way = ShortWay(door, questions, "/api/ps")
        self._read: tuple[bytes, float] | None = None  # the answer, how far its clock was ahead
        self._residents: tuple[Resident, ...] = ()

    def residents(self) -> tuple[Resident, ...]:
        """The models in memory, the last to expire first. Resets no timer.

        Raises
        ------
        NotTold
            When the server has no list of them.
        ServerUnreachable, ServerError
        """
        try:
            read = self._way.get(), self._door.clock.ahead_s
            if read != self._read:
                self._residents = tuple(answers.residents(answers.parsed(read[0]), read[1]))
                self._read = read
        except (NotTold, answers.Unreadable) as fault:
            raise no_list(self._door.url, fault) from fault
        return self._residents

    def close(self) -> None:
        """Close the connection; the next question opens one anew."""
        self._way.close()


def no_list(url: str, fault: NotTold | answers.Unreadable) -> NotTold:
    """The one exception for a server that does not tell what is in memory."""
    why = f"{fault.status} for /api/ps" if isinstance(fault, NotTold) else str(fault)
    return NotTold(f"{url} does not tell which models are in memory ({why}).")
