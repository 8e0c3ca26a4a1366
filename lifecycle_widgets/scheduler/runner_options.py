"""The options that a runner is started with, and when a request needs it started anew."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

_BATCH = 512  # num_batch of a request that does not say


class RunnerOptions(NamedTuple):
    """``api.Runner`` of Ollama; None where a request leaves it to Ollama."""

    num_ctx: int | None = None
    num_batch: int | None = None
    num_gpu: int | None = None
    main_gpu: int | None = None
    use_mmap: bool | None = None
    num_thread: int | None = None
    draft_num_predict: int | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> RunnerOptions:
        """Those of a request's options that count for its runner; the others never reload.

        Examples
        --------
        >>> RunnerOptions.of({"temperature": 0.5, "num_ctx": 2}).num_ctx  # getRunner allows no less
        4
        """
        given = {name: options[name] for name in cls._fields if options.get(name) is not None}
        if "num_ctx" in given:
            given["num_ctx"] = max(4, int(given["num_ctx"]))
        if given.get("num_gpu", 0) < 0:
            del given["num_gpu"]
        return cls(**given)


AUTOMATIC = RunnerOptions()


@lru_cache(maxsize=1024)
def serves(has: RunnerOptions, wanted: RunnerOptions, default_num_ctx: int) -> bool:
    """Whether a runner can serve a request: the contrary of ``needsReload``, for the options.

    What both leave to Ollama is the same. What one leaves to Ollama counts as Ollama's choice, so
    that it may or may not differ from what the other says.

    Examples
    --------
    >>> serves(AUTOMATIC, RunnerOptions(num_ctx=2048), 4096)
    False
    >>> serves(RunnerOptions(num_ctx=4096), AUTOMATIC, 4096)
    True
    """
    if has == wanted:
        return True
    return (
        (has.num_ctx or default_num_ctx) == (wanted.num_ctx or default_num_ctx)
        and _same_batch(has, wanted, default_num_ctx)
        and (wanted.num_gpu is None or has.num_gpu == wanted.num_gpu)
        and has.main_gpu == wanted.main_gpu
        # without a GPU Ollama turns mmap off, unless the request that loads says otherwise
        and (has.use_mmap == wanted.use_mmap or (has.use_mmap is None and not wanted.use_mmap))
        and (has.num_thread or 0) == (wanted.num_thread or 0)
        and (has.draft_num_predict or 0) == (wanted.draft_num_predict or 0)
    )


def _same_batch(has: RunnerOptions, wanted: RunnerOptions, default_num_ctx: int) -> bool:
    if has.num_batch is None and wanted.num_batch is None:
        return True
    # chosen by num_ctx when the model is loaded, but 512 in a request for one that is
    chosen = has.num_batch or _automatic_batch(has.num_ctx or default_num_ctx)
    return chosen == (wanted.num_batch or _BATCH)


def _automatic_batch(num_ctx: int) -> int:
    """``generationBatchForContext``, with memory enough."""
    if num_ctx > 32768:
        return 2048
    return 1024 if num_ctx > 4096 else _BATCH
