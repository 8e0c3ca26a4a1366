"""ExperimentPanel: an experiment by hand. Its plan, Run, Stop, progress; verdict, figure, table."""

from __future__ import annotations

import threading
import time
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.experiments import Experiment, ExperimentFailed, NeedsConsent, Result, Step
from lifecycle_widgets.waiting import Interrupted, wait_for
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.base import Composite, Message
from lifecycle_widgets.widgets.formats import escaped, seconds_text
from lifecycle_widgets.widgets.plan_html import plan_html
from lifecycle_widgets.widgets.result_view import ResultView, result_on
from lifecycle_widgets.widgets.still.sheet import Sheet

MayUnload = bool | tuple[str, ...] | None

_INTERRUPTED = "the experiment was stopped. What it has measured is in the panel's .result."
_TICK_S = 0.5
_CLOSE_S = 15.0  # how long close() waits for a run to end and to unload its models


class ExperimentPanel(Composite):
    """Runs an experiment by hand: its plan, Run and Stop, progress; then verdict, figure, table.

    Showing it starts nothing. ``running``, ``result`` and ``error`` are for reading and observing;
    ``experiment`` can be set while nothing runs.

    Parameters
    ----------
    experiment:
        Any `Experiment`, with its settings.
    may_unload:
        Whether it may unload models that others have used last. None: when it comes to that, it
        asks, with a button, which allows just the models and the server that it names.

    Examples
    --------
    >>> panel = ExperimentPanel(ColdAndWarm("smollm2:135m"))  # doctest: +SKIP
    >>> panel.start().wait().verdict  # doctest: +SKIP
    'smollm2:135m: first token after 1.1 ...'
    """

    _is_pictured = True

    experiment = traitlets.Instance(Experiment)  # type: ignore[type-abstract]
    running = traitlets.Bool()
    result = traitlets.Instance(Result, allow_none=True)  # type: ignore[call-overload]
    error = traitlets.Unicode()

    def __init__(
        self, experiment: Experiment[Any], *, may_unload: bool | None = None, **keywords: Any
    ) -> None:
        self._lock, self._background = threading.RLock(), Background()
        self._may_unload = may_unload
        self._asked: tuple[Experiment[Any], str, tuple[str, ...]] | None = None  # what about
        self._ended: threading.Event | None = None  # of the run that was started last
        self._fault: BaseException | None = None  # of that run
        self._measuring, self._stopping = False, False
        self._began_s, self._step = 0.0, Step(0, 0, "")
        if not isinstance(experiment, Experiment):
            raise TypeError(
                f"experiment is a {type(experiment).__name__}. Give an experiment, such as "
                "lw.ColdAndWarm('smollm2:135m')."
            )
        self.set_trait("experiment", experiment)
        super().__init__(self._parts(), keywords)
        self.add_class("lw-experiment")
        self.observe(lambda _: self._message.show(self.error), "error")
        self.observe(self._switch_buttons, "running")
        self.observe(self._another, "experiment")
        self._run_button.on_click(lambda _: self._pressed(self._may_unload))
        self._stop_button.on_click(lambda _: self.stop())
        self._consent.on_click(lambda _: self._pressed(self._allowed()))
        self._background.start("plan", self._show_plan)

    def _parts(self) -> list[widgets.Widget]:
        self._plan, self._planned = widgets.HTML(), ""
        self._run_button = widgets.Button(
            description="Run", icon="play", button_style="primary", tooltip="Run the experiment"
        ).add_class("lw-run")
        self._stop_button = widgets.Button(
            description="Stop", icon="stop", disabled=True, tooltip="Stop; what is measured is kept"
        )
        for button in (self._run_button, self._stop_button):
            button.layout.width = "92px"
        self._bar = widgets.FloatProgress(
            min=0.0, max=1.0, layout={"width": "160px"}, tooltip="How far the experiment is"
        )
        self._bar.layout.visibility = "hidden"
        self._status = widgets.HTML().add_class("lw-grow").add_class("lw-status")
        row = widgets.HBox([self._run_button, self._stop_button, self._bar, self._status])
        self._question = Message()
        self._consent = widgets.Button(icon="eject", layout={"width": "auto", "display": "none"})
        self._message, self._view = Message(), ResultView()
        return [
            self._plan,
            row.add_class("lw-row"),
            self._question,
            self._consent.add_class("lw-consent"),
            self._message,
            self._view,
        ]

    # --- for code and for the buttons ------------------------------------------------------------

    def run(self) -> Result:
        """The result, without measuring twice what was measured by hand.

        The one that is there, where this experiment was run in the panel to its end, with the
        settings that it has now; that of the run that goes on, when it has ended; else it is
        measured now, in the panel.

        Returns
        -------
        Result
            Not complete where it was stopped.

        Raises
        ------
        NeedsConsent, ExperimentFailed, UnknownModel, ServerUnreachable, ServerError, MemoryError
            As `wait` does; RuntimeError when the panel is closed.

        Examples
        --------
        >>> panel.run().verdict  # doctest: +SKIP
        'smollm2:135m: first token after 1.1 ...'
        """
        with self._lock:
            is_there = not self.running and self._is_measured()
            if not (self.running or is_there):
                self.start()
        if is_there:
            kept: Result = self.result
            return kept
        return self.wait()

    def _is_measured(self) -> bool:
        """Whether the result is whole, and that of the experiment as it is set now."""
        result = self.result
        return result is not None and result.is_complete and self.experiment.is_of(result)

    def start(self) -> ExperimentPanel:
        """Begin. Returns itself at once.

        Raises
        ------
        RuntimeError
            While it is running, or when the panel is closed.
        """
        self._begin(self._may_unload)
        return self

    def stop(self) -> None:
        """Stop for good; what is measured is kept. Without a run, nothing happens."""
        with self._lock:
            if not self._measuring:
                return
            self._stopping = True
            self._stop_button.disabled = True
            self._say("stopping…")
        self.experiment.stop()

    def wait(self, timeout_s: float | None = None) -> Result:
        """Wait for the end. An interrupt of the kernel stops the run.

        Parameters
        ----------
        timeout_s:
            How long to wait, in seconds; None: as long as it takes.

        Returns
        -------
        Result
            Also when it was stopped.

        Raises
        ------
        NeedsConsent, ExperimentFailed, UnknownModel, ServerUnreachable, ServerError, MemoryError
            What went wrong, as `Experiment.run` tells it.
        TimeoutError
            When it is still running; it goes on.
        RuntimeError
            When nothing was started.
        """
        ended = self._ended
        if ended is None:
            raise RuntimeError("Nothing was started. Call start() first.")
        try:
            if not wait_for(ended, timeout_s):
                raise TimeoutError(
                    f"The experiment is not finished after {timeout_s:g} s; it goes on."
                )
        except KeyboardInterrupt:  # the kernel's stop button means this run
            self.stop()
            wait_for(ended, _CLOSE_S)  # it unloads what it has loaded
            raise Interrupted(_INTERRUPTED) from None
        if self._fault is not None:
            raise self._fault
        assert isinstance(self.result, Result)
        return self.result

    def close(self) -> None:
        """Stop a run that goes on, wait until it has cleaned up, and remove the panel."""
        self.stop()
        self._background.close(_CLOSE_S)
        super().close()

    # --- one run ---------------------------------------------------------------------------------

    def _begin(self, may_unload: MayUnload) -> None:
        with self._lock:
            if self.running:
                self.error = "This experiment is running. Stop it, or wait for its end."
                raise RuntimeError(self.error)
            ended = threading.Event()
            self._measuring, self._stopping, self._fault = True, False, None
            self._began_s, self._step = time.monotonic(), Step(0, 0, "starting")
            if not self._background.start("experiment", lambda: self._work(ended, may_unload)):
                raise RuntimeError("The panel is closed. Make a new one.")
            self._ended = ended
            self.error, self.result = "", None
            self._ask_no_more()
            self._view.clear()
            self.running = True
            self._background.start("elapsed", lambda: self._tick(ended))

    def _work(self, ended: threading.Event, may_unload: MayUnload) -> None:
        """The run (in a thread of its own)."""
        with self._lock:  # start() has shown that it runs
            experiment = self.experiment
        fault: BaseException | None = None
        try:
            experiment.run(on_step=self._stepped, may_unload=may_unload or False)
        except BaseException as error:  # whatever it is, it belongs to the one who waits
            fault = error
        with self._lock:
            self._measuring = False  # from now on the report has the last word
        try:
            self._report(experiment, fault)
        finally:  # whatever a person's observer does, whoever waits must not wait for ever
            self._fault = fault
            try:
                self.running = False
            finally:
                ended.set()

    def _stepped(self, step: Step) -> None:
        self._step = step
        if self._stopping:  # pressed before the experiment could hear it
            self.experiment.stop()
        self._bar.value = step.done / step.total if step.total else 0.0
        self._show_progress()

    def _report(self, experiment: Experiment[Any], fault: BaseException | None) -> None:
        took = seconds_text(time.monotonic() - self._began_s)
        result = fault.result if isinstance(fault, ExperimentFailed) else experiment.result
        if isinstance(fault, NeedsConsent):
            asks = self._may_unload is None
            self._say("waiting for your answer" if asks else "not started")
            if asks:
                self._ask(experiment, fault)
                return
        elif fault is not None:
            self._say(f"failed after {took}")
        elif result is not None:
            self._bar.value = 1.0 if result.is_complete else self._bar.value
            self._say(f"{'done' if result.is_complete else 'stopped'} after {took}")
        if result is not None and not self._background.closed:
            self._view.show(result)
        self.error = "" if fault is None else str(fault) or type(fault).__name__
        self.result = result

    def _ask(self, experiment: Experiment[Any], needs: NeedsConsent) -> None:
        """Ask before models are unloaded that somebody else has used last."""
        are, it = ("is", "it has") if len(needs.models) == 1 else ("are", "they have")
        self._asked = experiment, experiment.server.url, needs.models
        self._question.show(
            f"{needs.named} {are} in memory, and somebody else's request came last: they may be "
            f"using what this would unload on {experiment.server.url}. Nothing has been touched. "
            f"Wait until {it} left, or:",
            is_error=False,
        )
        self._consent.description = f"Unload {', '.join(needs.models)} and run"
        self._consent.layout.display = None

    def _ask_no_more(self) -> None:
        self._asked = None
        self._question.show("", is_error=False)
        self._consent.description, self._consent.layout.display = "", "none"

    def _allowed(self) -> MayUnload:
        """The models that the button was about; none when it was another experiment or server."""
        if self._asked is None:
            return self._may_unload
        experiment, url, models = self._asked
        is_the_same = experiment is self.experiment and experiment.server.url == url
        return models if is_the_same else self._may_unload

    # --- what is shown ---------------------------------------------------------------------------

    def _show_plan(self) -> None:
        """What it will do (in a thread of its own: it may have to ask the server)."""
        experiment = self.experiment
        self._plan.value = '<span class="lw-muted">Working out what will be run…</span>'
        try:
            plan = experiment.plan()
            shown, planned, fault = plan_html(plan), plan.what, ""
        except Exception as error:
            shown, planned, fault = "", "", str(error)
        if experiment is self.experiment and not self._background.closed:
            self._planned, self._plan.value = planned, shown
            if fault and not self.running:
                self.error = fault

    def _another(self, _: Any) -> None:
        self.error, self.result = "", None
        self._ask_no_more()
        self._view.clear()
        self._say("")
        self._bar.layout.visibility = "hidden"
        self._background.start("plan", self._show_plan)

    @traitlets.validate("experiment")
    def _not_while_running(self, proposal: Any) -> Experiment[Any]:
        if self.running:
            raise RuntimeError("An experiment is running here. Stop it, or wait for its end.")
        kept: Experiment[Any] = proposal["value"]
        return kept

    def _tick(self, ended: threading.Event) -> None:
        while not ended.wait(_TICK_S):
            self._show_progress()

    def _show_progress(self) -> None:
        step = self._step
        done = f"{step.done} of {step.total}: " if step.total else ""
        what = "stopping…" if self._stopping else done + step.what
        with self._lock:
            if self._measuring:
                self._say(f"{what} · {seconds_text(time.monotonic() - self._began_s)}")

    def _say(self, status: str) -> None:
        self._status.value = f'<span class="lw-muted">{escaped(status)}</span>'

    def _switch_buttons(self, _: Any) -> None:
        self._run_button.disabled = self.running
        self._stop_button.disabled = not self.running
        if self.running:
            self._bar.value, self._bar.layout.visibility = 0.0, None

    def _pressed(self, may_unload: MayUnload) -> None:
        try:
            self._begin(may_unload)
        except RuntimeError as fault:
            self.error = str(fault)

    def _in_short(self) -> str:
        state = "running" if self.running else "done" if self.result else "not run"
        return f"{type(self.experiment).__name__}, {state}"

    def _still(self, sheet: Sheet) -> None:
        result = self.result
        sheet.head(self._in_short())
        sheet.say(self._planned)
        sheet.say(self.error)
        if isinstance(result, Result):
            result_on(sheet, result)

    def _still_sources(self) -> tuple[traitlets.HasTraits, ...]:
        return self, self._plan
