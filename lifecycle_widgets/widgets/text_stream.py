"""TextStream: text that grows, shown as it comes."""

from __future__ import annotations

import threading
import time
from typing import Any

import traitlets

from lifecycle_widgets.widgets.base import Single, refuse_unknown
from lifecycle_widgets.widgets.still.sheet import Sheet
from lifecycle_widgets.widgets.style import static

_BATCH_S = 0.05  # at most 20 messages a second, however fast the tokens come


class GrowingText(Single):
    """What `TextStream` and `FoldedText` share: a text, and what the page has been sent of it."""

    _esm = static("kept.js") + static("text_stream.js")
    _css = static("lab.css")

    text = traitlets.Unicode()  # not synchronised: the page is sent the increments
    hint = traitlets.Unicode().tag(sync=True)
    _saved = traitlets.Unicode().tag(sync=True)  # what is stored with the notebook

    def __init__(self, text: str = "", *, hint: str = "", title: str = "", **keywords: Any) -> None:
        refuse_unknown(type(self), keywords)
        self._lock = threading.RLock()
        self._pending = ""
        self._sent = 0  # characters (code points) that the page has been sent
        self._appending = False
        self._sender: threading.Thread | None = None
        super().__init__(text=text, _saved=sendable(text), hint=hint, **keywords)
        self._sent = len(self.text)
        self.on_msg(self._asked)
        self.observe(self._replaced, "text")

    def append(self, text: str) -> None:
        """Add text at the end. Safe in any thread."""
        if not text:
            return
        with self._lock:
            text = sendable(text)
            self._pending += text
            self._appending = True
            try:
                self.text += text
            finally:
                self._appending = False
            if self._sender is None:
                self._send_pending()
                self._sender = threading.Thread(
                    target=self._send_the_rest, name="lifecycle-text-stream", daemon=True
                )
                self._sender.start()

    def clear(self) -> None:
        """Remove the text."""
        with self._lock:
            self.text = ""

    def finish(self) -> None:
        """Send what is still waiting, and store the whole text with the notebook."""
        with self._lock:
            self._send_pending()
            self._saved = self.text

    def _still(self, sheet: Sheet) -> None:
        sheet.quote(self.text or self.hint)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.text)} characters)"

    def _send_the_rest(self) -> None:
        while True:
            time.sleep(_BATCH_S)
            with self._lock:
                if not self._pending:
                    self._sender = None
                    return
                self._send_pending()

    def _send_pending(self) -> None:
        if self._pending:
            self.send({"kind": "append", "at": self._sent, "text": self._pending})
            self._sent, self._pending = self._sent + len(self._pending), ""

    def _send_whole(self) -> None:
        self._pending, self._sent = "", len(self.text)
        self.send({"kind": "whole", "text": self.text})

    @traitlets.validate("text")
    def _checked(self, proposal: Any) -> str:
        return sendable(proposal["value"])

    def _replaced(self, _: Any) -> None:
        """The text was set (from code, or cleared)."""
        with self._lock:
            if not self._appending:
                self._send_whole()
                self._saved = self.text

    def _asked(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """A page has just been opened, or has missed something."""
        if isinstance(content, dict) and content.get("kind") == "whole?":
            with self._lock:
                self._send_whole()


class TextStream(GrowingText):
    """Shows a text that grows, sending only what is new; text, never HTML.

    Appending is safe in any thread. The page gets at most 20 messages a second and misses
    nothing; a page that is opened later gets the whole text once. A text that has come to its end
    can be shown as the HTML of its Markdown (`dress`), of which the page lets a list through.

    Parameters
    ----------
    text:
        What it starts with.
    hint:
        Shown, muted, while there is no text.

    Examples
    --------
    >>> stream = TextStream()
    >>> stream.append("Hello, ")
    >>> stream.append("world.")
    >>> stream.text
    'Hello, world.'
    """

    _html = traitlets.Unicode().tag(sync=True)  # of the whole text, once it has ended

    def dress(self, html: str) -> None:
        """Show this HTML in place of the text that it was made of; "": the text again."""
        self._html = html

    @traitlets.observe("text")
    def _undress(self, _: Any) -> None:
        self._html = ""


class FoldedText(GrowingText):
    """A text that grows as in a `TextStream`, folded under a title; a click opens it.

    Takes no room while there is no text.

    Parameters
    ----------
    title:
        What is seen while it is folded; it can change.

    Examples
    --------
    >>> folded = FoldedText("Thinking…")
    >>> folded.append("Let me see.")
    >>> folded.title = "Thought for 3.2 s"
    """

    _css = ""  # it stands in a panel, which has the style

    title = traitlets.Unicode().tag(sync=True)

    def __init__(self, title: str, text: str = "", **keywords: Any) -> None:
        self.set_trait("title", title)
        super().__init__(text, **keywords)


def sendable(text: str) -> str:
    """The text without lone surrogates, which no message can carry."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
