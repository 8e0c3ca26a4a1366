"""What a server can refuse: the exceptions that come out of a `Server`, and no others."""

from __future__ import annotations

import difflib


class ServerUnreachable(ConnectionError):
    """Nothing answers at the address, or what answers is not Ollama.

    ``is_there`` is True when something took the question, and gave no good answer.
    """

    def __init__(self, message: str, *, is_there: bool = False) -> None:
        super().__init__(message)
        self.is_there = is_there


class ServerError(RuntimeError):
    """The server answered with an error; the message says what it means and what to do.

    ``status`` is the HTTP status where there is one.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class NotTold(ServerError):
    """The server answers, but it does not tell this: it has no such endpoint, or an odd answer."""


class AccessDenied(ServerError):
    """The server, or a gateway before it, wants a key, a password, or another one (401, 403)."""


class UnknownModel(LookupError):
    """The model is not installed on this server; ``nearest`` has the closest installed names."""

    def __init__(self, model: str, installed: list[str], url: str) -> None:
        self.model = model
        self.nearest = _nearest(model, installed)
        super().__init__(
            f"The model {model!r} is not installed on {url}. {self._hint(installed)} "
            f"To install it: ollama pull {model}"
        )

    def _hint(self, installed: list[str]) -> str:
        if not installed:
            return "It has no models at all."
        if self.nearest:
            return f"Did you mean {' or '.join(self.nearest)}?"
        few = ", ".join(installed[:_FEW])
        more = f" and {len(installed) - _FEW} more" if len(installed) > _FEW else ""
        return f"Installed: {few}{more}."


_FEW = 5


def _nearest(model: str, installed: list[str]) -> list[str]:
    by_letters = {name.lower(): name for name in installed}
    near = difflib.get_close_matches(model.lower(), list(by_letters), n=3, cutoff=0.4)
    return [by_letters[name] for name in near]
