"""UnloadButton: unloads the chosen model, and says whether there is something to unload.

UnloadQuestion: asks first, where somebody else has used that model last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets

from lifecycle_widgets.server import Resident, Server, same_name
from lifecycle_widgets.widgets.base import Message
from lifecycle_widgets.widgets.formats import residency_text
from lifecycle_widgets.widgets.model_picker.words import NOT_TOLD


class UnloadButton(widgets.Button):  # type: ignore[misc]  # ipywidgets has no types
    """Enabled while the weights of the chosen model are in memory, under whatever name.

    Parameters
    ----------
    unload:
        Called when it is clicked.
    """

    def __init__(self, unload: Callable[[], object]) -> None:
        super().__init__(
            description="Unload now", icon="eject", disabled=True, tooltip="Not in memory"
        )
        self.layout.width = "118px"
        self.on_click(lambda _: unload())

    def show_for(self, server: Server, model: str, residents: Sequence[Resident] | None) -> None:
        """Show whether it is in memory.

        Parameters
        ----------
        residents:
            What is in memory; None: that is not told.
        """
        held = server.match(model, residents) if model and residents is not None else None
        self.disabled = held is None
        if held is None:
            self.tooltip = "Not in memory" if residents is not None else NOT_TOLD
        elif same_name(held.name, model):
            self.tooltip = f"Unload {model} from memory"
        else:
            self.tooltip = f"Unload {model} (in memory as {held.name})"


class UnloadQuestion(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Asks before a model is unloaded that somebody else has used last. Else it takes no room.

    Parameters
    ----------
    unload:
        Called when the answer is yes.

    Examples
    --------
    >>> question = UnloadQuestion(lambda: print("unloaded"))
    >>> question.ask(Server("localhost:1"), "smollm2:135m", Resident("smollm2:135m", None))
    >>> question.is_open, question.yes.description
    (True, 'Unload smollm2:135m all the same')
    >>> question.yes.click()
    unloaded
    >>> question.is_open
    False
    """

    def __init__(self, unload: Callable[[], object]) -> None:
        self._about: tuple[Server, str] | None = None
        self._message = Message()
        self.yes = widgets.Button(
            description="Unload all the same",
            icon="eject",
            tooltip="Unload what somebody else may be using",
            layout={"width": "auto"},
        ).add_class("lw-consent")
        self.no = widgets.Button(description="Leave it", tooltip="Unload nothing")
        self._row = widgets.HBox([self.yes, self.no]).add_class("lw-row")
        super().__init__([self._message, self._row])
        self.drop()
        self.yes.on_click(lambda _: self._answered(unload))
        self.no.on_click(lambda _: self.drop())

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self._about is not None

    def ask(self, server: Server, model: str, held: Resident) -> None:
        """Ask about a model.

        Parameters
        ----------
        held:
            Its entry among the models in memory.
        """
        self._about = server, model
        alias = "" if same_name(held.name, model) else f" (as {held.name})"
        self._message.show(
            f"{model}{alias} is {residency_text(held)}, and somebody else has used it last: they "
            "may ask it again. Nothing has been touched.",
            is_error=False,
        )
        self.yes.description = f"Unload {model} all the same"
        self.layout.display = None

    def look(self, server: Server, model: str, residents: Sequence[Resident] | None) -> None:
        """Ask no more when another model or server was chosen, or the model has left."""
        if self._about is None or residents is None:
            return
        if self._about != (server, model) or server.match(model, residents) is None:
            self.drop()

    def drop(self) -> None:
        """Ask no more."""
        self._about = None
        self._message.show("")
        self.layout.display = "none"

    def _answered(self, unload: Callable[[], object]) -> None:
        if self._about is not None:
            self.drop()
            unload()
