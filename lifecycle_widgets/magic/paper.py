"""Paper: where the magic writes. Text stays text, whatever a model makes of it."""

from __future__ import annotations

import sys
import time
from typing import Any

from IPython.display import display

_EACH_S = 0.1  # a page takes in the whole text each time, so the longer it is, the less often
_CHARACTERS_PER_S = 200_000
# what would move the cursor, ring the bell, or rename a terminal is shown as a sign for it
_SIGNS = {code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"}
_SIGNS |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


class Paper:
    """A text that grows.

    Parameters
    ----------
    on_page:
        Whether a notebook's page shows it. There it is one output, which changes: so it is one in
        a saved notebook as well, which pieces on stdout are not under nbclient. Else they are
        printed.
    """

    def __init__(self, *, on_page: bool) -> None:
        self.status = ""  #: on a page, a last line for the time being
        self._on_page = on_page
        self._text = ""
        self._shown = ""
        self._shown_s = -_EACH_S
        self._output: Any = None  # the handle of what the page shows

    def write(self, text: str) -> None:
        """Put this at the end."""
        self._text += text.translate(_SIGNS)

    def end_line(self) -> None:
        """What comes next begins a line."""
        if self._text and not self._text.endswith("\n"):
            self._text += "\n"

    def show(self, *, now: bool = False) -> None:
        """Show what is new: at once, or when it is time again."""
        if not self._on_page:
            self._print(self._text[len(self._shown) :])
            self._shown = self._text
            return
        wanted = (self._text + self.status).rstrip("\n")
        since_s = time.monotonic() - self._shown_s
        if wanted != self._shown and (now or since_s > _EACH_S + len(wanted) / _CHARACTERS_PER_S):
            self._put(wanted)

    def _put(self, wanted: str) -> None:
        page = {"text/plain": wanted.encode("utf-8", "backslashreplace").decode()}
        if self._output is None:
            self._output = display(page, raw=True, display_id=True)
        else:
            self._output.update(page, raw=True)
        self._shown, self._shown_s = wanted, time.monotonic()

    def _print(self, text: str) -> None:
        if text:
            encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
            print(text.encode(encoding, "backslashreplace").decode(encoding), end="", flush=True)
