"""How long a model usually takes to load on a server: of this process's own loads, no guess."""

from __future__ import annotations

import statistics
import threading
from collections import OrderedDict, deque

from lifecycle_widgets.server import Server, ServerError, ServerUnreachable, UnknownModel, full_name

_LAST = 20  # loads of a model that count
_MOST = 200  # models that are remembered

_lock = threading.Lock()
_loads: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()  # the latest used at the end


def note_load(server: Server, model: str, load_s: float) -> None:
    """A model has been loaded there, and it took so many seconds. Raises nothing."""
    key = _key(server, model)
    with _lock:
        _loads.setdefault(key, deque(maxlen=_LAST)).append(load_s)
        _loads.move_to_end(key)
        while len(_loads) > _MOST:
            _loads.popitem(last=False)


def usual_load_s(server: Server, model: str) -> float | None:
    """The median of this process's last 20 loads of the model there, in seconds.

    Returns
    -------
    float or None
        None when it has seen none: a load takes from a quarter of a second to minutes.

    Examples
    --------
    >>> server = Server("localhost:1")
    >>> usual_load_s(server, "qwen3:4b") is None
    True
    >>> for load_s in (4.0, 3.0, 60.0):
    ...     note_load(server, "qwen3:4b", load_s)
    >>> usual_load_s(server, "qwen3:4b")
    4.0
    """
    key = _key(server, model)
    with _lock:
        seen = _loads.get(key)
        return statistics.median(seen) if seen else None


def _key(server: Server, model: str) -> tuple[str, str]:
    """The server, and the weights, which may have several names; the name where they are not told.

    (The weights are asked for once: the server remembers what it was told.)
    """
    try:
        weights = server.weights_digest(model)
    except (ServerUnreachable, ServerError, UnknownModel):
        weights = None
    return server.url, weights or full_name(model).lower()
