"""Which model to take where nobody has named one: the smallest that can chat, on that machine."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from lifecycle_widgets.server.values import Model, Resident

if TYPE_CHECKING:
    from lifecycle_widgets.server.server import Server


def chat_models(server: Server) -> list[Model]:
    """The models that can chat and run on the server itself, the smallest first.

    No embedding model, and no cloud model: one of those is used only when a person names it.
    Those whose size is not told come last.

    Raises ServerUnreachable, ServerError.
    """
    return list(_chat_models(server))


def smallest_chat_models(
    server: Server, count: int = 1, *, not_in_memory: bool = False
) -> list[str]:
    """The names of the smallest models that can chat and run on the server itself.

    Parameters
    ----------
    count:
        How many, at most.
    not_in_memory:
        Leave out those that somebody else has used last, and that are still in memory: somebody
        may be using them. What only this process has asked for is not left out, nor anything in a
        sandbox of its own.

    Returns
    -------
    list of str
        The smallest first; fewer than ``count`` where there are not as many.

    Raises
    ------
    LookupError
        When there is none; says what to do.
    ServerUnreachable, ServerError

    Examples
    --------
    >>> from lifecycle_widgets.server import Server
    >>> smallest_chat_models(Server.find())
    ['smollm2:135m']
    """
    found = _chat_models(server)
    if not_in_memory:
        held = server.residents()
        found = (m for m in found if not held or _is_free(server, m.name, held))
    names = [model.name for model in islice(found, count)]
    if not names:
        raise LookupError(_none(server, not_in_memory))
    return names


def _is_free(server: Server, model: str, held: tuple[Resident, ...]) -> bool:
    """Whether it is not in memory, or there by our own doing only."""
    there = server.match(model, held)
    return there is None or server.is_ours(there)


def _chat_models(server: Server) -> Iterator[Model]:
    """One after the other: what a model can do is asked only when it is its turn."""
    here = [m for m in server.models() if not m.is_cloud]
    unknown = float("inf")
    for model in sorted(here, key=lambda m: unknown if m.size_bytes is None else m.size_bytes):
        if model.can_chat:
            yield model


def _none(server: Server, not_in_memory: bool) -> str:
    to_do = "To install one: ollama pull llama3.2:1b"
    if not server.models():
        return f"{server.url} has no models. {to_do}"
    if not_in_memory and any(_chat_models(server)):
        return (
            f"Each model of {server.url} that could be used is in memory already, and somebody "
            "else may be using it. Wait until one has left, name one all the same, or install "
            f"another one. {to_do}"
        )
    return (
        f"{server.url} has no model that can chat and runs there: its models only make embeddings, "
        f"or run in a cloud. {to_do}"
    )
