"""TuningLab: everything in one place, for one server at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from types import EllipsisType
from typing import Any, Protocol, TypeVar

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.history import History
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.monitor import Monitor, Sample
from lifecycle_widgets.runs import Run, Think
from lifecycle_widgets.server import (
    AnyServer,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
    same_name,
)
from lifecycle_widgets.widgets.agent_panel import AgentPanel
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.base import (
    Composite,
    KeepAliveTrait,
    Message,
    ServerTrait,
    refuse_unknown,
    tell_again,
)
from lifecycle_widgets.widgets.chart import ResourceChart
from lifecycle_widgets.widgets.keep_alive_picker import KeepAlivePicker
from lifecycle_widgets.widgets.model_picker import ModelPicker
from lifecycle_widgets.widgets.server_switch import ServerSwitch
from lifecycle_widgets.widgets.still.sheet import Sheet
from lifecycle_widgets.widgets.still.still import Still
from lifecycle_widgets.widgets.tuning_lab.lab_drawers import lab_drawers
from lifecycle_widgets.widgets.tuning_lab.lab_history import LabHistory
from lifecycle_widgets.widgets.tuning_lab.unload_button import UnloadButton, UnloadQuestion

_LOST_AFTER = 2  # samples without an answer: one may just have been slow
_ANSWER_S = 1.0
_RETELL_S = 3.0
_CLOSE_S = 3.0

_Part = TypeVar("_Part", bound="_Closes")


class _Closes(Protocol):
    def close(self) -> None: ...


class _OneServer(traitlets.TraitType[Server, Any]):
    """As ServerTrait, but never None."""

    def validate(self, obj: Any, value: Any) -> Server:
        server = ServerTrait().validate(obj, value)
        if server is None:
            raise traitlets.TraitError("The lab needs a server. Give one, or Server.find().")
        return server


class TuningLab(Composite):
    """Chooses a server, a model and a keep_alive, runs prompts, and shows what it all costs.

    What it sees goes into the person's `History` while it is open (sizes and times, no prompt and
    no answer), and when it is opened the chart shows the last session, until something happens.

    Its parts can be used from code: ``switch``, ``model_picker``, ``keep_alive_picker``,
    ``panel``, ``chart``, ``monitor``, ``drawers`` (the advice, what is in force, the doctor, the
    history) and ``history``, which is None where none is kept.

    Parameters
    ----------
    server:
        A Server, an address or a Sandbox; without one, `Server.find` looks for it.
    model:
        The first choice; without one, `ModelPicker` makes one.
    keep_alive:
        What `KeepAlive` takes. None: not sent.
    needs:
        Models that a notebook needs. Those missing are offered as a button, never pulled unasked.

    Raises
    ------
    UnknownModel
        For a ``model`` that is neither installed nor among ``needs``.
    ValueError
        For a ``model`` that cannot answer a prompt, and a ``keep_alive`` that Ollama would reject.
    ServerUnreachable, ServerError
        When an own Ollama is there and cannot be used: busy, or it wants a key. Says what to do.
    SandboxError
        When no server answers and the sandbox cannot be prepared.

    Examples
    --------
    >>> lab = TuningLab(needs=["smollm2:135m"])  # doctest: +SKIP
    >>> lab.run("Say hello.", keep_alive=0).timings.load_s  # doctest: +SKIP
    1.06
    """

    _is_pictured = True

    server = _OneServer()
    model = traitlets.Unicode()
    keep_alive = KeepAliveTrait()
    error = traitlets.Unicode(help="What the lab has to say, such as that the server is lost.")

    def __init__(
        self,
        server: AnyServer = None,
        *,
        model: str | None = None,
        keep_alive: KeepAlive | str | float | timedelta | None = None,
        needs: Sequence[str] = (),
        **keywords: Any,
    ) -> None:
        self._end, self._background, self._lock = ExitStack(), Background(), threading.RLock()
        self._unlisten: Callable[[], None] = lambda: None
        refuse_unknown(type(self), keywords)
        self._misses, self._lost, self._closed = 0, False, False
        self._told: dict[str, datetime | None] | None = None  # deadlines the picker has been told
        self._told_s = 0.0
        chosen_keep_alive = KeepAlive.of(keep_alive)
        server = Server.of(server)
        self.set_trait("server", server)
        # the picker first: it raises for a wrong model, before anything runs
        self.model_picker = self._made(_picker(server, model, needs))
        self.keep_alive_picker = self._made(KeepAlivePicker(chosen_keep_alive))
        self.switch = self._made(ServerSwitch(server))
        self.monitor = Monitor.shared(server)
        self._end.callback(lambda: self.monitor.release())  # whichever it is by then
        self._kept = self._made(LabHistory())
        self._kept.keep(self.monitor)
        self.chart = self._made(ResourceChart(self.monitor, history=self.history))
        self.panel = self._made(
            AgentPanel(server, model=self.model_picker.model, keep_alive=chosen_keep_alive)
        )
        self.panel.tells_where = False  # the picker does, as long as the model is chosen
        super().__init__(self._parts(), keywords)
        self.add_class("lw-lab")
        self._link()
        self._unlisten = self.monitor.listen(self._sampled)

    def _made(self, part: _Part) -> _Part:
        """Note that the part is to be closed with the lab, the last one first."""
        self._end.callback(part.close)
        return part

    def _parts(self) -> list[widgets.Widget]:
        self._message, self._aside = Message(), Message()
        self._unload = self._made(
            UnloadButton(lambda: self._background.start("unload", self._unload_or_ask))
        )
        self._question = self._made(
            UnloadQuestion(lambda: self._background.start("unload", self._unload_now))
        )
        self.drawers = self._made(
            lab_drawers(lambda: self.monitor, lambda: self.history, lambda: self.panel.runs, self)
        )
        model = widgets.HBox([self.model_picker, self._unload]).add_class("lw-lab-model")
        choices = widgets.HBox([model, self.keep_alive_picker]).add_class("lw-lab-choices")
        work = widgets.HBox([self.panel, self.chart]).add_class("lw-lab-work")
        said = [self._message, self._aside]
        return [self.switch, *said, choices, self._question, work, self.drawers]

    def _link(self) -> None:
        traitlets.link((self.switch, "server"), (self, "server"))
        traitlets.link((self.model_picker, "model"), (self, "model"))
        traitlets.link((self.keep_alive_picker, "value"), (self, "keep_alive"))
        traitlets.link((self, "model"), (self.panel, "model"))
        traitlets.link((self, "keep_alive"), (self.panel, "keep_alive"))
        traitlets.dlink((self.keep_alive_picker, "error"), (self.panel, "blocked"))
        traitlets.dlink((self.panel, "running"), (self.switch, "locked"))
        self.panel.observe(lambda _: self.keep_alive_picker.refresh(), "run")
        self.observe(self._moved, "server")
        self.observe(lambda _: self._message.show(self.error), "error")

    # --- for code --------------------------------------------------------------------------------

    @property
    def history(self) -> History | None:
        """Where what it sees is kept; None where none is."""
        return self._kept.history

    def run(
        self,
        prompt: str,
        *,
        model: str | None = None,
        keep_alive: KeepAlive | str | float | timedelta | EllipsisType | None = ...,
        options: Mapping[str, Any] | EllipsisType | None = ...,
        think: Think | EllipsisType = ...,
        rules: Sequence[str] | EllipsisType = ...,
        tools: Sequence[Any] | EllipsisType = ...,
        hold: bool | EllipsisType | None = ...,
        timeout_s: float | None = None,
    ) -> Run:
        """Run a prompt in the panel, and wait for its end. What is given becomes the new choice.

        Each stands for itself, so that runs can be compared: nothing of the panel's conversation is
        sent with it. To go on with that: ``lab.panel.start().wait()``. With all of them given, the
        run is the same whatever was clicked or typed before.

        Parameters
        ----------
        prompt:
            Sent as it is.
        model, keep_alive, options, think, rules, tools, hold:
            As `AgentPanel` takes them. Left out: as chosen in the lab. What is given takes the
            place of a mistake that stands in its field. A ``keep_alive`` of None is the server
            default, ``options`` of None or ``{}`` are none.
        timeout_s:
            How long to wait, in seconds; None: as long as it takes.

        Raises
        ------
        UnknownModel, ServerUnreachable, ServerError, RunFailed, ValueError, TimeoutError
            As `AgentPanel.start` and `AgentPanel.wait` do; RuntimeError once the lab is closed.
        """
        if self._closed:
            raise RuntimeError("This lab is closed. Make a new one to run a prompt.")
        given = {"options": options, "think": think, "rules": rules, "tools": tools, "hold": hold}
        self._choose(model, keep_alive, {n: v for n, v in given.items() if v is not ...})
        self.panel.prompt = prompt
        return self.panel.start(remember=False).wait(timeout_s)

    def _choose(self, model: str | None, keep_alive: Any, given: Mapping[str, Any]) -> None:
        """What was given becomes the choice."""
        if model is not None:
            self.model = model
        if keep_alive is not ...:
            self.keep_alive = keep_alive
        lists = {name: tuple(given[name] or ()) for name in ("rules", "tools") if name in given}
        options = {"options": dict(given["options"] or {})} if "options" in given else {}
        for name, value in {**given, **lists, **options}.items():
            setattr(self.panel, name, value)

    def unload(self) -> None:
        """Unload the chosen model, and wait until it has left.

        Raises
        ------
        TimeoutError, UnknownModel, ServerUnreachable, ServerError
            As `Server.unload` does.
        """
        if self.model:
            self.server.unload(self.model)

    def close(self) -> None:
        """Stop a run that goes on, end the monitor and every thread, and leave the page."""
        self._closed = True
        self._unlisten()
        self._end.close()
        self._background.close(_CLOSE_S)
        super().close()

    # --- the server ------------------------------------------------------------------------------

    def _moved(self, _: Any) -> None:
        """Another server: everything goes over to it."""
        server = self.server
        with self._lock:
            self._unlisten()
            last, self.monitor = self.monitor, Monitor.shared(server)
            self._misses, self._lost, self._told, self.error = 0, False, None, ""
        self._kept.keep(self.monitor)
        self.chart.monitor = self.monitor
        last.release()
        self.drawers.make_anew()
        self.panel.server = server
        self.model_picker.server = server
        self._unlisten = self.monitor.listen(self._sampled)

    def _sampled(self, sample: Sample) -> None:
        """A new sample (in a thread of the monitor's)."""
        is_missing = sample.residents is None and bool(sample.error)
        self._misses = self._misses + 1 if is_missing else 0
        if 0 < self._misses < _LOST_AFTER:
            return
        lost = is_missing and self._is_lost()
        if lost != self._lost:
            self._lost = lost
            self._say_whether_lost(sample.error or "")
        self._tell_aside(sample)
        self.model_picker.tell_loading(() if lost else self.monitor.loading())
        if lost:
            return
        if sample.residents is not None:
            self._tell_picker(sample.residents, sample.t_s)
        elif self._told is not None:  # it answers, and does not tell this
            self._told = None
            self.model_picker.refresh_soon()
        self._unload.show_for(self.server, self.model, sample.residents)
        self._question.look(self.server, self.model, sample.residents)

    def _is_lost(self) -> bool:
        """Whether it is gone; else it only does not tell this, as a gateway may forbid it."""
        server = self.server.with_timeout(_ANSWER_S)
        try:
            server.residents()
        except ServerUnreachable:
            return True
        except ServerError:
            return not server.answers(_ANSWER_S)
        return False

    def _say_whether_lost(self, error: str) -> None:
        self.error = ""
        if self._lost:
            self.error = f"{error.rstrip('. ')}. The lab goes on by itself when it answers again."
            self._told = None
            self._unload.show_for(self.server, self.model, ())
            self.model_picker.refresh(())
        else:
            self.model_picker.refresh_soon()
        self.switch.look()

    def _tell_picker(self, residents: tuple[Resident, ...], t_s: float) -> None:
        """Its lines say until when a model stays; a deadline that moves is told only now and then.

        (While a model is in its first use, Ollama shows another one each time.)
        """
        deadlines = {r.name: r.expires_at for r in residents}
        last = self._told
        moved = deadlines != last and t_s - self._told_s >= _RETELL_S
        if last is None or deadlines.keys() != last.keys() or moved:
            self._told, self._told_s = deadlines, t_s
            self.model_picker.refresh(residents)

    def _tell_aside(self, sample: Sample) -> None:
        """What the sample says to other parts than the chart."""
        self._aside.show(self._kept.told, is_error=False)
        if (known := sample.in_force) is not None:
            self.keep_alive_picker.default_s = known.default_keep_alive_s
            self.keep_alive_picker.default_from = known.default_keep_alive_from

    def _unload_or_ask(self) -> None:
        """Pressed: what somebody else has used last is not unloaded unasked."""
        server, model = self.server, self.model
        try:
            held = server.resident(model) if model else None
            if held is not None and not server.is_ours(held):
                self._question.ask(server, model, held)
                return
        except (UnknownModel, ServerUnreachable, ServerError):
            pass  # unloading says it
        self._unload_now()

    def _unload_now(self) -> None:
        self._unload.disabled, self.error = True, ""
        try:
            self.unload()
        except (TimeoutError, UnknownModel, ServerUnreachable, ServerError) as fault:
            self.error = str(fault)

    @traitlets.validate("keep_alive")
    def _set_anew(self, proposal: Any) -> KeepAlive:
        """What is set in code wins over a mistake in the field: see `KeepAlivePicker`."""
        value: KeepAlive = proposal["value"]
        if value == self.keep_alive and self.keep_alive_picker.error:
            tell_again(self, "keep_alive")
        return value

    @traitlets.validate("model")
    def _checked(self, proposal: Any) -> str:
        """Only what the picker takes: it knows what is installed."""
        self.model_picker.model = proposal["value"]
        return str(self.model_picker.model)

    def _in_short(self) -> str:
        return f"{self.server.url!r}, model={self.model!r}, keep_alive={str(self.keep_alive)!r}"

    def _still(self, sheet: Sheet) -> None:
        sheet.say(self.error)
        self.keep_alive_picker._still(sheet)
        self.panel._still(sheet)
        self.chart._still(sheet)
        part = self.drawers.part
        if isinstance(part, Still):
            sheet.head(self.drawers.opened)
            part._still(sheet)

    def _still_sources(self) -> tuple[traitlets.HasTraits, ...]:
        return self, self.panel, self.keep_alive_picker, self.chart, self.drawers


def _picker(server: Server, model: str | None, needs: Sequence[str]) -> ModelPicker:
    """A picker with that model chosen; with none when it is missing but offered for pulling."""
    picker = ModelPicker(server, needs=needs)
    try:
        picker.model = picker.model if model is None else model
    except (UnknownModel, ValueError) as refused:
        is_offered = any(same_name(name, model or "") for name in picker.needs)
        if not (isinstance(refused, UnknownModel) and is_offered):
            picker.close()
            raise
        picker.model = ""
    return picker
