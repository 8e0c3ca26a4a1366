"""Apply: puts the recommended keep_alive into the lab, or gives it to a model in memory now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import ipywidgets as widgets

from lifecycle_widgets.history import History
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Resident, Server, ServerError, ServerUnreachable, UnknownModel
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.base import Message
from lifecycle_widgets.widgets.formats import escaped, residency_text

_FAULTS = (ServerError, ServerUnreachable, UnknownModel, TimeoutError, ValueError)


class Lab(Protocol):
    """What is wanted of a `TuningLab`."""

    model: Any
    keep_alive: Any
    server: Any

    @property
    def history(self) -> History | None: ...


class Apply(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """The buttons, what they ask, and what they say. The second one asks before it does anything.

    Parameters
    ----------
    background:
        Where the server is asked.
    server:
        Gives the server that the model is at; None: none is known, and there is no second button.
    lab:
        Whose model and keep_alive are set; None: no first button.
    """

    def __init__(
        self, background: Background, server: Callable[[], Server | None], lab: Lab | None = None
    ) -> None:
        self._background, self._server, self._lab = background, server, lab
        self._model, self._value = "", KeepAlive(None)
        self._to_lab = _button("Use in the lab", "The next run in the lab sends it")
        self._to_memory = _button("Give it to the model now…", "Asks first")
        self._asked = widgets.HTML().add_class("lw-grow")
        yes, no = _button("Do it", "One request without a prompt"), _button("Leave it", "")
        self._question = widgets.HBox([self._asked, yes, no]).add_class("lw-row")
        self._question.layout.display = "none"
        self._said, self._fault = Message(), Message()
        row = widgets.HBox([self._to_lab, self._to_memory]).add_class("lw-row")
        super().__init__([row, self._question, self._said, self._fault])
        self._to_lab.on_click(lambda _: self.use_in_lab())
        self._to_memory.on_click(lambda _: background.start("advice-ask", self.ask))
        yes.on_click(lambda _: background.start("advice-apply", self.give))
        no.on_click(lambda _: self._close_question())

    def offer(self, model: str, value: KeepAlive) -> None:
        """What is to be applied from now on."""
        self._model, self._value = model, value
        self._to_lab.description = f"Use {value} in the lab"
        self._to_memory.description = f"Give {value} to {model} now…"
        self._to_lab.layout.display = None if self._lab is not None else "none"
        self._to_memory.layout.display = None if self._server() is not None else "none"
        self._close_question()
        self._tell()

    def use_in_lab(self) -> None:
        """Choose the model and the value in the lab."""
        lab = self._lab
        if lab is None:
            return
        self._tell()
        try:
            if lab.model != self._model:
                lab.model = self._model
            lab.keep_alive = self._value
        except _FAULTS as fault:
            self._tell(fault=str(fault))
        else:
            self._tell(f"The lab's next run sends {self._value} to {self._model}.")

    def ask(self) -> None:
        """Look whether the model is in memory, and ask what to do to it."""
        self._tell()
        if (there := self._resident()) is not None:
            self._asked.value = escaped(_question(self._model, self._value, there))
            self._question.layout.display = None

    def give(self) -> None:
        """Give the value to the model, if it is still in memory: one request without a prompt."""
        self._close_question()
        server, there = self._server(), self._resident()
        if server is None or there is None:
            return
        try:
            self._give(server, there)
        except _FAULTS as fault:
            self._tell(fault=str(fault))
        else:
            self._tell(f"Done. {self._value.explain()}")

    def _give(self, server: Server, there: Resident) -> None:
        if self._value.is_zero:
            server.unload(self._model)
            return
        server.touch(
            self._model,
            self._value,
            kind="chat" if server.require(self._model).can_chat else "embed",
            # else the request asks for the model's own, and another one loads it anew
            options={"num_ctx": there.context_length} if there.context_length else None,
        )
        if self._value.seconds is not None:
            server.own_deadlines.note(self._model, self._value.seconds)

    def _resident(self) -> Resident | None:
        """The model in memory; None, and it is said why, where it is not."""
        server = self._server()
        if server is None:
            return None
        try:
            there = server.resident(self._model)
        except _FAULTS as fault:
            self._tell(fault=str(fault))
            return None
        if there is None:
            self._tell(
                f"{self._model} is not in memory at {server.url}, so there is nothing to change: "
                "send the value with the next request, or set it at the server."
            )
        return there

    def _close_question(self) -> None:
        self._question.layout.display = "none"

    def _tell(self, said: str = "", *, fault: str = "") -> None:
        self._said.show(said, is_error=False)
        self._fault.show(fault)


def _question(model: str, value: KeepAlive, there: Resident) -> str:
    state = f"{model} is {residency_text(there)}"
    if value.is_zero:
        return f"{state}. It will be unloaded now: whoever uses it has to load it again."
    return (
        f"{state}. Its time begins anew, with {value}, also for whoever else uses it; that holds "
        "until it leaves or somebody sends another keep_alive."
    )


def _button(text: str, tooltip: str) -> widgets.Button:
    return widgets.Button(description=text, tooltip=tooltip, layout={"width": "auto"})
