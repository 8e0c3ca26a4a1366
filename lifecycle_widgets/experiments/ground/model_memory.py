"""What a model takes of memory when it is loaded: as it was measured, as it is told, or about."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import Any

from lifecycle_widgets.experiments.ground.ground import RUNNER_BYTES
from lifecycle_widgets.monitor.runner_memory import peaks
from lifecycle_widgets.server import (
    Model,
    NotTold,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    Shape,
    UnknownModel,
)

MEASURED, TOLD, ESTIMATED = "as measured here before", "as /api/ps tells it", "estimated"
DEFAULT_CONTEXT = 4096  # tokens: Ollama's own, where nothing else is set and no large GPU is there
_UNKNOWN = (ServerUnreachable, ServerError, UnknownModel)

# A runner's program itself: the least, about, the most (seen: 42 to 60 MB)
_PROGRAM_BYTES = (30_000_000, 60_000_000, 100_000_000)
_BATCH = 512  # tokens that are read at once
_SPREAD = 1.1


@dataclass(frozen=True)
class Memory:
    """What a model's runner takes, in bytes: at least, about, at most; ``source``: who says so."""

    low_bytes: int
    middle_bytes: int
    high_bytes: int
    source: str

    def plus(self, more_bytes: int) -> Memory:
        """With something beside it whose size is known."""
        return Memory(
            self.low_bytes + more_bytes,
            self.middle_bytes + more_bytes,
            self.high_bytes + more_bytes,
            self.source,
        )


def memory_of(server: Server, model: Model | str, num_ctx: int | None = None) -> Memory | None:
    """What a model takes when it is loaded there; None when it is not told.

    As measured in this process before (by whatever monitor), else as /api/ps tells it where it is
    in memory now, else an estimate: the weights, the context (KV cache) and the buffers that it
    computes in.

    Parameters
    ----------
    server, model:
        Which model where.
    num_ctx:
        The context's length that will be asked for, in tokens; None: the model's own, or Ollama's.

    Examples
    --------
    >>> memory = memory_of(Server.find(), "smollm2:135m")
    >>> memory.low_bytes <= memory.middle_bytes <= memory.high_bytes
    True
    """
    model = server.require(model) if isinstance(model, str) else model
    shape, wanted = Shape(), num_ctx
    with contextlib.suppress(*_UNKNOWN):
        shown = server.shown(model.name)
        shape, wanted = shown.shape, num_ctx or shown.num_ctx
    context = _within(wanted, shape)
    return (
        _measured(server, model, context) or _told(server, model, context)
        or _estimated(model, shape, context)
    )  # fmt: skip


def together(memories: Iterable[Memory | None]) -> Memory | None:
    """What several take at once; None when one of them is not told.

    Examples
    --------
    >>> together([Memory(1, 2, 3, MEASURED), Memory(10, 20, 30, ESTIMATED)])
    Memory(low_bytes=11, middle_bytes=22, high_bytes=33, source='estimated')
    """
    known = list(memories)
    told = [memory for memory in known if memory is not None]
    if len(told) < len(known):
        return None
    sources = {memory.source for memory in told}
    return Memory(
        sum(m.low_bytes for m in told),
        sum(m.middle_bytes for m in told),
        sum(m.high_bytes for m in told),
        next((s for s in (ESTIMATED, TOLD) if s in sources), MEASURED),
    )


def planned(memory: Memory | None) -> dict[str, Any]:
    """The fields of a `Plan` that tell of memory.

    Examples
    --------
    >>> planned(None)
    {'memory_bytes': None}
    """
    if memory is None:
        return {"memory_bytes": None}
    return {
        "memory_bytes": memory.middle_bytes,
        "memory_low_bytes": memory.low_bytes,
        "memory_high_bytes": memory.high_bytes,
        "memory_source": memory.source,
    }


def _within(wanted: int | None, shape: Shape) -> int | None:
    """The context's length that it gets: never more than the model was made for."""
    if wanted is None or shape.context_length is None:
        return wanted
    return min(wanted, shape.context_length)


def _measured(server: Server, model: Model, context: int | None) -> Memory | None:
    """As runners of this machine were seen, with that context, or with the one that it gets."""
    digest = None
    with contextlib.suppress(*_UNKNOWN):
        digest = server.weights_digest(model.name) if server.is_local else None
    seen = peaks(digest) if digest is not None else {}
    if context is None and len(seen) > 1:  # somebody has asked for others, too
        context = DEFAULT_CONTEXT
    found = seen.get(context) if context is not None else next(iter(seen.values()), None)
    if not found:
        return None
    return Memory(min(found), round(median(found)), max(found), MEASURED)


def _told(server: Server, model: Model, context: int | None) -> Memory | None:
    resident: Resident | None = None
    with contextlib.suppress(NotTold, *_UNKNOWN):
        resident = server.resident(model.name)
    if resident is None or resident.size_bytes is None:
        return None
    if None not in (context, resident.context_length) and context != resident.context_length:
        return None
    size = resident.size_bytes  # Ollama does not count the program itself
    _, about, most = _PROGRAM_BYTES
    return Memory(size, size + about, round(_SPREAD * size) + most, TOLD)


def _estimated(model: Model, shape: Shape, context: int | None) -> Memory | None:
    weights = model.size_bytes
    if weights is None:
        return None
    tokens = context or _within(DEFAULT_CONTEXT, shape) or DEFAULT_CONTEXT
    per_token = shape.kv_bytes_per_token()
    if per_token is None:
        return Memory(
            weights, weights + RUNNER_BYTES, round(1.3 * weights) + 2 * RUNNER_BYTES, ESTIMATED
        )
    least, about, most = _PROGRAM_BYTES
    kv_bytes = per_token * tokens
    return Memory(
        # the context may be kept in half as many bytes, or only in some layers in full
        weights + round(kv_bytes / 2) + least,
        weights + round(kv_bytes) + _mask_bytes(tokens) + about,
        round(_SPREAD * (weights + kv_bytes)) + _graph_bytes(shape, tokens) + most,
        ESTIMATED,
    )


def _mask_bytes(tokens: int) -> int:
    """Who may look at whom: what a batch needs with flash attention, whatever the model."""
    return 4 * min(_BATCH, tokens) * tokens


def _graph_bytes(shape: Shape, tokens: int) -> int:
    """What a batch is computed in without flash attention, by Ollama's own formula for llama."""
    heads, embedding = shape.heads or 0, shape.embedding_length or 0
    return 4 * min(_BATCH, tokens) * (1 + 4 * embedding + tokens * (1 + heads))
