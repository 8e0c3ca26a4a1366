"""Who has to leave when there is room for two models only, and a third one is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from lifecycle_widgets.server import Server, full_name

DURATIONS, FOREVER = "two durations", "both forever"
ROOM = 2
_LONG, _SHORT = "10m", "1m"
_SETTLES_S = 0.1  # Ollama counts a request as over, its model as idle, a moment after its answer


def evictions(
    server: Server, models: Sequence[str], *, times: int = 2, say: Callable[[str], None]
) -> list[dict[str, Any]]:
    """Have a third model asked for, again and again, and see which of two others leaves.

    First ``times`` times with two durations: the model used *first* has the long keep_alive, the
    one used *more recently* the short one. Then ``times`` times with both at forever. The models
    change their roles from one time to the next.

    Parameters
    ----------
    server:
        One that holds at most two models, with nothing in memory. They are left in memory.
    models:
        Three.
    say:
        Called with what comes now; it may raise to stop.

    Returns
    -------
    list of dict
        ``case``, ``first`` and ``second`` (in the order they were used) with their keep_alive,
        ``asked`` (the third), and ``left``: which was evicted.
    """
    seen: list[dict[str, Any]] = []
    first, second, third = (full_name(model) for model in models[:3])
    for number in range(2 * times):
        case = DURATIONS if number < times else FOREVER
        kept = (_LONG, _SHORT) if case == DURATIONS else ("forever", "forever")
        say(f"eviction {number + 1} of {2 * times}: room for two, and {third} is asked for")
        server.preload(first, kept[0])
        server.preload(second, kept[1])
        time.sleep(_SETTLES_S)
        say(f"eviction {number + 1} of {2 * times}: who leaves for {third}?")
        server.preload(third, _LONG)
        here = {full_name(r.name) for r in server.residents()}
        left = [model for model in (first, second) if model not in here]
        seen.append(
            {
                "case": case,
                "first": first,
                "first_keep_alive": kept[0],
                "second": second,
                "second_keep_alive": kept[1],
                "asked": third,
                "left": " and ".join(left) or "none",
            }
        )
        stayed = second if left == [first] else first
        first, second, third = third, stayed, (left or [second])[0]
    return seen
