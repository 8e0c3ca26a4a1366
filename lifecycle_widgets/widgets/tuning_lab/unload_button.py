"""UnloadButton: unloads the chosen model, and says whether there is something to unload."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import ipywidgets as widgets

from lifecycle_widgets.server import Resident, Server, same_name
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
