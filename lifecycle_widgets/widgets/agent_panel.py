"""AgentPanel: run a prompt as a griptape Agent, watch it stream, stop it, see what it cost."""

from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta
from typing import Any

import ipywidgets as widgets
import traitlets

from lifecycle_widgets.agent import AgentRun, checked_options, warm_up
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Think, host_name
from lifecycle_widgets.server import (
    AnyServer,
    Model,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
)
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.base import Composite, KeepAliveTrait, Message, ServerTrait
from lifecycle_widgets.widgets.formats import seconds_text
from lifecycle_widgets.widgets.run_status import RunStatus, thought_text
from lifecycle_widgets.widgets.split import split_html
from lifecycle_widgets.widgets.text_stream import FoldedText, TextStream
from lifecycle_widgets.widgets.think_picker import ThinkPicker, ThinkTrait

_CLOSE_S = 3.0  # how long close() waits for a run to end
_REPORT_S = 10.0  # how long wait() waits for the report of a run that has ended
_THINKS = "Thinking…"
_PROMPT = "In one sentence: why is the sky blue?"
_HINT = "Press Run, or Ctrl+Enter in the prompt. The answer appears here."


class AgentPanel(Composite):
    """Runs a prompt as an agent: streams the answer, can stop, and shows where the time went.

    What a model thinks is streamed apart from its answer, folded, in ``thinking``.

    ``running``, ``answer``, ``thinking``, ``run`` (the last `Run`), ``runs`` and ``error`` are for
    reading and observing; the others can be set at any time and count for the next run.

    Parameters
    ----------
    server:
        A Server, an address or a Sandbox; without one, `Server.find` looks for it.
    model:
        An installed model.
    keep_alive:
        What `KeepAlive` takes. None: not sent.
    prompt:
        Sent as it is; ``{{ }}`` and ``{% %}`` mean nothing in it.
    options:
        Ollama's options, such as ``{"num_predict": 50}``.
    think:
        Whether the model is to think before it answers: False, True, "low", "medium" or "high".
        None: not sent. The page has a control for it when the model is told to be able to.

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
    think = ThinkTrait()
    blocked = traitlets.Unicode(help="Why it must not run (a mistake elsewhere); empty: it may.")
    tells_where = traitlets.Bool(True, help="Whether it says that a model runs elsewhere.")
    running = traitlets.Bool()
    answer = traitlets.Unicode()
    thinking = traitlets.Unicode()
    run = traitlets.Instance(Run, allow_none=True)
    runs = traitlets.Tuple()
    error = traitlets.Unicode()

    def __init__(
        self,
        server: AnyServer = None,
        *,
        model: str = "",
        keep_alive: KeepAlive | str | float | timedelta | None = None,
        prompt: str = _PROMPT,
        options: dict[str, Any] | None = None,
        think: Think = None,
        **keywords: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._begun: AgentRun | None = None
        self._ended = threading.Event()
        self._background = Background()
        self._known: Model | None = None  # what the server tells of the model
        super().__init__(self._parts(), keywords)
        self.add_class("lw-agent")
        self.server = Server.of(server)
        self.model, self.keep_alive, self.prompt = model, KeepAlive(keep_alive), prompt
        self.options, self.think = options or {}, think
        traitlets.link((self, "prompt"), (self._field, "value"))
        traitlets.link((self, "think"), (self._think, "think"))
        traitlets.dlink((self._stream, "text"), (self, "answer"))
        traitlets.dlink((self._thoughts, "text"), (self, "thinking"))
        self.observe(lambda _: self._message.show(self.error), "error")
        self.observe(self._switch_buttons, "running")
        self.observe(self._say_what_is_next, ["model", "keep_alive"])
        self._say_what_is_next()
        self.observe(self._look_at_model, ["model", "server"])
        self.observe(self._show_model, "tells_where")
        self._look_at_model()
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
        self._status, self._message, self._about = RunStatus(), Message(), Message()
        self._thoughts, self._think = FoldedText(_THINKS), ThinkPicker()
        self._stream, self._split = TextStream(hint=_HINT), widgets.HTML()
        self._split.layout.display = "none"
        buttons = [self._run_button, self._stop_button, self._status, self._think]
        row = widgets.HBox(buttons).add_class("lw-row")
        answer = [self._thoughts, self._stream, self._split]
        return [self._field, row, self._about, self._message, *answer]

    # --- for code and for the buttons ------------------------------------------------------------

    def start(self) -> AgentPanel:
        """Begin a run with the values as they are. Returns itself at once.

        Raises
        ------
        ValueError
            For an empty prompt, no model, one that cannot answer a prompt, or while ``blocked``
            says why.
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
            self._stream.hint, self.error = "", ""
            self._split.layout.display = "none"
            self._thoughts.title = _THINKS
            self._thoughts.clear()
            self._stream.clear()
            self.running = True
        self._status.follow(begun, self._ended, lambda: self._name_thoughts(begun))
        begun.start()
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
            return begun.wait(timeout_s)
        except KeyboardInterrupt:  # the kernel's stop button means this run
            begun.stop()
            raise
        finally:
            if not begun.running:  # its end is shown before it is told
                ended.wait(_REPORT_S)

    def close(self) -> None:
        """Stop a run that goes on, and remove the panel."""
        if self.running:
            self.stop()
            self._ended.wait(_CLOSE_S)
        self._background.close(_CLOSE_S)
        super().close()

    # --- one run ---------------------------------------------------------------------------------

    def _new_run(self) -> AgentRun:
        if self.running:
            raise RuntimeError("A run is going on. Stop it, or wait for its end, then run again.")
        if self.blocked:
            raise ValueError(self.blocked)
        if self.server is None:
            raise ValueError("There is no server to run on. Set one, or call Server.find().")
        if self._known is not None and not self._known.can_chat:
            raise ValueError(f"{_ONLY_EMBEDS.format(self.model)} Choose a model that can chat.")
        return AgentRun(
            self.prompt,
            model=self.model,
            keep_alive=self.keep_alive,
            server=self.server,
            options=self.options,
            think=self.think,
            on_text=self._stream.append,
            on_thinking=self._thoughts.append,
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
        tokens = None if run.answer else run.timings.output_tokens  # all of them went into it
        self._thoughts.title = thought_text(run.timings.thinking_s, tokens)
        self._thoughts.finish()
        self._stream.finish()
        if not run.answer and not run.error:
            self._stream.hint = run.note or "There was no text."
        verb = "failed" if run.error else "stopped" if run.stopped else "done"
        self._status.end(f"{verb} after {seconds_text(run.timings.total_s)}")
        if not run.error or run.answer or run.thinking:
            self._split.value, self._split.layout.display = split_html(run), None
        self.error = run.error or ""
        self.runs = (*self.runs, run)
        self.run = run

    def _name_thoughts(self, begun: AgentRun) -> None:
        """While the run goes on: the thinking has ended when text comes."""
        if begun.running and begun.answer and begun.thinking and self._thoughts.title == _THINKS:
            self._thoughts.title = thought_text(begun.thinking_s)

    # --- the model -------------------------------------------------------------------------------

    def _look_at_model(self, _: Any = None) -> None:
        """Ask in the background what the model can do, and where it runs."""
        self._known = None
        self._show_model()
        if (server := self.server) is not None and (name := self.model):
            self._background.start("model-facts", lambda: self._learn(server, name))

    def _learn(self, server: Server, name: str) -> None:
        # what goes wrong here is told by the run, when there is one
        with suppress(ServerError, ServerUnreachable, UnknownModel):
            model = server.require(name)
            _ = model.capabilities  # asks, here and not in the person's thread
            if (server, name) == (self.server, self.model) and not self._background.closed:
                self._known = model
                self._show_model()

    def _show_model(self, _: Any = None) -> None:
        model = self._known
        self._think.can_think = model is not None and model.can_think
        is_told = model is not None and (self.tells_where or not model.can_chat)
        self._about.show(_about(model) if model is not None and is_told else "", is_error=False)

    def _say_what_is_next(self, _: Any = None) -> None:
        with self._lock:
            if not self.running:
                self._status.end(f"{self.model or 'no model chosen'}, keep_alive {self.keep_alive}")

    @traitlets.validate("options")
    def _checked(self, proposal: Any) -> dict[str, Any]:
        return checked_options(proposal["value"])

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


_ONLY_EMBEDS = "{} only makes embeddings: it cannot answer a prompt."


def _about(model: Model) -> str:
    """What a person should know before a prompt goes to this model; mostly nothing."""
    if not model.can_chat:
        return _ONLY_EMBEDS.format(model.name)
    if model.is_cloud:
        where = host_name(model.remote_host) if model.remote_host else "another machine"
        return (
            f"{model.name} runs on {where}: prompts leave the machine, and keep_alive means "
            "nothing there."
        )
    return ""
