"""Another process with a notice on the board, which does what it is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SAY = """
import os, sys
from lifecycle_widgets.neighbours import announce
notice = announce("lesson 2", server_url="http://me:secret@127.0.0.1:1234/?key=1",
                  models=["a", "b"], memory_bytes=300_000_000)
print("up", flush=True)
for line in sys.stdin:
    exec(line)
    print("done", flush=True)
"""


class Other:
    """Another process, with a notice of its own."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _SAY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.heard()

    def heard(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def does(self, line: str, *, answers: bool = True) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        if answers:
            assert self.heard() == "done"

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def another() -> Iterator[Other]:
    other = Other()
    try:
        yield other
    finally:
        other.end()
