"""CodeBlock: the chosen keep_alive as code to copy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import traitlets

from lifecycle_widgets.agent import checked_think
from lifecycle_widgets.code_snippets import snippets
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Think
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.base import KeepAliveTrait, Single, refuse_unknown
from lifecycle_widgets.widgets.still.sheet import Sheet
from lifecycle_widgets.widgets.style import static
from lifecycle_widgets.widgets.think_picker import ThinkTrait


class CodeBlock(Single):
    """Shows the code for a model and a keep_alive, as griptape, server setting or curl, to copy.

    Parameters
    ----------
    model:
        Its name.
    keep_alive:
        What `KeepAlive` takes. None: the server default, so nothing is sent.
    url:
        The server's address, or a Server; without one, the code leaves it to OLLAMA_HOST. No key
        or password of it is shown: the code reads them from the environment.
    shown:
        ``"griptape"``, ``"server"`` or ``"curl"``: what is shown first.
    think:
        Whether a model that can is to think; None: not sent.

    Examples
    --------
    >>> block = CodeBlock("smollm2:135m", "5m")
    >>> block.shown = "server"
    >>> block.text.splitlines()[-1]
    'export OLLAMA_KEEP_ALIVE=5m'
    """

    _esm = static("code_block.js")
    _css = static("lab.css")

    model = traitlets.Unicode()
    keep_alive = KeepAliveTrait()
    url = traitlets.Unicode(None, allow_none=True)
    think = ThinkTrait()
    shown = traitlets.Enum(["griptape", "server", "curl"], "griptape").tag(sync=True)
    text = traitlets.Unicode(help="The code that is shown; for reading.")
    _texts = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        model: str = "",
        keep_alive: KeepAlive | str | float | timedelta | None = None,
        *,
        url: str | Server | None = None,
        shown: str = "griptape",
        think: Think = None,
        **keywords: Any,
    ) -> None:
        refuse_unknown(type(self), keywords)
        self._secret = sent_secret(url) if isinstance(url, Server) else None
        address = url.url if isinstance(url, Server) else url
        # raises for what is wrong, before it is shown
        texts = snippets(
            model, keep_alive, address, think=checked_think(think), secret=self._secret
        )
        chosen = {"model": model, "keep_alive": keep_alive, "url": address, "think": think}
        super().__init__(**chosen, shown=shown, _texts=texts, **keywords)
        self.text = texts[self.shown]
        self.observe(self._write, [*chosen, "shown"])

    def _write(self, _: Any) -> None:
        self._texts = snippets(
            self.model, self.keep_alive, self.url, think=self.think, secret=self._secret
        )
        self.text = self._texts[self.shown]

    def _still(self, sheet: Sheet) -> None:
        sheet.say(f"For {self.model or 'any model'}, keep_alive {self.keep_alive}:")
        sheet.code(self.text)

    def __repr__(self) -> str:
        return f"CodeBlock(model={self.model!r}, keep_alive={str(self.keep_alive)!r})"


def sent_secret(server: Server) -> str:
    """What is sent to the server to be let in: a key, a user and a password, or nothing."""
    sent = server.door.headers.get("authorization", "")
    return "user" if sent.lower().startswith("basic ") else "key" if sent else ""
