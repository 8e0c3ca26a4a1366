"""Where news are written: for people, or as JSON; quietly ended when nobody reads any more."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable
from typing import TextIO, TypeAlias

from lifecycle_widgets.watch.news.news import News
from lifecycle_widgets.watch.written.lines import line
from lifecycle_widgets.watch.written.records import record

Write: TypeAlias = Callable[[str, News], None]
"""Writes one news of the server of this name. Raises BrokenPipeError when nobody reads it."""


def for_programs(out: TextIO) -> Write:
    """NDJSON: one object per line; see `records.ABOUT`."""

    def write(server: str, news: News) -> None:
        out.write(f"{json.dumps(record(server, news), ensure_ascii=False, allow_nan=False)}\n")
        out.flush()

    return write


def for_people(out: TextIO, widest: int = 0) -> Write:
    """A line per event. ``widest``: as long is the longest of several names; 0: one server."""

    def write(server: str, news: News) -> None:
        said = line(news)
        if said is None:  # a sample comes every few seconds: a time to look
            if _has_no_reader(out):
                raise BrokenPipeError
            return
        clock, _, rest = said.partition("  ")
        name = f"{server:{widest}}  " if widest else ""
        out.write(f"{clock}  {name}{rest}\n")
        out.flush()

    return write


def leave_unread(out: TextIO) -> None:
    """What is still to be written goes nowhere: Python writes it at its end, and would complain."""
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), out.fileno())


def _has_no_reader(out: TextIO) -> bool:
    """Whether it is a pipe whose other end is closed; False where that cannot be seen."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    try:
        poll.register(out.fileno(), select.POLLERR)
        return any(event & select.POLLERR for _, event in poll.poll(0))
    except (OSError, ValueError):
        return False
