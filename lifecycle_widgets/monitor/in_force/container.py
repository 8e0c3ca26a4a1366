"""A server's container: which it is, and what Docker or Podman say that it was started with."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import Any

from lifecycle_widgets.monitor.in_force.environment import of_pairs
from lifecycle_widgets.monitor.in_force.told import Told, answer_of
from lifecycle_widgets.server.answers import date

_PROGRAMS = ("docker", "podman")
_ID = re.compile(r"(?:^|[/:-])([0-9a-f]{64})(?=\.scope|/|$)", re.MULTILINE)
_PUBLISHED = re.compile(r":(\d+)(?:-(\d+))?->")


def container_in(cgroup: str) -> str | None:
    """The container's number in the text of ``/proc/PID/cgroup``; None where there is none.

    Examples
    --------
    >>> container_in("0::/system.slice/docker-" + "ab" * 32 + ".scope")[:8]
    'abababab'
    >>> container_in("0::/system.slice/docker.service") is None
    True
    """
    match = _ID.search(cgroup)
    return match.group(1) if match else None


def publishing(listed: str, port: int) -> str | None:
    """The container that a port of this machine leads to, of a list of numbers and ports.

    Parameters
    ----------
    listed:
        What ``ps --format '{{.ID}} {{.Ports}}'`` writes.

    Examples
    --------
    >>> publishing("4e5f 0.0.0.0:11434->11434/tcp, [::]:11434->11434/tcp", 11434)
    '4e5f'
    >>> publishing("4e5f 11434/tcp", 11434) is None
    True
    """
    found = set()
    for line in listed.splitlines():
        name, _, ports = line.strip().partition(" ")
        for match in _PUBLISHED.finditer(ports):
            first, last = int(match[1]), int(match[2] or match[1])
            if first <= port <= last:
                found.add(name)
    return found.pop() if len(found) == 1 else None


def told_by_container(name: str | None, port: int) -> Told | None:
    """What the container was started with; None where nobody tells.

    Parameters
    ----------
    name:
        The container's number; None: the one that publishes ``port``.
    """
    if name is None and not os.environ.get("DOCKER_HOST", "unix:").startswith("unix:"):
        return None  # they are another machine's, and so are the ports
    for program in filter(shutil.which, _PROGRAMS):
        wanted = name
        if wanted is None:
            listed = answer_of(program, "ps", "--format", "{{.ID}} {{.Ports}}")
            wanted = publishing(listed or "", port)
        answer = answer_of(program, "inspect", wanted) if wanted is not None else None
        if answer is not None and (told := read_container(answer)) is not None:
            return told
    return None


def read_container(answer: str) -> Told | None:
    """What ``inspect`` tells of a container; None where that is no container."""
    try:
        first: Any = json.loads(answer)[0]
        pairs = first["Config"]["Env"] or []
        started = first.get("State", {}).get("StartedAt")
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    texts = [pair for pair in pairs if isinstance(pair, str)] if isinstance(pairs, list) else []
    return Told(of_pairs(texts), "container", started_at=date(started))
