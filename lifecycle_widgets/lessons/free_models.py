"""Which models a lesson may load and unload: those that nobody else needs."""

from __future__ import annotations

from collections.abc import Iterable

from lifecycle_widgets.server import Server, chat_models


def free_models(
    server: Server, taken: Iterable[str] = (), *, all_of_them: bool = False
) -> list[str]:
    """The models that can chat and that nobody else has in memory, the smallest first.

    Parameters
    ----------
    taken:
        Models that others have said they use: these come last.
    all_of_them:
        Also those that somebody else has in memory.

    Raises
    ------
    NotTold
        By a server that does not tell what is in memory, unless all of them may be taken.
    ServerUnreachable, ServerError
    """
    names = [model.name for model in chat_models(server)]
    if not all_of_them:
        held = server.residents()
        by_name = {name: server.match(name, held) if held else None for name in names}
        names = [n for n, there in by_name.items() if there is None or server.is_ours(there)]
    others = [*taken]
    return sorted(names, key=lambda name: any(server.same_model(name, o) for o in others))
