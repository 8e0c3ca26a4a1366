"""Record what a real Ollama answers: python -m tests.bodies.record (writes recorded.json)

Only the times and the long texts are shortened; beside them stand shapes that a sandbox has not
(cloud, thinking, tools), after Ollama's own documentation.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from lifecycle_widgets.sandbox import Sandbox

MODEL = "smollm2:135m"
FILE = Path(__file__).with_name("recorded.json")
_LONG = 400


def short(value: Any) -> Any:
    """Long texts and lists are cut: what they say does not matter here."""
    if isinstance(value, str):
        return value[:_LONG]
    if isinstance(value, list):
        return [short(one) for one in value[:5]]
    if isinstance(value, dict):
        return {key: short(one) for key, one in value.items()}
    return value


def recorded() -> dict[str, Any]:
    """One of each, from a sandbox with a model in memory."""
    with Sandbox() as sandbox, httpx.Client(base_url=sandbox.url, timeout=60) as client:
        ask = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "keep_alive": 600}
        reply = client.post("/api/chat", json=ask | {"options": {"num_predict": 4}})
        told = {
            "version": client.get("/api/version").json(),
            "tags": client.get("/api/tags").json(),
            "ps": client.get("/api/ps").json(),
            "show": short(client.post("/api/show", json={"model": MODEL}).json()),
            "chat": [json.loads(line) for line in reply.text.splitlines()],
        }
        # where the official installer has them, in place of the sandbox's temporary folder
        text = json.dumps(told).replace(str(sandbox.log_path.parent), "/usr/share/ollama/.ollama")
        return dict(json.loads(text))


def main() -> None:
    """Write the file."""
    FILE.write_text(json.dumps(recorded(), indent=1) + "\n")


if __name__ == "__main__":
    main()
