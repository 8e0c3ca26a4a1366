"""AgentPanel: talk with an agent, watch it stream, stop it, see what each answer cost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

import traitlets

from lifecycle_widgets.agent import StructureRun, checked_options, warm_up
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Think
from lifecycle_widgets.server import AnyServer, Server
from lifecycle_widgets.waiting import Interrupted
from lifecycle_widgets.widgets.agent_panel import words
from lifecycle_widgets.widgets.agent_panel.code import code_of
from lifecycle_widgets.widgets.agent_panel.launch import agent_run, structure_run, whole_structure
from lifecycle_widgets.widgets.agent_panel.memory import Remembered
from lifecycle_widgets.widgets.agent_panel.on_paper import turns_on
from lifecycle_widgets.widgets.agent_panel.outlook import Outlook
from lifecycle_widgets.widgets.agent_panel.parts import Parts
from lifecycle_widgets.widgets.agent_panel.traits import PanelTraits
from lifecycle_widgets.widgets.agent_panel.turn import ended_text
from lifecycle_widgets.widgets.base import Composite
from lifecycle_widgets.widgets.still.sheet import Sheet

_ASKS_S = 0.05  # how long the page waits for the first request to be sent
_CLOSE_S = 3.0  # how long close() waits for a run to end
_REPORT_S = 10.0  # how long wait() waits for the report of a run that has ended
_T = TypeVar("_T")
_PROMPT = "In one sentence: why is the sky blue?"


class AgentPanel(PanelTraits, Composite):
    """Runs prompts as an agent: a conversation that streams, can be stopped, and tells its costs.

    What a model thinks is streamed apart from its answer, folded. Each turn stays, with where its
    time went; the last 50 are shown.

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
        Ollama's options, such as ``{"num_predict": 50}``. The page has fields for some of them.
    think:
        Whether the model is to think before it answers: False, True, "low", "medium" or "high".
        None: not sent. The page has a control for it when the model is told to be able to.
    rules:
        What the agent is to keep to, each a sentence.
    tools:
        griptape tools; the page has a check for each, and ``tools`` has those that are on.
    memory:
        True: the conversation so far is sent with each prompt, from a griptape conversation memory
        that the panel makes; or one of your own; None: each prompt stands for itself.
    hold:
        As `StructureRun` takes it: None leaves it to the run, False is no hold.
    markdown:
        Whether an answer that has ended is shown as Markdown; else as plain text.
    structure:
        Your own griptape Agent, Pipeline, Workflow or PromptTask, which each prompt is given to, as
        it is. Models, options, rules, tools and memory are its own then; a ``keep_alive`` and a
        ``server`` that are chosen here are for all of its models.

    Raises
    ------
    ValueError
        For what Ollama would reject, what is no structure, and what a structure has itself.

    Examples
    --------
    >>> panel = AgentPanel(server, model="smollm2:135m", keep_alive="30s")  # doctest: +SKIP
    >>> panel.start().wait().timings.tokens_per_s  # doctest: +SKIP
    74.2
    >>> with AgentPanel(server, structure=pipeline) as panel:  # doctest: +SKIP
    ...     print(panel.start().wait().answer)
    """

    def __init__(
        self,
        server: AnyServer = None,
        *,
        model: str = "",
        keep_alive: KeepAlive | str | float | timedelta | None = None,
        prompt: str = _PROMPT,
        options: Mapping[str, Any] | None = None,
        think: Think = None,
        rules: Sequence[str] = (),
        tools: Sequence[Any] = (),
        memory: Any = True,
        hold: bool | None = None,
        markdown: bool = True,
        structure: Any = None,
        **keywords: Any,
    ) -> None:
        self._lock, self._outlook = threading.RLock(), Outlook()
        self._begun: StructureRun | None = None
        self._shown = threading.Event()
        self._sent: dict[str, Any] = {}  # of the last run, for its code: what it does not tell
        self._ended, self._closed = threading.Event(), False
        own = {"model": model, "options": options, "think": think, "rules": rules, "tools": tools}
        self.structure = None if structure is None else whole_structure(structure, own)
        self._parts = Parts()
        super().__init__(self._parts.all, keywords)
        self.add_class("lw-agent")
        self.server = None if structure is not None and server is None else Server.of(server)
        self.model, self.keep_alive, self.prompt = model, KeepAlive.of(keep_alive), prompt
        self.options, self.think = dict(options or {}), think
        self.rules, self.tools = tuple(rules), tuple(tools)
        self.memory, self.hold, self.markdown = memory, hold, markdown
        self._link()
        warm_up()  # griptape takes a second to import; the person is still reading

    def _link(self) -> None:
        parts, settings, talk = self._parts, self._parts.settings, self._parts.talk
        settings.offer(self.tools)
        if self.structure is not None:
            settings.leave_to_structure()
        traitlets.link((self, "prompt"), (parts.prompt, "value"))
        for name in ("options", "rules", "tools", "hold", "markdown"):
            traitlets.link((self, name), (settings, name))
        traitlets.link((self, "think"), (settings.think, "think"))
        self._memory = Remembered(self, settings)
        traitlets.dlink((talk.stream, "text"), (self, "answer"))
        traitlets.dlink((talk.thoughts, "text"), (self, "thinking"))
        self.observe(lambda _: parts.message.show(self.error or settings.error), "error")
        settings.observe(self._mistake, "error")
        self.observe(lambda _: parts.switch(self.running), "running")
        self.observe(self._say_what_is_next, ["model", "keep_alive"])
        self._say_what_is_next()
        parts.switch(self.running)
        parts.run.on_click(self._pressed)
        parts.stop.on_click(lambda _: self.stop())
        parts.clear.on_click(self._cleared)
        self._outlook.begin(self, parts)

    @traitlets.validate("options")
    def _checked(self, proposal: Any) -> dict[str, Any]:
        """What is set in code wins over a mistake in a field, also where nothing changes by it."""
        options = checked_options(proposal["value"])
        if options == self.options:
            self._parts.settings.forget_mistakes()
        return options

    # --- for code and for the buttons ------------------------------------------------------------

    def start(self, *, remember: bool = True) -> AgentPanel:
        """Begin a run with the values as they are. Returns itself at once.

        Parameters
        ----------
        remember:
            False: the prompt stands for itself, whatever ``memory`` is: nothing of the
            conversation is sent with it, and it does not become part of it.

        Raises
        ------
        ValueError
            For an empty prompt, no model, one that cannot answer a prompt, a mistake in a field,
            or while ``blocked`` says why.
        RuntimeError
            While a run is going on, and once it is closed.
        """
        with self._lock:
            try:
                begun = self._new_run(remember)
            except (ValueError, RuntimeError) as fault:
                self.error = str(fault)
                raise
            self._begun, self._ended = begun, threading.Event()
            self._parts.status.follow(begun, self._ended, lambda: self._name_thoughts(begun))
            self._shown.clear()
            try:
                asked = threading.Event()
                begun.follow(lambda _: asked.set())
                begun.start()
                asked.wait(_ASKS_S)  # what the page draws would hold up the request
                self._show_begun(remember)
            except RuntimeError as fault:  # a person's structure that is in another run
                self._ended.set()
                self.error = str(fault)
                self._say_what_is_next()
                raise
            finally:
                self._shown.set()
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
            raise Interrupted(words.INTERRUPTED) from None
        finally:
            if not begun.running:  # its end is shown before it is told
                ended.wait(_REPORT_S)

    def clear(self) -> None:
        """Show no turn any more, and forget them: the memory is empty then (``runs`` stay).

        The memory of your own ``structure`` is left as it is.

        Raises
        ------
        RuntimeError
            While a run is going on.
        """
        with self._lock:
            if self.running:
                raise RuntimeError(words.GOES_ON)
            if self.structure is None:
                self._memory.forget()
            self._parts.talk.clear()
            self._parts.switch(self.running)
            self.error = ""
            self._say_what_is_next()

    def close(self) -> None:
        """Stop a run that goes on, and remove the panel."""
        self._closed = True
        if self.running:
            self.stop()
            self._ended.wait(_CLOSE_S)
        self._outlook.close(_CLOSE_S)
        super().close()

    # --- one run ---------------------------------------------------------------------------------

    def _new_run(self, remember: bool) -> StructureRun:
        if self._closed:
            raise RuntimeError(words.CLOSED)
        if self.running:
            raise RuntimeError(words.GOES_ON)
        if why := self.blocked or self._parts.settings.error:
            raise ValueError(why)
        talk = self._parts.talk
        heard: dict[str, Any] = {
            "on_text": self._when_shown(
                lambda piece: talk.add(piece, self._begun.answer if self._begun else "")
            ),
            "on_thinking": self._when_shown(talk.thoughts.append),
            "on_done": self._when_shown(self._done),
        }
        if self.structure is not None:
            if not self.prompt.strip():
                raise ValueError("The prompt is empty. Write what to ask.")
            return structure_run(self, self.prompt, self.hold, heard)
        if self.server is None:
            raise ValueError("There is no server to run on. Set one, or call Server.find().")
        if not self._outlook.can_chat:
            raise ValueError(words.cannot_chat(self.model))
        self._sent = {"server": self.server, "rules": self.rules, "tools": self.tools}
        return agent_run(self, self._memory.used() if remember else None, heard)

    def _show_begun(self, remember: bool) -> None:
        self.error = ""
        is_alone = self.structure is None and (self.memory is None or not remember)
        self._parts.talk.begin(self.prompt, words.ALONE if is_alone else "")
        self.running = True

    def _when_shown(self, tell: Callable[[_T], None]) -> Callable[[_T], None]:
        """The same, when the page shows that the turn has begun: the run does not wait for that."""

        def told(what: _T) -> None:
            self._shown.wait(_REPORT_S)
            tell(what)

        return told

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
        self._parts.talk.end(run, markdown=self.markdown)
        self._parts.status.end(ended_text(run))
        if self._sent:
            self._parts.show_code(code_of(run, **self._sent))
        self.error = run.error or ""
        self.runs = (*self.runs, run)
        self.run = run

    def _name_thoughts(self, begun: StructureRun) -> None:
        """While the run goes on: the thinking has ended when text comes."""
        if begun.running and begun.answer and begun.thinking:
            self._parts.talk.name_thoughts(begun.thinking_s)

    # --- what is shown ---------------------------------------------------------------------------

    def _say_what_is_next(self, _: Any = None) -> None:
        with self._lock:
            if not self.running:
                self._parts.status.end(words.next_text(self))

    def _mistake(self, change: Any) -> None:
        """A mistake in a field is said at once, and no longer when it is mended."""
        if self.error == change["old"]:
            self.error = ""
        self._parts.message.show(self.error or change["new"])

    def _pressed(self, _: Any) -> None:
        with suppress(ValueError, RuntimeError):  # start() has put it into the message area
            self.start()

    def _cleared(self, _: Any) -> None:
        with suppress(RuntimeError):
            self.clear()

    def _in_short(self) -> str:
        state = "running" if self.running else f"{len(self.runs)} runs"
        whom = f"model={self.model!r}"
        if self.structure is not None:
            whom = f"structure={type(self.structure).__name__}"
        return f"{whom}, keep_alive={str(self.keep_alive)!r}, {state}"

    def _still(self, sheet: Sheet) -> None:
        whom = self.model or "no model yet" if self.structure is None else "its own structure"
        sheet.say(f"Asks {whom}, with keep_alive {self.keep_alive}.")
        ended = len(self._parts.talk.turns) - self.running
        turns_on(sheet, self.runs[-ended:] if ended > 0 else ())
        sheet.say(self.error)
