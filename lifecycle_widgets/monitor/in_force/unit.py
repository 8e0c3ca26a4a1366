"""A server's systemd unit: which it is, and what it gives the server as environment."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from glob import glob, has_magic
from pathlib import Path

from lifecycle_widgets.monitor.in_force.environment import of_pairs
from lifecycle_widgets.monitor.in_force.told import Told, answer_of

_SERVICE = re.compile(r"^(?!user@)[^/]+\.service$")
_FILE = re.compile(r"(?P<path>.+) \(ignore_errors=(?:yes|no)\)$")


def unit_in(cgroup: str) -> tuple[str, bool] | None:
    """The service in the text of ``/proc/PID/cgroup``, and whether it is the user manager's.

    Examples
    --------
    >>> unit_in("0::/system.slice/ollama.service")
    ('ollama.service', False)
    >>> unit_in("0::/user.slice/user-1000.slice/session-2.scope") is None
    True
    """
    for line in cgroup.splitlines():
        parts = line.split(":", 2)[-1].split("/")
        services = [part for part in parts if _SERVICE.match(part)]
        if services:
            return services[-1], any(part.startswith("user@") for part in parts)
    return None


def told_by_unit(pid: int, unit: str, *, is_users: bool) -> Told | None:
    """What a unit was given; None where systemd does not tell, or the process is not its own.

    What is started by hand from a service is in its control group, too: the unit counts where
    the process is its main one.
    """
    manager = ["--user"] if is_users else []
    wanted = ("MainPID", "Environment", "EnvironmentFiles")
    properties = [part for name in wanted for part in ("-p", name)]
    answer = answer_of("systemctl", *manager, "show", *properties, "--", unit)
    if answer is None or f"MainPID={pid}" not in answer.splitlines():
        return None
    return read_unit(answer)


def read_unit(answer: str) -> Told:
    """What ``systemctl show`` tells of the environment, with the files that it names.

    Examples
    --------
    >>> read_unit('Environment=OLLAMA_HOST=0.0.0.0 "OLLAMA_ORIGINS=a b"').environment
    {'OLLAMA_HOST': '0.0.0.0', 'OLLAMA_ORIGINS': 'a b'}
    """
    pairs: list[str] = []
    unread: list[str] = []
    files: list[str] = []
    for line in answer.splitlines():
        name, _, value = line.partition("=")
        if name == "Environment":
            pairs += _words(value)
        elif name == "EnvironmentFiles" and value:
            match = _FILE.match(value)
            files += _named(match["path"] if match else value)
    for path in files:
        try:
            pairs += _lines(Path(path).read_text(errors="replace"))
        except FileNotFoundError:  # the unit may say that it need not be there
            continue
        except OSError:
            unread.append(path)
    missing = f"What {' and '.join(unread)} says to its unit cannot be read." if unread else None
    return Told(of_pairs(pairs), "systemd unit", missing=missing)


def _named(path: str) -> list[str]:
    """The files that a path with wildcards names; itself where it has none."""
    return sorted(glob(path)) if has_magic(path) else [path]


def _words(text: str) -> list[str]:
    """The words, as systemd quotes them: as a shell does, which also has these two escapes."""
    try:
        return shlex.split(text.replace("\\$", "$").replace("\\`", "`"))
    except ValueError:  # an open quotation mark
        return text.split()


def _lines(text: str) -> Iterator[str]:
    """The lines of an environment file, as systemd reads the plain ones."""
    for line in text.replace("\\\n", "").splitlines():
        name, is_pair, value = line.strip().partition("=")
        if is_pair and not name.startswith(("#", ";")):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            yield f"{name.strip()}={value[1:-1] if quoted else value}"
