"""Drawers: parts that are made when they are first opened, one open at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.widgets.base import close_all

Make = Callable[[], widgets.Widget]


class Drawers(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A row of words; the one that is clicked opens its part below, clicked again it closes.

    A part is made when it is opened and closed when it is shut, so that what is not looked at
    costs nothing.

    Parameters
    ----------
    makes:
        What each word opens: a function that makes the part.
    tooltips:
        What stands at each word when it is pointed at.

    Examples
    --------
    >>> drawers = Drawers({"History": lambda: widgets.HTML("empty")}, {})
    >>> drawers.opened = "History"
    >>> drawers.part.value
    'empty'
    >>> drawers.close()
    """

    opened = traitlets.Unicode(help="The word that is open; empty: none.")

    def __init__(self, makes: Mapping[str, Make], tooltips: Mapping[str, str]) -> None:
        self._makes = dict(makes)
        self.part: widgets.Widget | None = None
        self._words = {}
        look: dict[str, widgets.Widget] = {}  # one for all: each is a widget, and is saved
        for word in self._makes:
            button = widgets.ToggleButton(
                description=word, tooltip=tooltips.get(word, word), **look
            )
            look = {"layout": button.layout, "style": button.style}
            button.add_class("lw-open").observe(self._clicked, "value")
            self._words[word] = button
        row = widgets.HBox(list(self._words.values())).add_class("lw-row").add_class("lw-drawers")
        self._row = row
        super().__init__([row])
        self.observe(self._moved, "opened")
        self._show()

    def close(self) -> None:
        """Close the open part with it. Idempotent."""
        part, self.part = self.part, None
        if part is not None:
            close_all(part)
        super().close()

    def make_anew(self) -> None:
        """What is open shows something else from now on (another server)."""
        if self.opened:
            self._moved(None)

    def _clicked(self, change: Any) -> None:
        word = change["owner"].description
        if change["new"]:
            self.opened = word
        elif self.opened == word:
            self.opened = ""

    @traitlets.validate("opened")
    def _checked(self, proposal: Any) -> str:
        word = str(proposal["value"])
        if word and word not in self._makes:
            raise ValueError(f"There is no {word!r} to open. There are: {', '.join(self._makes)}.")
        return word

    def _moved(self, _: Any) -> None:
        last, self.part = self.part, self._makes[self.opened]() if self.opened else None
        self.children = [self._row, *([self.part] if self.part is not None else [])]
        if last is not None:
            close_all(last)
        self._show()

    def _show(self) -> None:
        for word, button in self._words.items():
            button.value = word == self.opened
