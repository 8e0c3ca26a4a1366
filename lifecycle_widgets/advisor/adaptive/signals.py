"""Signals: what else is known of the next request, beside the gaps; each says "soon", or nothing.

An `AdaptiveKeepAlive` takes them as ``knows=``. One is any callable that is given the model's name
and the `Server` (None: not known), right before a request is sent, and returns "soon", "not soon",
or None (it cannot tell). It only ever moves the choice to what can be paid for: "soon" to T* at
least, "not soon" to 0. What it raises counts as None.

That the structure that is run has a task still to come which asks the same model is certain, and
needs no signal. Which cells are queued a kernel does not tell: to look into its sockets would take
the news of them from it.
"""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

from lifecycle_widgets.server import Server, same_name

Word: TypeAlias = Literal["soon", "not soon"] | None
Signal: TypeAlias = Callable[[str, Server | None], Word]
"""See this file's docstring."""


class AskedInThisCell:
    """Says "soon" while the notebook's cell that runs has asked the model before: it is a loop.

    Make it in a notebook's cell: it is told of those that run after that one. Where there is no
    notebook, between cells, and of what a plain griptape driver asks, it says nothing.

    Examples
    --------
    >>> AskedInThisCell()("llama3.2", Server("localhost")) is None  # there is no notebook
    True
    """

    def __init__(self) -> None:
        self._began_s: float | None = None  # the cell that runs
        # nothing is imported for that: where there is a notebook, IPython is there
        ipython = sys.modules.get("IPython")
        shell = None if ipython is None else ipython.get_ipython()
        if shell is not None:
            self._begins()
            _told_while_there(shell.events, "pre_run_cell", self._begins)
            _told_while_there(shell.events, "post_run_cell", self._ends)

    def __call__(self, model: str, server: Server | None) -> Word:
        began_s = self._began_s
        if began_s is None or server is None:
            return None
        own = (one for one in server.own_requests.all() if one.began_s >= began_s)
        return "soon" if any(same_name(one.model, model) for one in own) else None

    def _begins(self) -> None:
        self._began_s = time.monotonic()

    def _ends(self) -> None:
        self._began_s = None


def _told_while_there(events: Any, name: str, told: Callable[[], None]) -> None:
    """Have a method told of each such event, until nobody has its object any more."""
    method = weakref.WeakMethod(told)

    def happened(*_: object) -> None:
        if (there := method()) is not None:
            there()
        else:
            events.unregister(name, happened)

    events.register(name, happened)
