"""AgentPanel: run a prompt as a griptape Agent, watch it stream, stop it, see what it cost."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.agent import AgentRun, warm_up
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import Server, ServerError, ServerUnreachable
from lifecycle_widgets.widgets.base import Composite, KeepAliveTrait, Message, ServerTrait
from lifecycle_widgets.widgets.formats import escaped, seconds_text
from lifecycle_widgets.widgets.split import split_html
from lifecycle_widgets.widgets.text_stream import TextStream

_TICK_S = 0.2
_CLOSE_S = 3.0  # how long close() waits for a run to end
_STAGES = {None: "starting", False: "loading model", True: "reading the prompt"}
_PROMPT = "In one sentence: why is the sky blue?"
_HINT = "Press Run, or Ctrl+Enter in the prompt. The answer appears here."


class AgentPanel(Composite):
    """Runs a prompt as an agent: streams the answer, can stop, and shows where the time went.

    ``running``, ``answer``, ``run`` (the last `Run`), ``runs`` and ``error`` are for reading and
    observing; the others can be set at any time and count for the next run.

    Parameters
    ----------
    server:
        A Server or an address; without one, `Server.find` looks for it.
    model:
        An installed model.
    keep_alive:
        What `KeepAlive` takes. None: not sent.
    prompt:
        Sent as it is; ``{{ }}`` and ``{% %}`` mean nothing in it.
    options:
        Ollama's options, such as ``{"num_predict": 50}``.

    Examples
    --------
    >>> panel = AgentPanel(server, model="smollm2:135m", keep_alive="30s")  # doctest: +SKIP
    >>> panel.start().wait().timings.tokens_per_s  # doctest: +SKIP
    74.2
    """

    server = ServerTrait()
    model = traitlets.Unicode()
    keep_alive = KeepAliveTrait()
    prompt = traitlets.Unicode()
    options = traitlets.Dict()
    blocked = traitlets.Unicode(help="Why it must not run (a mistake elsewhere); empty: it may.")
    running = traitlets.Bool()
    answer = traitlets.Unicode()
    run = traitlets.Instance(Run, allow_none=True)
    runs = traitlets.Tuple()
    error = traitlets.Unicode()

    def __init__(
        self,
        server: Server | str | None = None,
        *,
        model: str = "",
        keep_alive: KeepAlive | str | float | timedelta | None = None,
        prompt: str = _PROMPT,
        options: dict[str, Any] | None = None,
        **keywords: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._begun: AgentRun | None = None
        self._ended = threading.Event()
        self._ticking: AgentRun | None = None  # whose progress the status line shows
        super().__init__(self._parts(), keywords)
        self.add_class("lw-agent")
        self.server = server if server is not None else Server.find()
        self.model, self.keep_alive, self.prompt = model, KeepAlive(keep_alive), prompt
        self.options = options or {}
        traitlets.link((self, "prompt"), (self._field, "value"))
        traitlets.dlink((self._stream, "text"), (self, "answer"))
        self.observe(lambda _: self._message.show(self.error), "error")
        self.observe(self._switch_buttons, "running")
        self.observe(self._say_what_is_next, ["model", "keep_alive"])
        self._say_what_is_next()
        self._run_button.on_click(self._pressed)
        self._stop_button.on_click(lambda _: self.stop())
        warm_up()  # griptape takes a second to import; the person is still reading

    def _parts(self) -> list[widgets.Widget]:
        self._field = widgets.Textarea(
            placeholder="What to ask the model", tooltip="Prompt", continuous_update=False, rows=3
        )
        self._field.layout.width = "100%"
        self._field.add_class("lw-prompt")
        self._run_button = widgets.Button(
            description="Run", icon="play", button_style="primary", tooltip="Run (Ctrl+Enter)"
        )
        self._stop_button = widgets.Button(
            description="Stop", icon="stop", disabled=True, tooltip="Stop generating, for good"
        )
        for button in (self._run_button.add_class("lw-run"), self._stop_button):
            button.layout.width = "92px"
        self._status, self._message = widgets.HTML().add_class("lw-grow"), Message()
        self._stream, self._split = TextStream(hint=_HINT), widgets.HTML()
        self._split.layout.display = "none"
        buttons = widgets.HBox([self._run_button, self._stop_button, self._status])
        buttons.add_class("lw-row")
        return [self._field, buttons, self._message, self._stream, self._split]

    # --- for code and for the buttons ------------------------------------------------------------

    def start(self) -> AgentPanel:
        """Begin a run with the values as they are. Returns itself at once.

        Raises
        ------
        ValueError
            For an empty prompt, no model, or while ``blocked`` says why.
        RuntimeError
            While a run is going on.
        """
        with self._lock:
            try:
                begun = self._new_run()
            except (ValueError, RuntimeError) as fault:
                self.error = str(fault)
                raise
            self._begun, self._ended = begun, threading.Event()
            self._ticking = begun
            self._stream.hint, self.error = "", ""
            self._split.layout.display = "none"
            self._stream.clear()
            self.running = True
        begun.start()
        threading.Thread(
            target=self._tick, args=(begun,), name="lifecycle-status", daemon=True
        ).start()
        return self

    def stop(self) -> None:
        """Stop the run for good; the server stops generating. Without a run, nothing happens."""
        begun = self._begun
        if begun is not None:
            begun.stop()

    def wait(self, timeout_s: float | None = None) -> Run:
        """Wait for the end of the run, while the answer streams.

        A kernel that is busy with a cell does not hear the Stop button; interrupting it stops the
        run just as well.

        Parameters
        ----------
        timeout_s:
            How long to wait, in seconds; None: as long as it takes.

        Returns
        -------
        Run
            Also when it was stopped.

        Raises
        ------
        UnknownModel, ServerUnreachable, ServerError, RunFailed
            What went wrong with the run.
        TimeoutError
            When it is still running; it goes on.
        RuntimeError
            When nothing was started.
        """
        begun, ended = self._begun, self._ended
        if begun is None:
            raise RuntimeError("Nothing was started. Call start() first.")
        try:
            if not ended.wait(timeout_s):
                raise TimeoutError(f"The run is not finished after {timeout_s:g} s; it goes on.")
        except KeyboardInterrupt:  # the kernel's stop button means this run
            begun.stop()
            raise
        return begun.wait()

    def close(self) -> None:
        """Stop a run that goes on, and remove the panel."""
        if self.running:
            self.stop()
            self._ended.wait(_CLOSE_S)
        super().close()

    # --- one run ---------------------------------------------------------------------------------

    def _new_run(self) -> AgentRun:
        if self.running:
            raise RuntimeError("A run is going on. Stop it, or wait for its end, then run again.")
        if self.blocked:
            raise ValueError(self.blocked)
        if self.server is None:
            raise ValueError("There is no server to run on. Set one, or call Server.find().")
        return AgentRun(
            self.prompt,
            model=self.model,
            keep_alive=self.keep_alive,
            server=self.server,
            options=self.options,
            on_text=self._stream.append,
            on_done=self._done,
        )

    def _done(self, run: Run) -> None:
        """The run has ended (in its thread)."""
        try:
            self._report(run)
        finally:  # whatever a person's observer does, whoever waits must not wait for ever
            try:
                self.running = False
            finally:
                self._ended.set()

    def _report(self, run: Run) -> None:
        self._stream.finish()
        if not run.answer and not run.error:
            self._stream.hint = "There was no text."
        with self._lock:
            verb = "failed" if run.error else "stopped" if run.stopped else "done"
            self._say(f"{verb} after {seconds_text(run.timings.total_s)}")
            self._ticking = None
        if not run.error or run.answer:
            self._split.value, self._split.layout.display = split_html(run), None
        self.error = run.error or ""
        self.runs = (*self.runs, run)
        self.run = run

    def _tick(self, begun: AgentRun) -> None:
        """The status line, while the run goes on (in a thread of its own)."""
        started, ended = time.monotonic(), self._ended
        is_loaded: bool | None = None
        waited_s = 0.0
        while not ended.wait(_TICK_S if waited_s else 0):
            waited_s = time.monotonic() - started
            stage = _STAGES[is_loaded] if begun.waiting_for_first_token else "streaming"
            with self._lock:
                if self._ticking is begun:
                    self._say(f"{stage}… {waited_s:.1f} s")
            if stage != "streaming" and not is_loaded:
                is_loaded = _is_loaded(begun)

    def _say(self, status: str) -> None:
        self._status.value = f'<span class="lw-muted">{escaped(status)}</span>'

    def _say_what_is_next(self, _: Any = None) -> None:
        with self._lock:
            if not self.running:
                self._say(f"{self.model or 'no model chosen'}, keep_alive {self.keep_alive}")

    def _pressed(self, _: Any) -> None:
        try:
            self.start()
        except (ValueError, RuntimeError):
            pass  # start() has put it into the message area

    def _switch_buttons(self, _: Any) -> None:
        self._run_button.disabled = self.running
        self._stop_button.disabled = not self.running

    def _in_short(self) -> str:
        state = "running" if self.running else f"{len(self.runs)} runs"
        return f"model={self.model!r}, keep_alive={str(self.keep_alive)!r}, {state}"


def _is_loaded(begun: AgentRun) -> bool | None:
    """Whether the model is in memory by now (a reading resets no timer); None: not told."""
    try:
        return begun.server.resident(begun.model) is not None
    except (ServerUnreachable, ServerError):
        return None
