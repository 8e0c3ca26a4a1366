"""What makes a model's memory grow with its context: its shape, as /api/show tells it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Shape:
    """The sizes of a model's layers; None is what is not told.

    ``kv_heads`` is the mean over the layers: in some models they differ, and some layers have none.
    ``context_length`` is the longest context that it was made for, in tokens.
    """

    layers: int | None = None
    heads: int | None = None
    kv_heads: float | None = None
    key_length: int | None = None
    value_length: int | None = None
    embedding_length: int | None = None
    context_length: int | None = None

    def kv_bytes_per_token(self, bytes_per_value: float = 2.0) -> float | None:
        """What the context takes per token, in bytes; None when it is not told.

        Parameters
        ----------
        bytes_per_value:
            2 for f16, as Ollama keeps them unless OLLAMA_KV_CACHE_TYPE says otherwise.

        Examples
        --------
        >>> Shape(layers=30, kv_heads=3, key_length=64, value_length=64).kv_bytes_per_token()
        23040.0
        """
        if self.layers is None or self.kv_heads is None:
            return None
        if self.key_length is None or self.value_length is None:
            return None
        per_layer = self.kv_heads * (self.key_length + self.value_length)
        return self.layers * per_layer * bytes_per_value


def shape(info: Any) -> Shape:
    """Read ``model_info`` of /api/show.

    Examples
    --------
    >>> shape({"general.architecture": "llama", "llama.block_count": 30}).layers
    30
    >>> shape(None) == shape({"general.architecture": 5}) == Shape()
    True
    """
    if not isinstance(info, dict) or not isinstance(info.get("general.architecture"), str):
        return Shape()
    kind = info["general.architecture"]
    told = {key: _whole(info, f"{kind}.{key}") for key in ("block_count", "context_length")}
    heads = _whole(info, f"{kind}.attention.head_count")
    embedding = _whole(info, f"{kind}.embedding_length")
    usual = embedding // heads if embedding and heads else None  # where it is not told apart
    return Shape(
        layers=told["block_count"],
        heads=heads,
        kv_heads=_mean(info.get(f"{kind}.attention.head_count_kv")),
        key_length=_whole(info, f"{kind}.attention.key_length") or usual,
        value_length=_whole(info, f"{kind}.attention.value_length") or usual,
        embedding_length=embedding,
        context_length=told["context_length"],
    )


def _whole(info: Mapping[str, Any], key: str) -> int | None:
    number = _number(info.get(key))
    return int(number) or None if number is not None else None


def _mean(value: Any) -> float | None:
    """Of one number, or of one for each layer."""
    told = [_number(one) for one in (value if isinstance(value, list) else [value])]
    known = [number for number in told if number is not None]
    return sum(known) / len(known) if told and len(known) == len(told) else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) and 0 <= value < 1e9 else None
