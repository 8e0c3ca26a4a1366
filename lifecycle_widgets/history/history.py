"""History: what was seen and asked, kept in one file between notebooks."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from types import TracebackType

from lifecycle_widgets.history import deleting, retention
from lifecycle_widgets.history.file.book import opened
from lifecycle_widgets.history.file.opening import reading
from lifecycle_widgets.history.file.place import history_path, size_bytes
from lifecycle_widgets.history.file.whose import name_for
from lifecycle_widgets.history.keeping import Keeping
from lifecycle_widgets.history.past import Past
from lifecycle_widgets.history.reading import looking_back
from lifecycle_widgets.history.reading.asked import Moment, moment_us
from lifecycle_widgets.history.reading.shown import history_html, history_text
from lifecycle_widgets.history.reading.tables import Tables
from lifecycle_widgets.history.writing.runs import add_run
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import AnyServer, Server

BINS = 240


class History(Tables):
    """Runs, requests and stays in memory of the servers that were watched: one SQLite file.

    It has sizes and times, and the names of models and servers. Never a prompt, an answer, what a
    model thought, a rule, a tool's name or argument, or an error's text. Several processes may
    write at once. Nothing is read or made before it is needed.

    Parameters
    ----------
    path:
        The file. None: the person's own, in the platform's folder for data, or where
        ``LIFECYCLE_WIDGETS_HISTORY`` says; "off" there means that none is kept.

    Raises
    ------
    HistoryError
        Where none is kept; from its methods in one sentence, whatever is wrong with the file.

    Examples
    --------
    >>> history = History("notes/history.sqlite")
    >>> history.span("localhost:11434") is None  # nothing is kept there yet
    True
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path: Path = history_path(path)  #: the file
        self._keepings: list[Keeping] = []

    # --- for a chart -----------------------------------------------------------------------------

    def past(self, server: Server | str, start: datetime, end: datetime, bins: int = BINS) -> Past:
        """What was seen of a server from ``start`` to ``end``, in at most so many bins.

        However long that was, it takes a fraction of a second.

        Raises
        ------
        ValueError
            For fewer than one bin.
        HistoryError
        """
        if bins < 1:
            raise ValueError(f"bins is {bins}. Give 1 or more.")
        name, start, end = name_for(server), start.astimezone(), end.astimezone()
        with reading(self.path) as connection:
            if connection is None:
                return Past(start, end)
            return looking_back.past(connection, name, start, end, bins)

    def last_session(self, server: Server | str) -> Past | None:
        """What was seen the last time that somebody watched the server; None before the first."""
        name = name_for(server)
        with reading(self.path) as connection:
            return looking_back.last_session(connection, name, BINS) if connection else None

    def span(self, server: Server | str) -> tuple[datetime, datetime] | None:
        """From when to when something is known of a server; None where nothing is."""
        name = name_for(server)
        with reading(self.path) as connection:
            return looking_back.span(connection, name) if connection else None

    # --- what goes into it, and out of it --------------------------------------------------------

    def keep(self, of: Monitor | AnyServer = None) -> Keeping:
        """Have written what is seen of a server, and what this process asks it, until `close`.

        Parameters
        ----------
        of:
            A running Monitor, or a server (as `Monitor` takes it), which is watched then.

        Examples
        --------
        >>> with History().keep("localhost") as keeping:  # doctest: +SKIP
        ...     run_agent("Say hello.", model="smollm2:135m")
        """
        keeping = Keeping(self.path, of)
        self._keepings = [*(one for one in self._keepings if one.is_open), keeping]
        return keeping

    def add(self, run: Run) -> None:
        """Keep a run that no `keep` has seen: its sizes and times. Twice is once."""
        server = name_for(run.server_url) if run.server_url else ""
        with opened(self.path) as book, book.transaction():
            add_run(book, book.server(server), run)

    def delete(
        self,
        *,
        model: str | None = None,
        server: Server | str | None = None,
        before: Moment = None,
        everything: bool = False,
    ) -> int:
        """Take out what is of a model, of a server, and from before a time: of all that are given.

        It is overwritten in the file, which gets smaller.

        Returns
        -------
        int
            How many requests, runs and stays are gone.

        Raises
        ------
        ValueError
            Where nothing is given.
        HistoryError
        """
        if not everything and model is server is before is None:
            raise ValueError("Say what to delete: model=, server=, before=, or everything=True.")
        name = None if server is None else name_for(server)
        before_us = moment_us(before)
        with opened(self.path) as book:
            return deleting.delete(book, model, name, before_us, everything=everything)

    def retain(self, *, days: float = retention.DAYS, max_bytes: int = retention.MOST_BYTES) -> int:
        """For how long, and up to which size, things are kept: also by all that write from now on.

        Returns
        -------
        int
            How many requests, runs and stays have gone, the oldest first.

        Raises
        ------
        ValueError
            For numbers that are not above 0.
        HistoryError
        """
        if not (days > 0 and max_bytes > 0):
            raise ValueError("Give days and max_bytes above 0. To have nothing kept, use delete().")
        with opened(self.path) as book:
            retention.set_limits(book, days, max_bytes)
            return retention.apply(book)

    def close(self) -> None:
        """Close every `Keeping` that it made. Harmless when done already."""
        while self._keepings:
            self._keepings.pop().close()

    def __enter__(self) -> History:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # --- the file --------------------------------------------------------------------------------

    @property
    def size_bytes(self) -> int:
        """How much it takes on the disk; 0 before anything is kept."""
        return size_bytes(self.path)

    def __repr__(self) -> str:
        return history_text(self.path)

    def _repr_html_(self) -> str:
        return history_html(self.path)
