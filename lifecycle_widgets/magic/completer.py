"""Completer: option names, and what an option takes, for the Tab key behind the magic."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Mapping
from typing import Any

from lifecycle_widgets.magic.arguments import OPTIONS, THINKS
from lifecycle_widgets.magic.chosen import LastUsed
from lifecycle_widgets.server import Server
from lifecycle_widgets.server.private import urls as sandbox_urls

_PATIENCE_S = 0.7  # a person waits for Tab; what comes later is there at the next one
_FRESH_S = 10.0
_VALUES: Mapping[str, list[str]] = {
    "--keep-alive": ["0", "30s", "5m", "1h", "forever", "default"],
    "--think": [*THINKS],
    "--option": ["num_predict=", "num_ctx=", "temperature=", "seed=", "top_k=", "top_p=", "stop="],
}


class Completer:
    """What could stand at the cursor. It asks a server for its models, and never waits long for it.

    Parameters
    ----------
    last:
        The server of the last cell.
    variables:
        The notebook's.
    """

    def __init__(self, last: LastUsed, variables: Mapping[str, Any]) -> None:
        self._last, self._variables = last, variables
        self._look: threading.Thread | None = None
        self._names: dict[str | None, tuple[float, list[str]]] = {}  # by the server that was named

    def offers(self, line: str) -> tuple[str, list[str]]:
        """What could stand at the end of a line that begins with the magic.

        Returns
        -------
        str, list of str
            The word that is being written, and what it could become.

        Examples
        --------
        >>> Completer(LastUsed(), {}).offers("%%agent --think=lo")
        ('lo', ['low'])
        """
        *before, word = re.split(r"\s+", line)
        option = before[-1] if before else ""
        if word.startswith("--") and "=" in word:
            option, _, word = word.partition("=")
        if OPTIONS.get(option):
            could_be = self._values(option, line)
        else:
            could_be = [*OPTIONS] if word.startswith("-") or not word else []
        return word, [one for one in could_be if one.lower().startswith(word.lower())]

    def _values(self, option: str, line: str) -> list[str]:
        if option == "--model":
            return self._models(line)
        if option in ("--tools", "--structure", "--server"):
            marks = _MARKS[option]
            return [
                name
                for name, value in self._variables.items()
                if not name.startswith("_") and any(hasattr(value, mark) for mark in marks)
            ]
        return _VALUES.get(option, [])

    # --- the models ------------------------------------------------------------------------------

    def _models(self, line: str) -> list[str]:
        found = re.search(r"--server[ =]+(\S+)", line)
        named = found.group(1) if found else None
        asked_s, names = self._names.get(named, (-_FRESH_S, []))
        if time.monotonic() - asked_s < _FRESH_S:
            return names
        if self._look is None or not self._look.is_alive():
            self._look = threading.Thread(
                target=self._ask, args=(named,), name="lifecycle-completer", daemon=True
            )
            self._look.start()
        self._look.join(_PATIENCE_S)
        return self._names.get(named, (0.0, names))[1]

    def _ask(self, named: str | None) -> None:
        """In a thread of its own: a name that is looked up, or a gateway, may take its time."""
        for address in self._addresses(named):
            try:
                models = Server.of(address).with_timeout(2 * _PATIENCE_S).models()
            except Exception:  # the run will say what is wrong, when there is one
                continue
            self._names[named] = time.monotonic(), [model.name for model in models]
            return

    def _addresses(self, named: str | None) -> list[Any]:
        """Of the servers that a run would take, the first first. None is started for it."""
        if named is not None:
            return [self._variables.get(named, named)]
        if self._last.server is not None:
            return [self._last.server]
        own = os.environ.get("OLLAMA_HOST", "").strip().strip("\"'") or "localhost"
        return [own, *sandbox_urls()]


_MARKS = {"--tools": ["activities"], "--structure": ["tasks", "prompt_stack"], "--server": ["url"]}
