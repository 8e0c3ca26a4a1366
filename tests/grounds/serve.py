"""A sandbox in a process of its own: python -m tests.grounds.serve [--everywhere] MODEL ...

Prints its address and its number as JSON; ends when its input ends. ``--everywhere`` has it listen
on every address, as in a container; only to be used in a network namespace.
"""

from __future__ import annotations

import json
import sys

from lifecycle_widgets.sandbox import Sandbox
from tests.grounds.programs import free_port


def main(words: list[str]) -> None:
    """Start it, tell where, wait."""
    models = [word for word in words if not word.startswith("-")]
    port = free_port() if "--everywhere" in words else None
    env = {"OLLAMA_HOST": f"0.0.0.0:{port}"} if port else {}
    with Sandbox(models=models, progress=lambda _: None, port=port, runner_env=env) as sandbox:
        print(json.dumps({"url": sandbox.url, "pid": sandbox.pid}), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1:])
