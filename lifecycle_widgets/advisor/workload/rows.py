"""Rows: requests read one by one, with a sentence for the first that is none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.gathering import Gathering


class Rows:
    """Takes in rows as they stand in a file.

    Parameters
    ----------
    gathering:
        What they come into.
    server:
        Only this server's; None: all, if these are of one.
    """

    def __init__(self, gathering: Gathering, server: str | None = None) -> None:
        self._gathering, self._columns = gathering, gathering.columns
        self._server = server
        self._servers: set[str] = set()

    def add(self, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> None:
        """A block of them, each with its line.

        Raises
        ------
        WorkloadError
        """
        names: dict[str, int] = {}
        of, start_s, service_s, lines = [], [], [], []
        for line, row in rows:
            try:
                if not (self._columns.is_work(row.get) and self._is_wanted(row)):
                    continue
                name, began_s, took_s, has_zone = self._columns.request(row.get)
            except WorkloadError as fault:
                raise self._gathering.fault(str(fault), line) from None
            self._gathering.zone(has_zone, line)
            if name is not None:
                of.append(names.setdefault(name, len(names)))
            start_s.append(began_s)
            service_s.append(took_s)
            lines.append(line)
        is_one = self._columns.stream is None
        self._gathering.add(
            None if is_one else list(names),
            None if is_one else np.array(of, dtype="int64"),
            np.array(start_s, dtype="float64"),
            np.array(service_s, dtype="float64"),
            np.array(lines, dtype="int64"),
        )

    def _is_wanted(self, row: Mapping[str, Any]) -> bool:
        """Whether it is of the server that was asked for; several, and none was: that is said."""
        if self._columns.server is None:
            return True
        name = str(row.get(self._columns.server))
        if self._server is not None:
            return name == self._server
        self._servers.add(name)
        if len(self._servers) > 1:
            named = " and ".join(sorted(self._servers))
            raise WorkloadError(
                f"there are requests of {named}. Say which one is meant, with server=."
            )
        return True
