"""What the widgets share: a column with the style in it, a message area, and two trait types."""

from __future__ import annotations

import difflib
import inspect
import threading
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import anywidget
import ipywidgets as widgets
import traitlets

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.cells import forget, remember
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.still.still import Still
from lifecycle_widgets.widgets.style import Style

_VIEW = "application/vnd.jupyter.widget-view+json"
_PASSED_ON = {"layout"}  # what ipywidgets itself may be given
_Whole = TypeVar("_Whole", bound="Composite")


def refuse_unknown(widget: type, keywords: Mapping[str, Any]) -> None:
    """Raise TypeError for a keyword that the widget does not have: ipywidgets would swallow it."""
    parameters = list(inspect.signature(widget.__init__).parameters.values())[1:]  # type: ignore[misc]
    known = [p.name for p in parameters if p.kind is not p.VAR_KEYWORD] + sorted(_PASSED_ON)
    for name in keywords:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f" Did you mean {near[0]!r}?" if near else ""
            raise TypeError(
                f"{widget.__name__} has no keyword {name!r}.{meant} It takes: {', '.join(known)}."
            )


class _SharedStyle:
    """One `Style` for all composites that are open: it is large, and is sent and saved once."""

    def __init__(self) -> None:
        # Python collects at any time, and a widget that it collects closes itself: also in here
        self._lock, self._users = threading.RLock(), set[int]()
        self._style: Style | None = None

    def take(self, user: object) -> Style:
        """The style, for one more composite."""
        with self._lock:
            self._users.add(id(user))
            if self._style is None:
                self._style = Style()
            return self._style

    def give_back(self, user: object) -> None:
        """That composite is closed; with the last one the style is, too. Idempotent."""
        with self._lock:
            self._users.discard(id(user))
            unused, self._style = (None, self._style) if self._users else (self._style, None)
        if unused is not None:
            close_all(unused)


_style = _SharedStyle()


class Composite(Still, widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A column of widgets with the package's style in it. `close` closes the parts too.

    Where it was made by a notebook's cell, it is closed when the cell has been run again; made by
    ``with``, at the end of that.
    """

    def __init__(self, children: Iterable[widgets.Widget], keywords: Mapping[str, Any]) -> None:
        refuse_unknown(type(self), keywords)
        super().__init__([*children, _style.take(self)], **keywords)
        self.add_class("lw")
        remember(self)

    def close(self) -> None:
        """Remove it, and what it is made of, from the page. Idempotent."""
        self._still_ends()
        for child in self.children:
            if not isinstance(child, Style):
                close_all(child)
        super().close()
        _close_looks(self)
        _style.give_back(self)
        forget(self)

    def __enter__(self: _Whole) -> _Whole:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        # ipywidgets would print every trait of every part
        return f"{type(self).__name__}({self._in_short()})"

    def _in_short(self) -> str:
        return ""


class Frame(widgets.VBox):  # type: ignore[misc]
    """Around a widget with a view of its own, where that stands alone on the page.

    It has the package's style, and says when the kernel is gone, which an anywidget's view is not
    told.
    """

    def __init__(self, within: widgets.Widget) -> None:
        super().__init__([within, _style.take(self)])
        self.add_class("lw")

    def close(self) -> None:
        """Remove it, without what is in it. Idempotent."""
        super().close()
        _close_looks(self)
        _style.give_back(self)


class Framed(Still):
    """Has a widget stand in a `Frame` where it is displayed by itself; mix it in before its class.

    ``_unframe`` is for its `close`.
    """

    _frame: Frame | None = None

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        bundle = super()._repr_mimebundle_(**keywords)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None and _VIEW in data:
            if self._frame is None:
                self._frame = Frame(self)
            data[_VIEW] = {**data[_VIEW], "model_id": self._frame.model_id}
        return bundle

    def _unframe(self) -> None:
        frame, self._frame = self._frame, None
        if frame is not None:
            frame.close()


class Single(Framed, anywidget.AnyWidget):
    """A widget with a view of its own that can stand by itself; as `Composite` in all else."""

    def __init__(self, **keywords: Any) -> None:
        super().__init__(**keywords)
        remember(self)

    def close(self) -> None:
        """Remove it from the page. Idempotent."""
        self._still_ends()
        self._unframe()
        super().close()
        _close_looks(self)
        forget(self)


def close_all(widget: widgets.Widget) -> None:
    """Close a widget and what is in it; a `Composite` sees to its own parts."""
    if not isinstance(widget, Composite):
        for child in getattr(widget, "children", ()):
            close_all(child)
    widget.close()
    _close_looks(widget)


def _close_looks(widget: widgets.Widget) -> None:
    """Close a widget's layout and style: to ipywidgets each is a widget of its own, and stays."""
    for name in ("layout", "style"):
        look = getattr(widget, name, None)
        if isinstance(look, widgets.Widget):
            look.close()


class Message(widgets.HTML):  # type: ignore[misc]
    """The one place where a widget says what went wrong. Empty, it takes no room."""

    def __init__(self) -> None:
        super().__init__()
        self.layout.display = "none"
        self.layout.margin = "0"

    def show(self, text: str, *, is_error: bool = True) -> None:
        """Show a text (of any origin: it is escaped); an empty one hides the area."""
        kind, role = ("lw-error", "alert") if is_error else ("lw-note", "status")
        self.value = (
            f'<div class="lw-message {kind}" role="{role}">{escaped(text)}</div>' if text else ""
        )
        self.layout.display = None if text else "none"


def tell_again(owner: traitlets.HasTraits, name: str) -> None:
    """Tell those who observe a trait, and its links, of its value, though it has not changed.

    A link from here to a field in which a mistake stands puts the value in its place.
    """
    value = getattr(owner, name)
    owner.notify_change(
        traitlets.Bunch(name=name, old=value, new=value, owner=owner, type="change")
    )


class KeepAliveTrait(traitlets.TraitType[KeepAlive, Any]):
    """A KeepAlive; takes everything that `KeepAlive` takes, and raises its ValueError.

    One that decides anew for each request stays what it is.
    """

    info_text = "what KeepAlive takes, such as '5m', 0, 'forever' or None"
    default_value = KeepAlive(None)

    def validate(self, obj: Any, value: Any) -> KeepAlive:
        return KeepAlive.of(value)


class ServerTrait(traitlets.TraitType[Server | None, Any]):
    """A Server, None, or what `Server.of` takes: an address in any form, or a Sandbox."""

    info_text = "a Server, a Sandbox, or an address such as 'localhost:11434'"
    default_value = None
    allow_none = True

    def validate(self, obj: Any, value: Any) -> Server | None:
        try:
            return None if value is None else Server.of(value)
        except TypeError as fault:
            raise traitlets.TraitError(str(fault)) from None
