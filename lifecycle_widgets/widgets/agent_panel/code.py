"""The code that does what a panel's last run did, to copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anywidget
import traitlets

from lifecycle_widgets.griptape_code import griptape_code
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.code_block import sent_secret
from lifecycle_widgets.widgets.style import static


class RunCode(anywidget.AnyWidget):
    """Shows griptape code, and copies it; as `CodeBlock` does, in one form."""

    _esm = static("code_block.js")
    shown = traitlets.Unicode("griptape").tag(sync=True)
    _texts = traitlets.Dict({"griptape": ""}).tag(sync=True)

    @property
    def text(self) -> str:
        """The code; "" for none."""
        return str(self._texts["griptape"])

    @text.setter
    def text(self, code: str) -> None:
        self._texts = {"griptape": code}


def code_of(run: Run, server: Server, *, rules: Sequence[str], tools: Sequence[Any]) -> str:
    """The code of a run that has ended. A value that cannot be written is said in its place."""
    try:
        return griptape_code(
            model=run.model,
            keep_alive=run.keep_alive,
            url=server.url,
            options=run.options,
            think=run.think,
            rules=rules,
            tools=tools,
            history=run.history,
            prompt=run.prompt,
            secret=sent_secret(server),
        )
    except ValueError as fault:
        return f"# {fault}"
