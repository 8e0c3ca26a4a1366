"""The command line: which command it is, and what a fault says."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Sequence

from lifecycle_widgets.cli.words import COMMANDS, FILES
from lifecycle_widgets.sandbox import SandboxError
from lifecycle_widgets.server import ServerError


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status (2: wrong arguments, 1: a fault, told in words)."""
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that lacks a letter shows "?"
    try:
        name = words.pop(0) if words[:1] and words[0] in COMMANDS else "lab"
        command = importlib.import_module(f"lifecycle_widgets.cli.{FILES.get(name, name)}")
        return int(command.main(words))
    except (SandboxError, ServerError, ValueError, OSError) as fault:
        print(f"lifecycle-lab: {_in_words(fault)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nlifecycle-lab: interrupted. What was prepared is kept.", file=sys.stderr)
        return 130


def _in_words(fault: Exception) -> str:
    """What a fault says; the operating system's without their numbers."""
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.filename}: {fault.strerror}" if fault.filename else fault.strerror
    return str(fault)
