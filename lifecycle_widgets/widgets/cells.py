"""A cell that is run again closes the widgets that it made when it was run before."""

from __future__ import annotations

import hashlib
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakSet

import ipywidgets as widgets
from IPython import get_ipython


@dataclass(frozen=True)
class _Made:
    """A widget, by which run of a cell it was made."""

    widget: widgets.Widget
    request: str


_made: dict[str, list[_Made]] = {}  # by cell
_watched: WeakSet[Any] = WeakSet()  # the shells that tell when a cell has been run


def remember(widget: widgets.Widget) -> None:
    """Note that a widget was made by the cell that is being run; its parts go with it.

    When the cell has been run again it is closed, unless a variable still holds it (a cell may
    make its widget only once, or may have failed). Outside of a notebook's cells nothing happens.
    """
    shell = get_ipython()
    parent = _request(shell)
    if parent is None or threading.current_thread() is not threading.main_thread():
        return
    if shell not in _watched:
        shell.events.register("post_run_cell", _close_older)
        _watched.add(shell)
    parts = {id(part) for part in _parts(widget)}
    cell = _made.setdefault(_cell(parent), [])
    cell[:] = [made for made in cell if id(made.widget) not in parts]
    cell.append(_Made(widget, parent["header"]["msg_id"]))


def forget(widget: widgets.Widget) -> None:
    """Note that a widget was closed: neither this nor IPython's history of outputs holds it."""
    for cell in list(_made.values()):
        cell[:] = [made for made in cell if made.widget is not widget]
    shell = None if sys.is_finalizing() else get_ipython()
    if shell is None:
        return
    for names in (shell.user_ns, shell.user_ns_hidden):
        for name in [n for n, value in list(names.items()) if value is widget and n[0] == "_"]:
            names[name] = None
    outputs = shell.user_ns.get("_oh", {})
    for number in [number for number, value in list(outputs.items()) if value is widget]:
        del outputs[number]
    for name in ("_", "__", "___"):  # the history's own; it goes on where both are the same
        if getattr(shell.displayhook, name, None) is widget:
            setattr(shell.displayhook, name, None)


def _close_older(*_: Any) -> None:
    """A cell has been run: close what it made in earlier runs, and what deleted cells made."""
    shell = get_ipython()
    parent = _request(shell)
    if parent is None:
        return
    request = parent["header"]["msg_id"]
    held = {id(value) for name, value in shell.user_ns.items() if not name.startswith("_")}
    deleted = (parent.get("metadata") or {}).get("deletedCells") or ()
    for cell in (_cell(parent), *deleted):
        kept = []
        for made in _made.pop(cell, ()):
            if made.request == request or id(made.widget) in held:
                kept.append(made)
            else:
                made.widget.close()
        still_open = [made for made in kept if made.widget.comm is not None]
        if still_open:
            _made[cell] = still_open


def _request(shell: Any) -> dict[str, Any] | None:
    """The message that has the kernel run a cell; None where that is not what happens."""
    get_parent = getattr(shell, "get_parent", None)  # only a kernel's shell has it
    parent: dict[str, Any] = (get_parent() if get_parent is not None else None) or {}
    is_cell = parent.get("header", {}).get("msg_type") == "execute_request"
    return parent if is_cell else None


def _cell(parent: dict[str, Any]) -> str:
    """The cell's id, as JupyterLab and VS Code tell it; else its text stands for it."""
    told = (parent.get("metadata") or {}).get("cellId")
    code = str(parent["content"].get("code", ""))
    return str(told) if told else hashlib.sha256(code.encode()).hexdigest()


def _parts(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    for child in getattr(widget, "children", ()):
        yield child
        yield from _parts(child)
