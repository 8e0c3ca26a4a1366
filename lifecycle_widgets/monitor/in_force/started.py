"""How a server was started: from its process, else its systemd unit, else its container."""

from __future__ import annotations

import threading

import psutil

from lifecycle_widgets.monitor.in_force.container import container_in, told_by_container
from lifecycle_widgets.monitor.in_force.environment import shown
from lifecycle_widgets.monitor.in_force.told import Told
from lifecycle_widgets.monitor.in_force.unit import told_by_unit, unit_in
from lifecycle_widgets.monitor.system.text_files import text_of


def told_by_process(process: psutil.Process) -> Told | None:
    """What a process was started with; None where that is not ours to see."""
    try:
        return Told(shown(process.environ()), "process")
    except (psutil.Error, OSError):
        return None


class Started:
    """How a server was started, found out in a thread of its own: other programs may take long.

    Parameters
    ----------
    port:
        Where the server listens on this machine.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._wanted: object = None
        self._told: Told | None = None

    def ask(self, pid: int | None) -> None:
        """Find out anew, of the process; None: of whatever container publishes the port."""
        wanted = self._wanted = object()
        self._told = None
        threading.Thread(
            target=self._find, args=(wanted, pid), name="lifecycle-started", daemon=True
        ).start()

    @property
    def told(self) -> Told | None:
        """What was found out; None while that goes on."""
        return self._told

    def _find(self, wanted: object, pid: int | None) -> None:
        told = _elsewhere(pid, self._port)
        if self._wanted is wanted:  # else there is another process by now
            self._told = told


def _elsewhere(pid: int | None, port: int) -> Told:
    if pid is None:
        return told_by_container(None, port) or Told()
    cgroup = text_of(f"/proc/{pid}/cgroup")
    told, container = None, container_in(cgroup)
    if container is not None:
        told = told_by_container(container, port)
    elif (unit := unit_in(cgroup)) is not None:
        told = told_by_unit(pid, unit[0], is_users=unit[1])
    return told or Told(missing=f"What process {pid} was started with is not ours to read.")
