"""How cold a run was, in words: was the model in memory, and was it loaded all the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# a request that differs in one of these gets a runner started anew (api.Runner of Ollama)
OF_THE_RUNNER = {
    "num_ctx",
    "num_batch",
    "num_gpu",
    "main_gpu",
    "use_mmap",
    "num_thread",
    "draft_num_predict",
}


def heat_text(
    was_resident: bool | None, loaded: bool | None, *, other_options: bool = False
) -> str | None:
    """In a few words; None where nothing is known.

    Parameters
    ----------
    was_resident:
        Whether the model was in memory when the run began.
    loaded:
        Whether its first request had to load it.
    other_options:
        Whether the request asked for options that can need a runner of their own.

    Examples
    --------
    >>> heat_text(True, True, other_options=True)
    'in memory, but loaded anew: other options'
    >>> heat_text(False, True), heat_text(None, None)
    ('cold: it was not in memory', None)
    """
    if was_resident and loaded:
        return "in memory, but loaded anew" + (": other options" if other_options else "")
    if loaded is False:
        return {
            True: "warm: it was in memory",
            False: "warm: it had been loaded when the request came",
            None: "warm: it was not loaded for this",
        }[was_resident]
    if was_resident is None:
        return "cold: it was loaded for this" if loaded else None
    return "it was in memory" if was_resident else "cold: it was not in memory"


def differs(
    options: Mapping[str, Any], context_before: int | None, context_length: int | None
) -> bool:
    """Whether a request asks for another runner than the one in memory, as far as that shows."""
    contexts = {context_before, context_length} - {None}
    return len(contexts) > 1 or bool(OF_THE_RUNNER & set(options))
