"""let_go: unload what an adaptive keep_alive has kept, where nobody else has asked for it."""

from __future__ import annotations

from lifecycle_widgets.advisor.adaptive.models import Models
from lifecycle_widgets.server import Server, ServerError, ServerUnreachable, UnknownModel

_TOLERANCE_S = 1.5  # the server's clock is known to a second


def let_go(models: Models) -> tuple[str, ...]:
    """Unload the models that were asked with it, where this process's request was the last."""
    left = []
    for one in models:
        if one.is_ours and one.server is not None and _unloads(one.server, one.model):
            left.append(one.model)
    return tuple(left)


def _unloads(server: Server, model: str) -> bool:
    try:
        resident = server.resident(model)
        if resident is None:
            return False
        own_s = server.own_deadlines.seconds(resident, server.same_model, _TOLERANCE_S)
        if own_s is None:  # another client's request was the last, or one is under way
            return False
        server.unload(model)
    except (ServerError, ServerUnreachable, UnknownModel, TimeoutError):
        return False
    return True
