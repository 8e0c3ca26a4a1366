"""Heard: what has come of an answer so far, text and thinking apart."""

from __future__ import annotations

from collections.abc import Callable

from lifecycle_widgets.agent.faults import callback_failed

_BETWEEN = "\n\n"


class Heard:
    """Keeps each piece that comes, and passes it on.

    Parameters
    ----------
    on_text, on_thinking:
        A person's functions; what they raise ends the run (see `Ended`).

    Examples
    --------
    >>> heard = Heard()
    >>> for piece in ("First", " this."):
    ...     heard.thinking(piece)
    >>> heard.text("Yes.")
    >>> heard.thinking("Then that.")
    >>> heard.answer, heard.thoughts
    ('Yes.', 'First this.\\n\\nThen that.')
    """

    def __init__(
        self,
        on_text: Callable[[str], None] | None = None,
        on_thinking: Callable[[str], None] | None = None,
    ) -> None:
        self._on_text, self._on_thinking = on_text, on_thinking
        self._texts: list[str] = []
        self._thoughts: list[str] = []
        self._paused = False  # it has said or done something since it thought
        self._is_over = False  # the step that the text is of

    @property
    def answer(self) -> str:
        """The text so far, of the last step that has one."""
        return "".join(self._texts)

    @property
    def thoughts(self) -> str:
        """What it has thought so far."""
        return "".join(self._thoughts)

    def text(self, piece: str) -> None:
        """A piece of the answer."""
        self._paused = True
        if self._is_over:
            self._texts, self._is_over = [], False
        self._texts.append(piece)
        _call("on_text", self._on_text, piece)

    def thinking(self, piece: str) -> None:
        """A piece of what it thinks; what it thinks after a pause is a paragraph of its own."""
        piece = (_BETWEEN if self._paused and self._thoughts else "") + piece
        self._paused = False
        self._thoughts.append(piece)
        _call("on_thinking", self._on_thinking, piece)

    def end_step(self) -> None:
        """The request has ended: what comes now is of another one."""
        self._paused = self._is_over = True


def _call(name: str, function: Callable[[str], None] | None, piece: str) -> None:
    try:
        if function is not None:
            function(piece)
    except BaseException as fault:
        raise callback_failed(name, fault) from fault
