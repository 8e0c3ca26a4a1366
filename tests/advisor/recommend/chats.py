"""A history of chats, constructed: who was asked when, what it took, and that somebody watched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lifecycle_widgets.history import History
from lifecycle_widgets.monitor import Request, Residency
from tests.history.history_tools import A, Watching, request, stay

TOOK_S = 3.0
LOAD_S, WARM_LOAD_S = 2.0, 0.004
TOKENS, COLD_PROMPT_S, WARM_PROMPT_S = 1000, 10.0, 0.5
HELD_BYTES = 2_000_000_000


def chat(ago_s: float, *, is_cold: bool = False, model: str = A, **more: Any) -> Request:
    """One of ours, which has ended so long ago; a cold one reads its prompt from the beginning."""
    told = {
        "whose": "ours",
        "witnesses": ("own",),
        "begin_within_s": 0.0,
        "end_within_s": 0.0,
        "kind": "chat",
        "keep_alive_s": 300.0,
        "load_s": LOAD_S if is_cold else WARM_LOAD_S,
        "prompt_tokens": TOKENS,
        "prompt_eval_s": COLD_PROMPT_S if is_cold else WARM_PROMPT_S,
    }
    return request(ago_s, TOOK_S, model, **{**told, **more})


def chats(gaps_s: Sequence[float], model: str = A, ends_ago_s: float = 1.0) -> list[Request]:
    """Chats with these gaps between; the last has just ended, and those after 300 s were cold."""
    found = [chat(ends_ago_s, model=model, is_cold=gaps_s[-1] > 300)]
    for place in reversed(range(len(gaps_s))):
        ends_ago_s += TOOK_S + gaps_s[place]
        is_cold = place == 0 or gaps_s[place - 1] > 300
        found.append(chat(ends_ago_s, model=model, is_cold=is_cold))
    return found[::-1]


def keep(history: History, *requests: Request, stays: Sequence[Residency] | None = None) -> History:
    """Have them written, by somebody who has watched for four days; None: each was in memory."""
    models = dict.fromkeys(one.model for one in requests)
    seen = [stay(500.0, 100.0, model, size_bytes=HELD_BYTES) for model in models]
    watching = Watching()
    watching.stays = tuple(seen if stays is None else stays)
    with history.keep(watching):
        watching.see(ago_s=4 * 86_400.0)
        watching.see(*sorted(requests, key=lambda one: one.ended_s or 0.0))
    return history
