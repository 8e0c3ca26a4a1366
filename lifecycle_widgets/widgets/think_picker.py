"""ThinkPicker: choose whether, and how much, a model is to think before it answers."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.agent import checked_think
from lifecycle_widgets.runs import Think

_CHOICES: dict[str, Think] = {
    "think: its default": None,
    "think: off": False,
    "think: on": True,
    "think: low": "low",
    "think: medium": "medium",
    "think: high": "high",
}
_HOW = "Whether the model is to think before it answers, and how much"


class ThinkTrait(traitlets.TraitType[Think, Any]):
    """None, False, True, "low", "medium" or "high"; raises the ValueError of `checked_think`."""

    info_text = "None, False, True, 'low', 'medium' or 'high'"
    default_value = None
    allow_none = True

    def validate(self, obj: Any, value: Any) -> Think:
        return checked_think(value)


class ThinkPicker(widgets.Dropdown):  # type: ignore[misc]  # ipywidgets has no types
    """Chooses ``think``. Takes no room unless there is something to choose, or to take back.

    Examples
    --------
    >>> picker = ThinkPicker()
    >>> picker.value = "think: off"
    >>> picker.think, picker.layout.display
    (False, None)
    """

    think = ThinkTrait()
    can_think = traitlets.Bool(help="Whether the model is told to be able to.")

    def __init__(self) -> None:
        # to ipywidgets a value of None is no choice at all, so its values are the texts
        super().__init__(options=list(_CHOICES), tooltip=_HOW)
        self.layout.width = "150px"
        self.add_class("lw-think")
        self._show()
        self.observe(self._show, ["can_think", "think"])
        self.observe(lambda change: self.set_trait("think", _CHOICES[change["new"]]), "value")

    def _show(self, _: Any = None) -> None:
        self.value = next(text for text, think in _CHOICES.items() if think == self.think)
        needed = self.can_think or self.think is not None
        self.layout.display = None if needed else "none"
