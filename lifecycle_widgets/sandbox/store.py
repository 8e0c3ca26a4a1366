"""The models in the cache: which there are, whether they are whole, and how a sandbox gets them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifecycle_widgets.sandbox.cache import cache_dir
from lifecycle_widgets.sandbox.errors import ModelsFailed


@dataclass(frozen=True)
class Spec:
    """One model: its precision, its size, and the digests its file should have."""

    kind: str
    size_bytes: int
    file: str
    weights: str


SPECS = {
    "smollm2:135m": Spec(
        "Q8_0",
        144_811_072,
        "4ed6387e67d8c5e6eb9d92a04ce7ae0a21d1b5bdd8013c8bcc1000450977843a",
        "0de6f03c73124a7a6a5b9b781837cc59f2ba6c6fc648e3677855e742ac76a133",
    ),
    "smollm2:135m-f16": Spec(
        "F16",
        270_885_952,
        "f975a8bdd63f6b79134aa4503eb129b4776c3a9bd5a6b6ec6bb5602804de77cd",
        "5d0b375675903697c0e776b6229e8a14a6579c2f8cbf025b279a313fb850c6d4",
    ),
    "smollm2:135m-f32": Spec(
        "F32",
        539_845_696,
        "dc3ce7db1dca336cd9293a4aff20c48e9f5a36d4954c433ff8b37b32f39c8a5b",
        "5f194d4666d95e027d5b7365535de3919932699a6229431f61fe6cb742871504",
    ),
}
MODELS = tuple(SPECS)
"""The names of the models a sandbox can have, smallest first."""

MOST_TOKENS = 512
"""Their `num_predict`, where a request names none: ten seconds of rambling at most."""


def checked(names: Iterable[str]) -> tuple[str, ...]:
    """The names in the order in which they are prepared; ValueError for one that is unknown."""
    wanted = set([names] if isinstance(names, str) else names)
    if unknown := sorted(wanted - set(MODELS)):
        raise ValueError(f"unknown model {unknown[0]!r}; a sandbox has {', '.join(MODELS)}")
    return tuple(name for name in MODELS if name in wanted)


def store() -> Path:
    """The Ollama models folder in the cache."""
    return cache_dir() / "models"


def record_path(name: str) -> Path:
    """Where it is written down that a model is prepared: what has no record does not exist."""
    return store() / "prepared" / (name.replace(":", "_") + ".json")


def record(name: str) -> dict[str, Any] | None:
    """What was written down about a prepared model; None if it is not there, or not whole."""
    try:
        found: dict[str, Any] = json.loads(record_path(name).read_text())
        whole = (store() / found["manifest"]).is_file() and all(
            (store() / "blobs" / blob).stat().st_size == size
            for blob, size in found["blobs"].items()
        )
    except (OSError, ValueError, KeyError, AttributeError):
        return None
    return found if whole else None


def missing(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the models that are not prepared yet. Fast."""
    return tuple(name for name in checked(names) if record(name) is None)


def furnish(names: Sequence[str], folder: Path) -> None:
    """Put prepared models into a sandbox's own models folder.

    Manifests are copied and blobs linked to the cache, so that deleting or copying a model in
    the sandbox leaves the cache as it is, and a read-only cache will do.
    """
    for name in checked(names):
        found = record(name)
        if found is None:
            raise ModelsFailed(f"{name} is not prepared.")
        manifest = folder / found["manifest"]
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_bytes((store() / found["manifest"]).read_bytes())
        for blob in found["blobs"]:
            link = folder / "blobs" / blob
            if not link.is_symlink():
                link.symlink_to(store() / "blobs" / blob)
