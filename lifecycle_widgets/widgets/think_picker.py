"""ThinkPicker: choose whether, and how much, a model is to think before it answers."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.agent import checked_think
from lifecycle_widgets.runs import Think

_CHOICES: dict[str, Think] = {
    "thinks as it likes": None,
    "does not think": False,
    "thinks": True,
    "thinks a little": "low",
    "thinks some": "medium",
    "thinks a lot": "high",
}
_HOW = "think: whether the model is to think before it answers, and how much"


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
    >>> picker.value = False
    >>> picker.label, picker.layout.display
    ('does not think', None)
    """

    can_think = traitlets.Bool(help="Whether the model is told to be able to.")

    def __init__(self) -> None:
        super().__init__(options=list(_CHOICES.items()), value=None, tooltip=_HOW)
        self.layout.width = "160px"
        self.add_class("lw-think")
        self._show()
        self.observe(self._show, ["can_think", "value"])

    def _show(self, _: Any = None) -> None:
        needed = self.can_think or self.value is not None
        self.layout.display = None if needed else "none"
