"""KeepAlivePicker: choose a keep_alive, and read what the server will do with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.widgets.base import Composite, KeepAliveTrait, Message
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.still.sheet import Sheet

_CHOICES = {
    "server default": KeepAlive(None),
    "0": KeepAlive(0),
    "30s": KeepAlive(30),
    "5m": KeepAlive(300),
    "1h": KeepAlive(3600),
    "forever": KeepAlive("forever"),
}
_ADAPTIVE, _TYPED = "adaptive", "typed…"


class KeepAlivePicker(Composite):
    """Chooses a keep_alive and says in one sentence what the server will do with it.

    ``value`` is always valid: a typed mistake shows what is wrong in ``error`` and leaves
    ``value`` as it was. A value that is set in code or by a link, also the same one, takes the
    place of a mistake. ``default_s`` and ``default_from`` are the server's default where it is
    known (`InForce.default_keep_alive_s`): the sentence then says it.

    Parameters
    ----------
    value:
        What `KeepAlive` takes. None: the server default. One that decides anew for each request
        (`AdaptiveKeepAlive`) is a choice more, from then on: "adaptive".

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
    default_from = traitlets.Unicode(None, allow_none=True, help="measured, environment, not set.")

    def __init__(
        self, value: KeepAlive | str | float | timedelta | None = None, **keywords: Any
    ) -> None:
        start = KeepAlive.of(value)
        self._adaptive = start if start.is_adaptive else None
        self._choice = widgets.ToggleButtons(
            options=self._options(),
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
        self.value, self.text = start, _text_of(start)
        self._show()
        self.observe(self._value_set, "value")
        self.observe(self._text_set, "text")
        self.observe(self._default_told, ["default_s", "default_from"])
        self._choice.observe(self._chosen, "value")
        self._field.observe(lambda change: setattr(self, "text", change["new"]), "value")

    def refresh(self) -> None:
        """Show anew what an adaptive one would send now, and why: it may have learnt."""
        if self.value.is_adaptive:
            self._show()

    @traitlets.validate("value")
    def _set_anew(self, proposal: Any) -> KeepAlive:
        """What is set wins over a mistake that was typed, also where nothing changes by it."""
        value: KeepAlive = proposal["value"]
        if self.error and value == self.value:  # no event will tell of it
            self._typing = False
            self.text = _text_of(self.value)
        return value

    def _value_set(self, _: Any) -> None:
        if self.value.is_adaptive and self.value is not self._adaptive:
            self._adaptive = self.value
            self._offer()
        if self._parsed() != self.value:  # set from code or by a link, not by the text
            self._typing = False
            self.text = _text_of(self.value)
        self._show()

    def _text_set(self, _: Any) -> None:
        value = self._parsed()
        if value is not None:
            self.value = value
        self._show()

    def _parsed(self) -> KeepAlive | None:
        """What the text means; None, and ``error`` says why, when it is a mistake."""
        text = self.text.strip()
        try:
            adaptive = self._adaptive if text == _ADAPTIVE else None
            value = KeepAlive(text) if adaptive is None else adaptive
        except ValueError as fault:
            self.error = str(fault)
            return None
        self.error = ""
        return value

    def _chosen(self, change: Any) -> None:
        if self._showing:
            return
        chosen = self._adaptive if change["new"] == _ADAPTIVE else _CHOICES.get(change["new"])
        self._typing = chosen is None
        if chosen is not None:
            self.text = _text_of(chosen)
        self._show()
        if self._typing:
            self._field.focus()

    def _show(self) -> None:
        fixed = next((n for n, value in _CHOICES.items() if value == self.value), _TYPED)
        name = _ADAPTIVE if self.value.is_adaptive else fixed
        typed = self._typing or bool(self.error) or name == _TYPED
        self._showing = True
        self._choice.value = _TYPED if typed else name
        self._showing = False
        self._field.value = self.text
        self._field.layout.display = None if typed else "none"
        unchanged = f"Still {_text_of(self.value)}. " if self.error else ""
        sentence = escaped(unchanged + self._explained(self.value))
        self._sentence.value = f'<span class="lw-muted">{sentence}</span>'
        self._message.show(self.error)

    def _default_told(self, _: Any) -> None:
        self._choice.tooltips = self._tooltips()
        self._show()

    def _options(self) -> list[str]:
        return [*_CHOICES, *([_ADAPTIVE] if self._adaptive is not None else []), _TYPED]

    def _offer(self) -> None:
        """Let the adaptive one be chosen, too."""
        self._showing = True
        self._choice.options = self._options()
        self._choice.tooltips = self._tooltips()
        self._showing = False

    def _tooltips(self) -> list[str]:
        adaptive = "Decided anew for each request, by what was learnt from the gaps before it"
        more = [adaptive] if self._adaptive is not None else []
        return [*map(self._explained, _CHOICES.values()), *more, "Type a duration"]

    def _explained(self, value: KeepAlive) -> str:
        return value.explain(self.default_s, self.default_from)

    def _in_short(self) -> str:
        return f"value={str(self.value)!r}" + (f", error={self.error!r}" if self.error else "")

    def _still(self, sheet: Sheet) -> None:
        sheet.say(f"keep_alive {_text_of(self.value)}: {self._explained(self.value)}")
        sheet.say(self.error)


def _text_of(value: KeepAlive) -> str:
    return _ADAPTIVE if value.is_adaptive else str(value)
