"""The shape of a model, read leniently from /api/show."""

from __future__ import annotations

from typing import Any

import pytest

from lifecycle_widgets.server import Server, Shape
from lifecycle_widgets.server.answers import shown
from lifecycle_widgets.server.shape import shape

LLAMA: dict[str, Any] = {
    "general.architecture": "llama", "llama.block_count": 30, "llama.context_length": 8192,
    "llama.attention.head_count": 9, "llama.attention.head_count_kv": 3,
    "llama.embedding_length": 576,
}  # fmt: skip


def test_of_a_real_one(server: Server) -> None:
    told = server.shown("smollm2:135m").shape
    assert told == Shape(30, 9, 3.0, 64, 64, 576, 8192)
    assert told.kv_bytes_per_token() == 23040


def test_lengths_of_its_own_and_layers_that_differ() -> None:
    """As in models with keys and values of other sizes, or with few layers of attention."""
    own = {"llama.attention.key_length": 128, "llama.attention.value_length": 96}
    told = shape({**LLAMA, **own, "llama.attention.head_count_kv": [0, 8, 0, 8]})
    assert (told.key_length, told.value_length, told.kv_heads) == (128, 96, 4.0)


@pytest.mark.parametrize("odd", [None, "8", -1, True, float("nan"), [], [None], {}, 1e300])
@pytest.mark.parametrize("key", LLAMA)
def test_whatever_is_told_nothing_raises(key: str, odd: Any) -> None:
    told = shape({**LLAMA, key: odd})
    if key != "llama.context_length":
        assert told.kv_bytes_per_token() in (None, 23040.0)
    assert shape(odd) == Shape()


@pytest.mark.parametrize(
    ("parameters", "num_ctx"),
    [
        ('stop "<a>"\nnum_ctx                        8192', 8192),
        ("num_ctx 0", None),
        ("num_ctx many", None),
        ("num_predict 4", None),
        (None, None),
        (["num_ctx 5"], None),
    ],
)
def test_the_modelfiles_own_context(parameters: Any, num_ctx: int | None) -> None:
    assert shown({"parameters": parameters}).num_ctx == num_ctx
