"""Parts: what an agent's panel is made of."""

from __future__ import annotations

import ipywidgets as widgets

from lifecycle_widgets.widgets.agent_panel.code import RunCode
from lifecycle_widgets.widgets.agent_panel.conversation import Conversation
from lifecycle_widgets.widgets.agent_panel.settings import Settings
from lifecycle_widgets.widgets.base import Message
from lifecycle_widgets.widgets.run_status import RunStatus
from lifecycle_widgets.widgets.text_stream import sendable


class Parts:
    """The conversation, the prompt under it, its buttons and what they did, and two folds.

    The folds open on the page alone, so that they do so while the kernel is busy, too.
    """

    def __init__(self) -> None:
        self.talk = Conversation()
        self.prompt = widgets.Textarea(
            placeholder="What to ask the model", tooltip="Prompt", continuous_update=False, rows=2
        ).add_class("lw-prompt")
        self.prompt.layout.width = "100%"
        self.run = _button("Run", "play", "Run (Ctrl+Enter)", "primary").add_class("lw-run")
        self.stop = _button("Stop", "stop", "Stop generating, for good")
        self.clear = widgets.Button(
            description="Clear", tooltip="Remove the turns, and forget them"
        ).add_class("lw-quiet")
        self.status, self.message, self.notes = RunStatus(), Message(), Message()
        self.held = widgets.HTML()
        self.settings, self.code = Settings(), RunCode().add_class("lw-run-code")
        self.short = widgets.HTML().add_class("lw-short")
        self.open_settings = _fold("Settings", "lw-open-settings")
        self.open_code = _fold("Copy code", "lw-open-code")
        self.open_code.layout.display = self.held.layout.display = "none"

    @property
    def all(self) -> list[widgets.Widget]:
        """From the top to the bottom."""
        buttons = widgets.HBox([self.run, self.stop, self.status]).add_class("lw-row")
        folds = [self.open_settings, self.open_code, self.short, self.clear]
        foot = widgets.HBox(folds).add_class("lw-row").add_class("lw-foot")
        said = [self.held, self.notes, self.message]
        return [self.talk, self.prompt, buttons, *said, foot, self.settings, self.code]

    def switch(self, running: bool) -> None:
        """What can be pressed, while a run goes on and while none does."""
        self.run.disabled = self.clear.disabled = running
        self.stop.disabled = not running
        self.clear.layout.display = None if self.talk.turns else "none"

    def show_code(self, code: str) -> None:
        """The code of the last run; from the first one on there is a way to it."""
        self.code.text = sendable(code)
        self.open_code.layout.display = None


def _button(name: str, icon: str, about: str, style: str = "") -> widgets.Button:
    button = widgets.Button(description=name, icon=icon, tooltip=about, button_style=style)
    button.layout.width = "92px"
    return button


def _fold(name: str, css: str) -> widgets.ToggleButton:
    return widgets.ToggleButton(description=name).add_class("lw-open").add_class(css)
