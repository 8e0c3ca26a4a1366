"""CodeBlock: the chosen keep_alive as code to copy."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import anywidget
import traitlets

from lifecycle_widgets.code_snippets import snippets
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.widgets.base import KeepAliveTrait, refuse_unknown
from lifecycle_widgets.widgets.style import STATIC


class CodeBlock(anywidget.AnyWidget):
    """Shows the code for a model and a keep_alive, as griptape, server setting or curl, to copy.

    Parameters
    ----------
    model:
        Its name.
    keep_alive:
        What `KeepAlive` takes. None: the server default, so nothing is sent.
    url:
        The server's address; without one, the code leaves it to OLLAMA_HOST.
    shown:
        ``"griptape"``, ``"server"`` or ``"curl"``: what is shown first.

    Examples
    --------
    >>> block = CodeBlock("smollm2:135m", "5m")
    >>> block.shown = "server"
    >>> block.text.splitlines()[-1]
    'export OLLAMA_KEEP_ALIVE=5m'
    """

    _esm = STATIC / "code_block.js"
    _css = STATIC / "lab.css"

    model = traitlets.Unicode()
    keep_alive = KeepAliveTrait()
    url = traitlets.Unicode(None, allow_none=True)
    shown = traitlets.Enum(["griptape", "server", "curl"], "griptape").tag(sync=True)
    text = traitlets.Unicode(help="The code that is shown; for reading.")
    _texts = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        model: str = "",
        keep_alive: KeepAlive | str | float | timedelta | None = None,
        *,
        url: str | None = None,
        shown: str = "griptape",
        **keywords: Any,
    ) -> None:
        refuse_unknown(type(self), keywords)
        texts = snippets(model, keep_alive, url)  # raises for what is wrong, before it is shown
        super().__init__(
            model=model, keep_alive=keep_alive, url=url, shown=shown, _texts=texts, **keywords
        )
        self.text = texts[self.shown]
        self.observe(self._write, ["model", "keep_alive", "url", "shown"])

    def _write(self, _: Any) -> None:
        self._texts = snippets(self.model, self.keep_alive, self.url)
        self.text = self._texts[self.shown]

    def __repr__(self) -> str:
        return f"CodeBlock(model={self.model!r}, keep_alive={str(self.keep_alive)!r})"
