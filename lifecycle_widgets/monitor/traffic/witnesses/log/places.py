"""Where a server writes its log, and whether it can be read there."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from pathlib import Path

from lifecycle_widgets.monitor.in_force.container import container_in, publishing
from lifecycle_widgets.monitor.in_force.told import answer_of
from lifecycle_widgets.monitor.in_force.unit import unit_in
from lifecycle_widgets.monitor.system.text_files import text_of
from lifecycle_widgets.monitor.traffic.witnesses.log.tails import FileTail, ProgramTail, Tail

_ANOTHER_USER = (
    "The server's log cannot be read: its process is another user's. Members of the groups "
    "systemd-journal or adm can read the journal."
)


class NoLog(Exception):
    """It cannot be read; the text says why, in a sentence."""


def open_log(pid: int | None, port: int) -> Tail:
    """The log of a server on this machine, from now on.

    Parameters
    ----------
    pid:
        Its process; None where that is not known.
    port:
        Where it listens: a container that publishes it is the server's.

    Raises
    ------
    NoLog
        Says why not.
    """
    if pid is not None and sys.platform == "linux":
        return _of_process(pid)
    if (tail := _of_container(None, port)) is not None:
        return tail
    for path in usual_places():
        if path.exists():
            return _file(str(path), str(path))
    raise NoLog("The server's log is not to be found: which process it is cannot be seen.")


def usual_places() -> tuple[Path, ...]:
    """Where Ollama's own app writes it, on macOS and on Windows."""
    if sys.platform == "win32":
        folder = os.environ.get("LOCALAPPDATA")
        return (Path(folder) / "Ollama" / "server.log",) if folder else ()
    if sys.platform == "darwin":
        return (Path.home() / ".ollama" / "logs" / "server.log",)
    return ()


def _of_process(pid: int) -> Tail:
    cgroup = text_of(f"/proc/{pid}/cgroup")
    if (name := container_in(cgroup)) is not None:
        tail = _of_container(name, 0)
        if tail is None:
            raise NoLog("The server's log cannot be read: neither docker nor podman tells it.")
        return tail
    whys = []
    for fd in (1, 2):
        found = _of_descriptor(pid, fd)
        if not isinstance(found, str):
            return found
        whys.append(found)
    raise NoLog(whys[0])


def _of_descriptor(pid: int, fd: int) -> Tail | str:
    """What the process's output leads to; or why that cannot be read."""
    path = f"/proc/{pid}/fd/{fd}"
    try:
        where = os.readlink(path)
        mode = os.stat(path).st_mode
    except PermissionError:
        return _journal(pid) or _ANOTHER_USER
    except OSError:
        return "The server's log cannot be read: its process tells not where it is."
    if stat.S_ISREG(mode):
        try:
            return _file(path, where)
        except NoLog as fault:
            return str(fault)
    if where == os.devnull:
        return "The server's log is thrown away (its output goes to /dev/null)."
    if where.startswith("socket:"):
        return _journal(pid) or "The server's log is in the journal, and journalctl is not here."
    what = "a terminal" if stat.S_ISCHR(mode) else "another program"
    return f"The server's log cannot be read: it goes to {what}."


def _file(path: str, name: str) -> FileTail:
    try:
        return FileTail(path, name)
    except OSError as fault:
        raise NoLog(f"The server's log {name} cannot be read ({fault.strerror}).") from fault


def _journal(pid: int) -> ProgramTail | None:
    if shutil.which("journalctl") is None or unit_in(text_of(f"/proc/{pid}/cgroup")) is None:
        return None
    # of this process alone, whatever its unit is called
    command = ["journalctl", "-f", "-q", "-n", "0", "-o", "cat", f"_PID={pid}"]
    return ProgramTail(command, "the journal")


def _of_container(name: str | None, port: int) -> ProgramTail | None:
    if name is None and not os.environ.get("DOCKER_HOST", "unix:").startswith("unix:"):
        return None  # they are another machine's, and so are the ports
    for program in filter(shutil.which, ("docker", "podman")):
        wanted = name
        if wanted is None:
            listed = answer_of(program, "ps", "--format", "{{.ID}} {{.Ports}}")
            wanted = publishing(listed or "", port)
        if wanted is not None and answer_of(program, "inspect", wanted) is not None:
            command = [program, "logs", "-f", "--tail", "0", wanted]
            return ProgramTail(command, f"the container {wanted[:12]}")
    return None
