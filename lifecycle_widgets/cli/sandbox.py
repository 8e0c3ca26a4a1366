"""``lifecycle-lab sandbox``: the private Ollama by itself, until Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Sequence

from lifecycle_widgets.sandbox import Sandbox, cache_dir, remove


def main(words: Sequence[str]) -> int:
    """Runs it, or removes it; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab sandbox",
        description="Runs the private Ollama by itself, with its three small models, until Ctrl-C. "
        "The line that it prints points other programs at it. It listens on this machine only.",
        allow_abbrev=False,
    )
    parser.add_argument("--port", type=int, help="listen there (default: any free one)")
    parser.add_argument(
        "--remove",
        action="store_true",
        help="remove all that it keeps in the user's cache (it can be made again)",
    )
    known = parser.parse_args(words)
    if known.remove:
        removed = remove()
        print(f"{cache_dir()}: {'removed' if removed else 'there was nothing to remove'}")
        return 0
    with Sandbox(port=known.port) as sandbox:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            print(f"export OLLAMA_HOST={sandbox.url}   # Ollama {sandbox.version}; Ctrl-C ends it")
            sys.stdout.flush()
            while sandbox.is_running:
                time.sleep(0.5)
        except KeyboardInterrupt:
            return 0
    print("lifecycle-lab: the sandbox has ended by itself.", file=sys.stderr)
    return 1
