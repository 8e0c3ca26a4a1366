"""KeepAlivePicker: choose a keep_alive, and read what the server will do with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.widgets.base import Composite, KeepAliveTrait, Message
from lifecycle_widgets.widgets.formats import escaped

_CHOICES = {
    "server default": KeepAlive(None),
    "0": KeepAlive(0),
    "30 s": KeepAlive(30),
    "5 m": KeepAlive(300),
    "1 h": KeepAlive(3600),
    "forever": KeepAlive("forever"),
}
_TYPED = "typed…"


class KeepAlivePicker(Composite):
    """Chooses a keep_alive and says in one sentence what the server will do with it.

    ``value`` is always valid: a typed mistake shows what is wrong in ``error`` and leaves
    ``value`` as it was. ``default_s`` and ``default_from`` are the server's default where it is
    known (`InForce.default_keep_alive_s`): the sentence then says it.

    Parameters
    ----------
    value:
        What `KeepAlive` takes. None: the server default.

    Raises
    ------
    ValueError
        For a keep_alive that Ollama would reject.

    Examples
    --------
    >>> picker = KeepAlivePicker("5m")
    >>> picker.text = "90s"
    >>> picker.value
    KeepAlive('1m30s')
    """

    value = KeepAliveTrait()
    text = traitlets.Unicode()
    error = traitlets.Unicode()
    default_s = traitlets.Float(None, allow_none=True, help="Seconds; endless: forever.")
    default_from = traitlets.Unicode(None, allow_none=True, help="measured, or environment.")

    def __init__(
        self, value: KeepAlive | str | float | timedelta | None = None, **keywords: Any
    ) -> None:
        start = KeepAlive(value)
        self._choice = widgets.ToggleButtons(
            options=[*_CHOICES, _TYPED],
            tooltips=self._tooltips(),
            style={"button_width": "auto"},
        )
        self._field = widgets.Text(
            placeholder="such as 90s or 1h30m",
            continuous_update=False,
            tooltip="keep_alive, typed",
        )
        self._field.layout.width = "150px"
        self._sentence = widgets.HTML()
        self._message = Message()
        label = widgets.HTML("keep_alive").add_class("lw-label")
        fields = widgets.HBox([self._choice, self._field]).add_class("lw-row")
        row = widgets.HBox([label, fields.add_class("lw-grow")]).add_class("lw-row")
        parts = [part.add_class("lw-under") for part in (self._message, self._sentence)]
        super().__init__([row, *parts], keywords)
        self._typing = False  # the person has opened the field
        self._showing = False
        self.value, self.text = start, str(start)
        self._show()
        self.observe(self._value_set, "value")
        self.observe(self._text_set, "text")
        self.observe(self._default_told, ["default_s", "default_from"])
        self._choice.observe(self._chosen, "value")
        self._field.observe(lambda change: setattr(self, "text", change["new"]), "value")

    def _value_set(self, _: Any) -> None:
        if self._parsed() != self.value:  # set from code or by a link, not by the text
            self._typing = False
            self.text = str(self.value)
        self._show()

    def _text_set(self, _: Any) -> None:
        value = self._parsed()
        if value is not None:
            self.value = value
        self._show()

    def _parsed(self) -> KeepAlive | None:
        """What the text means; None, and ``error`` says why, when it is a mistake."""
        try:
            value = KeepAlive(self.text.strip())
        except ValueError as fault:
            self.error = str(fault)
            return None
        self.error = ""
        return value

    def _chosen(self, change: Any) -> None:
        if self._showing:
            return
        chosen = _CHOICES.get(change["new"])
        self._typing = chosen is None
        if chosen is not None:
            self.text = str(chosen)
        self._show()
        if self._typing:
            self._field.focus()

    def _show(self) -> None:
        name = next((n for n, value in _CHOICES.items() if value == self.value), _TYPED)
        typed = self._typing or bool(self.error) or name == _TYPED
        self._showing = True
        self._choice.value = _TYPED if typed else name
        self._showing = False
        self._field.value = self.text
        self._field.layout.display = None if typed else "none"
        unchanged = f"Still {self.value}. " if self.error else ""
        sentence = escaped(unchanged + self._explained(self.value))
        self._sentence.value = f'<span class="lw-muted">{sentence}</span>'
        self._message.show(self.error)

    def _default_told(self, _: Any) -> None:
        self._choice.tooltips = self._tooltips()
        self._show()

    def _tooltips(self) -> list[str]:
        return [*map(self._explained, _CHOICES.values()), "Type a duration"]

    def _explained(self, value: KeepAlive) -> str:
        return value.explain(self.default_s, self.default_from)

    def _in_short(self) -> str:
        return f"value={str(self.value)!r}" + (f", error={self.error!r}" if self.error else "")
