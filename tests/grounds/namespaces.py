"""A network namespace: another machine, or a container, as far as the network can tell.

It has one address (of the range for benchmarks, 198.18.0.0/15), reached by a pair of virtual
cards, and no way to anywhere else.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import pytest

from tests.grounds.programs import need


@dataclass(frozen=True)
class Namespace:
    """A namespace that is there."""

    name: str
    here: str  #: our end's address
    there: str  #: its own address

    def command(self, *command: str) -> list[str]:
        """The command, to be run inside."""
        return ["ip", "netns", "exec", self.name, *command]


@contextmanager
def namespace() -> Iterator[Namespace]:
    """Make one; the test is skipped where that is not allowed."""
    need("ip")
    _sweep()
    unique = f"{os.getpid()}x{random.randrange(100)}"
    net = random.randrange(2**15) * 4
    prefix = f"198.{18 + (net >> 16)}.{net >> 8 & 255}"
    made = Namespace(f"lw{unique}", f"{prefix}.{(net & 255) + 1}", f"{prefix}.{(net & 255) + 2}")
    ours, theirs = f"lwa{unique}", f"lwb{unique}"
    try:
        try:
            _ip("netns", "add", made.name)
            _ip("link", "add", ours, "type", "veth", "peer", "name", theirs, "netns", made.name)
            _ip("addr", "add", f"{made.here}/30", "dev", ours)
            _ip("link", "set", ours, "up")
            for words in (
                ("addr", "add", f"{made.there}/30", "dev", theirs),
                ("link", "set", theirs, "up"),
                ("link", "set", "lo", "up"),
            ):
                _ip("-n", made.name, *words)
        except subprocess.CalledProcessError as error:
            pytest.skip(f"no network namespace can be made here: {error.stderr.strip()}")
        yield made
    finally:
        for kind, name in (("link", ours), ("netns", made.name)):
            subprocess.run(["ip", kind, "del", name], capture_output=True)


def _sweep() -> None:
    """Remove what test runs have left that were killed; its cards go with a namespace."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    for name, pid in re.findall(r"^(lw(\d+)x\d+)\b", listed, re.MULTILINE):
        if not psutil.pid_exists(int(pid)):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)
