"""ModelChoice: the field in which a model is found by typing. Part of ModelPicker."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from lifecycle_widgets.widgets.style import static


class ModelChoice(anywidget.AnyWidget):
    """A list of models that gets shorter with every word typed; `ModelPicker` says what is in it.

    ``options`` has one dictionary for each model: ``name``, ``about`` (the rest of its line),
    ``marks`` (short words about it) and ``refused`` (whether choosing it will be refused).

    Examples
    --------
    >>> choice = ModelChoice()
    >>> choice.options = [{"name": "a:1b", "about": "1.3 GB", "marks": [], "refused": False}]
    >>> choice.value = "a:1b"
    """

    _esm = static("model_choice.js")

    value = traitlets.Unicode().tag(sync=True)
    options: traitlets.List[dict[str, Any]] = traitlets.List().tag(sync=True)
    hint = traitlets.Unicode("choose a model…").tag(sync=True)

    def __repr__(self) -> str:
        return f"ModelChoice({self.value!r} of {len(self.options)})"
