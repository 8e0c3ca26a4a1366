"""What an Ollama of 0.32.15 answers, as small as it can be, to be changed from test to test."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.recorded.server import Answer, Route

VERSION = {"version": "0.32.15"}
DIGEST = "a" * 64
WEIGHTS = "b" * 64
SHOW: dict[str, Any] = {
    "modelfile": f"FROM /models/blobs/sha256-{WEIGHTS}",
    "model_info": {},
    "details": {},
    "capabilities": ["completion"],
}


def model(name: str = "tiny:1b", /, **changes: Any) -> dict[str, Any]:
    """An entry of /api/tags; ``...`` leaves a key out."""
    entry = {
        "name": name,
        "model": name,
        "modified_at": "2026-01-02T03:04:05Z",
        "size": 800_000_000,
        "digest": DIGEST,
        "details": {"family": "llama", "parameter_size": "1B", "quantization_level": "Q4_K_M"},
    }
    return _changed(entry, changes)


def resident(name: str = "tiny:1b", /, **changes: Any) -> dict[str, Any]:
    """An entry of /api/ps; ``...`` leaves a key out."""
    entry = {
        "name": name,
        "model": name,
        "size": 900_000_000,
        "size_vram": 0,
        "digest": DIGEST,
        "expires_at": "2099-01-01T00:00:00Z",
        "context_length": 4096,
    }
    return _changed(entry, changes)


def tags(*models: Any) -> dict[str, Any]:
    """The answer to /api/tags."""
    return {"models": list(models)}


def ollama(**changes: Route) -> dict[str, Route]:
    """Its routes; a keyword replaces the answer to ``/api/<keyword>``, ``None`` takes it away."""
    told: dict[str, Route] = {
        "version": VERSION,
        "tags": tags(model()),
        "ps": {"models": [resident()]},
        "show": SHOW,
        "chat": chat(chunk("Hello"), final()),
        "generate": final(response="", done_reason="load"),
    }
    told |= changes
    return {f"/api/{path}": answer for path, answer in told.items() if answer is not None}


def chunk(content: Any = "", **more: Any) -> dict[str, Any]:
    """A piece of an answer of /api/chat; keywords go into its message."""
    return {
        "model": "tiny:1b",
        "created_at": "2026-01-01T00:00:00.123456789Z",
        "message": {"role": "assistant", "content": content, **more},
        "done": False,
    }


def final(**changes: Any) -> dict[str, Any]:
    """The last piece, with the metrics; ``...`` leaves a key out."""
    return _changed(
        {
            **chunk(),
            "done": True,
            "done_reason": "stop",
            "total_duration": 900,
            "load_duration": 100,
            "prompt_eval_count": 3,
            "prompt_eval_duration": 100,
            "eval_count": 8,
            "eval_duration": 800,
        },
        changes,
    )


def chat(*chunks: dict[str, Any] | str, **keywords: Any) -> Answer:
    """The answer to /api/chat, a line for each piece; a text is sent as it is."""
    lines: Sequence[str] = [one if isinstance(one, str) else json.dumps(one) for one in chunks]
    return Answer(kind="application/x-ndjson", lines=lines, **keywords)


def _changed(entry: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in (entry | changes).items() if value is not ...}
