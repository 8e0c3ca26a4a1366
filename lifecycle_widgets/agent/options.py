"""Ollama's options: their names and kinds, and what is wrong with those that a person gives."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

from lifecycle_widgets.short_texts import shortened

LEAST_CONTEXT = 4  # getRunner of server/sched.go: what is less becomes 4, and nothing is said
_MOST_WHOLE = 2**63 - 1
_MOST_REAL = 3.4e38  # a float32
_SHOWN = 60  # characters of a value that are worth a look
_FROM_ELSEWHERE = {  # OpenAI's and llama.cpp's names
    "max_tokens": "num_predict",
    "max_new_tokens": "num_predict",
    "n_predict": "num_predict",
    "temp": "temperature",
    "n_ctx": "num_ctx",
    "context_length": "num_ctx",
    "n_gpu_layers": "num_gpu",
    "n_threads": "num_thread",
}
_NO_OPTIONS = {
    "think": "give it as think=..., beside options",
    "keep_alive": "give it as keep_alive=..., beside options",
    "model": "give it as model=..., beside options",
    "prompt": "give it as the prompt",
    "messages": "give the prompt in their place",
    "system": "give rules=..., beside options",
    "tools": "give griptape's tools as tools=..., beside options",
    "stream": "leave it out: an answer is always streamed",
    "format": "leave it out: for structured output use griptape's own agent",
}


def checked_options(options: Mapping[str, Any] | None) -> dict[str, Any]:
    """Ollama's options, each of them one that it knows, and of the kind that it takes.

    Ollama says nothing of a name that it does not know, and ignores it. The names are those of
    ``Options`` in its api/types.go, from 0.5.7 to 0.34.0, and of the ollama-python that is in use.

    Parameters
    ----------
    options:
        By name. None as a value is sent, and means to Ollama that nothing was given.

    Returns
    -------
    dict
        The same, with whole numbers as such (8 for 8.0).

    Raises
    ------
    ValueError
        For a name that means nothing, with the one that is near it; for a value that Ollama would
        refuse, cut off (0.5 tokens) or replace (a ``num_ctx`` below 4); and for what belongs to
        the request itself.

    Examples
    --------
    >>> checked_options({"num_predict": 8.0, "temperature": 0}), checked_options(None)
    ({'num_predict': 8, 'temperature': 0}, {})
    >>> checked_options({"num_predictt": 8})
    Traceback (most recent call last):
    ValueError: 'num_predictt' means nothing to Ollama. Did you mean 'num_predict'?
    >>> checked_options({"think": False})
    Traceback (most recent call last):
    ValueError: 'think' means nothing in options: give it as think=..., beside options.
    """
    if options is not None and not isinstance(options, Mapping):
        raise ValueError(f'options is {options!r}. Give a dict, such as {{"num_predict": 50}}.')
    return {name: _checked(name, value) for name, value in (options or {}).items()}


def _checked(name: Any, value: Any) -> Any:
    if (where := _NO_OPTIONS.get(str(name).lower())) is not None:
        raise ValueError(f"{name!r} means nothing in options: {where}.")
    read = _KINDS.get(name) if isinstance(name, str) else None
    if read is None and name not in _of_the_client():
        raise ValueError(f"{name!r} means nothing to Ollama. {_meant(str(name))}")
    return value if read is None or value is None else read(name, value)


def _meant(name: str) -> str:
    names = {known: known for known in _KINDS} | _FROM_ELSEWHERE
    simple = name.strip().lower().replace("-", "_")
    near = difflib.get_close_matches(simple, names, 1, 0.75)
    return f"Did you mean {names[near[0]]!r}?" if near else f"It knows {', '.join(sorted(_NOW))}."


def _of_the_client() -> frozenset[str]:
    """What the ollama-python in use knows: it can be newer than this list."""
    kind = getattr(sys.modules.get("ollama"), "Options", None)  # never imported for this
    return frozenset(getattr(kind, "model_fields", ()))


# --- values -------------------------------------------------------------------------------------


def _whole(name: str, value: Any) -> int:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not abs(value) <= _MOST_WHOLE or value != int(value):
        raise ValueError(f"{_said(name, value)} Give a whole number, or leave it out.")
    if name == "num_ctx" and value < LEAST_CONTEXT:
        raise ValueError(
            f"{_said(name, value)} Ollama would take a context of {LEAST_CONTEXT} tokens. Give "
            "how many tokens the model is to see, or leave it out: the server's own."
        )
    return int(value)


def _real(name: str, value: Any) -> float:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not abs(value) <= _MOST_REAL:
        raise ValueError(f"{_said(name, value)} Give a number, or leave it out.")
    return int(value) if isinstance(value, Integral) else float(value)


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{_said(name, value)} Give True or False, or leave it out.")
    return value


def _texts(name: str, value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(text, str) for text in value):
        given = [value] if isinstance(value, str) else ["END"]
        raise ValueError(f"{_said(name, value)} Give a list of texts, such as {given!r}.")
    return list(value)


def _said(name: str, value: Any) -> str:
    return f"{name} is {shortened(repr(value), _SHOWN)}."


_Kinds = dict[str, Callable[[str, Any], Any]]
_NOW: _Kinds = {  # as 0.34.0 has them
    **dict.fromkeys(("num_ctx", "num_batch", "num_gpu", "main_gpu", "num_thread"), _whole),
    **dict.fromkeys(("num_keep", "num_predict", "draft_num_predict", "seed"), _whole),
    **dict.fromkeys(("top_k", "repeat_last_n"), _whole),
    **dict.fromkeys(("temperature", "top_p", "min_p", "typical_p"), _real),
    **dict.fromkeys(("repeat_penalty", "presence_penalty", "frequency_penalty"), _real),
    "use_mmap": _truth,
    "stop": _texts,
}
_PAST: _Kinds = {
    # as 0.5.7 has them
    "mirostat": _whole,
    **dict.fromkeys(("mirostat_tau", "mirostat_eta"), _real),
    **dict.fromkeys(("low_vram", "f16_kv", "logits_all", "vocab_only", "use_mlock"), _truth),
    # as ollama-python 0.6 still has them
    "tfs_z": _real,
    **dict.fromkeys(("numa", "embedding_only", "penalize_newline"), _truth),
}
_KINDS: _Kinds = _NOW | _PAST
