"""Conversation: the turns of a panel, the oldest first, in a part of the page that scrolls."""

from __future__ import annotations

import threading

import anywidget
import ipywidgets as widgets
import traitlets

from lifecycle_widgets.runs import Run
from lifecycle_widgets.runs.texts import counted
from lifecycle_widgets.widgets.agent_panel.markdown import markdown_html
from lifecycle_widgets.widgets.agent_panel.turn import Turn, has_split, where_html
from lifecycle_widgets.widgets.base import close_all
from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.run_status import thought_text
from lifecycle_widgets.widgets.style import static
from lifecycle_widgets.widgets.text_stream import FoldedText, TextStream, sendable

MOST_TURNS = 50
_THINKS = "Thinking…"
_HINT = "Press Run, or Ctrl+Enter in the prompt. The answer appears here."


class Follow(anywidget.AnyWidget):
    """Takes no room, and keeps what scrolls around it at its end while that grows."""

    _esm = static("follow.js")
    _turn = traitlets.Int().tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.layout.height, self.layout.margin = "0", "0"

    def now(self) -> None:
        """Go to the end, wherever the person has scrolled to."""
        self._turn += 1


class Conversation(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Shows the turns of a conversation; the last one while it comes.

    The last turn has widgets that stream, ``thoughts`` and ``stream``, and ``split``. When the
    next one begins they are for that one, and what they showed has become one static `Turn`. The
    last 50 turns are shown, and a line says how many there were before.

    Examples
    --------
    >>> conversation = Conversation()
    >>> conversation.begin("Why is the sky blue?")
    >>> conversation.stream.append("Because of Rayleigh.")
    >>> [turn.question for turn in conversation.turns]
    ['Why is the sky blue?']
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._last: tuple[Run, str] | None = None  # of the last turn, when it has ended
        self._not_shown = 0
        self.turns: tuple[Turn, ...] = ()
        self.thoughts, self.stream = FoldedText(_THINKS), TextStream(hint=_HINT)
        self.split, self._follow = widgets.HTML().add_class("lw-now"), Follow()
        self._earlier = widgets.HTML()
        self.split.layout.display = self._earlier.layout.display = "none"
        super().__init__()
        self.add_class("lw-talk")
        self._place()

    def begin(self, question: str, aside: str = "") -> None:
        """A prompt has been sent: what is shown of the turn before it stays as it is."""
        with self._lock:
            self._settle()
            self.turns = (*self.turns, Turn(question, aside))
            self._let_go()
            self.stream.hint, self.split.layout.display = "", "none"
            self.thoughts.title = _THINKS
            self.thoughts.clear()
            self.stream.clear()
            self._place()
            self._follow.now()

    def add(self, piece: str, answer: str) -> None:
        """A piece of the answer, and what it has come to: the text of a step that calls tools gives
        way to that of the next one."""
        if self.stream.text and answer == piece:
            self.stream.clear()
        self.stream.append(piece)

    def end(self, run: Run, *, markdown: bool) -> None:
        """The run of the last turn has ended, however it ended."""
        html = markdown_html(sendable(run.answer)) if markdown and not run.error else ""
        with self._lock:
            tokens = None if run.answer else run.timings.output_tokens  # all of them went into it
            self.thoughts.title = thought_text(run.timings.thinking_s, tokens)
            self.thoughts.finish()
            self.stream.text = run.answer  # as it is, unless a last step had none
            self.stream.finish()
            self.stream.dress(html)
            if not run.answer and not run.error:
                self.stream.hint = run.note or "There was no text."
            if has_split(run):
                self.split.value, self.split.layout.display = where_html(run), None
            self._last = (run, html)

    def name_thoughts(self, seconds: float | None) -> None:
        """The thinking has ended, because text has come."""
        if self.thoughts.title == _THINKS:
            self.thoughts.title = thought_text(seconds)

    def clear(self) -> None:
        """Show no turn any more."""
        with self._lock:
            gone, self.turns, self._last, self._not_shown = self.turns, (), None, 0
            self.stream.hint, self.split.layout.display = _HINT, "none"
            self.thoughts.clear()
            self.stream.clear()
            self._place()
        for turn in gone:
            close_all(turn)

    # --- one after the other ---------------------------------------------------------------------

    def _settle(self) -> None:
        """The last turn becomes a static one."""
        if self._last is not None and self.turns:
            run, html = self._last
            self.turns[-1].tell(run, html)
            self._last = None

    def _let_go(self) -> None:
        """Of the turns that are too many."""
        gone, self.turns = self.turns[:-MOST_TURNS], self.turns[-MOST_TURNS:]
        self._not_shown += len(gone)
        for turn in gone:
            close_all(turn)

    def _place(self) -> None:
        number = self._not_shown
        not_shown = f"{counted(number, 'earlier turn')} not shown."
        self._earlier.value = f'<span class="lw-muted">{escaped(not_shown)}</span>'
        self._earlier.layout.display = None if number else "none"
        live = [self.thoughts, self.stream, self.split, self._follow]
        self.children = [self._earlier, *self.turns, *live]
        (self.add_class if self.turns else self.remove_class)("lw-begun")
