"""Turn: what was asked, and when the next prompt comes, what came back, as it then stands."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from lifecycle_widgets.runs import Run
from lifecycle_widgets.runs.shown import keep_alives_text
from lifecycle_widgets.widgets.formats import seconds_text
from lifecycle_widgets.widgets.run_status import thought_text
from lifecycle_widgets.widgets.split import split_html
from lifecycle_widgets.widgets.step_strip import step_strip_html
from lifecycle_widgets.widgets.style import static
from lifecycle_widgets.widgets.text_stream import sendable


class Turn(anywidget.AnyWidget):
    """A turn of a conversation. While its answer comes, only the question: others show the rest.

    Parameters
    ----------
    question:
        The prompt.
    aside:
        What there is to say of it beside, in a few words.

    Examples
    --------
    >>> Turn("Why is the sky blue?").question
    'Why is the sky blue?'
    """

    _esm = static("kept.js") + static("turn.js")
    _told = traitlets.Dict().tag(sync=True)

    def __init__(self, question: str, aside: str = "") -> None:
        super().__init__(_told={"question": sendable(question), "aside": aside})

    @property
    def question(self) -> str:
        """The prompt."""
        return str(self._told["question"])

    def tell(self, run: Run, html: str) -> None:
        """Show all of it: one static thing in place of the parts that streamed.

        Parameters
        ----------
        html:
            The answer's Markdown; "": the answer as plain text.
        """
        told = {
            "thinking": run.thinking,
            "thought": thought_text(run.timings.thinking_s),
            "answer": run.answer,
            "html": html,
            "said": said_text(run),
            "short": short_text(run),
            "split": where_html(run) if has_split(run) else "",
        }
        self._told = {**self._told, **{name: sendable(text) for name, text in told.items()}}

    def __repr__(self) -> str:
        return f"Turn({self.question!r})"


def ended_text(run: Run) -> str:
    """How it ended, and after how long.

    Examples
    --------
    >>> from datetime import datetime
    >>> from lifecycle_widgets import KeepAlive, Run, Timings
    >>> asked = "qwen3:4b", KeepAlive(None), "Hi", "Hel", datetime.now()
    >>> ended_text(Run(*asked, Timings(1.25), stopped=True))
    'stopped after 1.25 s'
    """
    verb = "failed" if run.error else "stopped" if run.stopped else "done"
    return f"{verb} after {seconds_text(run.timings.total_s)}"


def has_split(run: Run) -> bool:
    """Whether there is something to say of where the time went."""
    return bool(not run.error or run.answer or run.thinking)


def where_html(run: Run) -> str:
    """Where the time of a run went, and its steps."""
    return split_html(run) + step_strip_html(run)


def said_text(run: Run) -> str:
    """What has to be said of a turn that is not what was hoped for."""
    ended = run.error or ""
    if run.stopped and not run.error:
        ended = f"Stopped{': this is what had come' * bool(run.answer)}. It is not remembered."
    note = "" if run.answer.strip() else run.note  # else the split has it
    return " ".join(filter(None, [ended, note]))


def short_text(run: Run) -> str:
    """One line, for when the rest is folded."""
    rate = run.timings.tokens_per_s
    told: list[Any] = [ended_text(run), f"{rate:.1f} tokens/s" if rate is not None else None]
    return " · ".join(filter(None, [*told, f"keep_alive {keep_alives_text(run)}", run.heat]))
