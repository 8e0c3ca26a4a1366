"""A cell that is run again closes what it made before: in a real kernel, and in plain Python."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from lifecycle_widgets.server import Server

pytestmark = pytest.mark.slow
SETUP = "import ipywidgets\nimport lifecycle_widgets as lw\nserver = lw.Server.find()"
LAB = "lab = lw.TuningLab(server=server)\nlab"
COUNT = """
import comm, json, psutil, threading, time
port = int(server.url.rsplit(":", 1)[1])

def connections():
    links = psutil.Process().net_connections("tcp")
    return sum(bool(link.raddr) and link.raddr.port == port for link in links)

time.sleep(1)  # what ends by itself has ended
for _ in range(60):  # one that is not used is kept for 5 s
    if connections() > 3:
        time.sleep(0.1)
print(json.dumps({
    "threads": threading.active_count(),
    "monitors": sum(t.name == "lifecycle-monitor" for t in threading.enumerate()),
    "widgets": len(ipywidgets.widgets.widget._instances),
    "comms": len(comm.get_comm_manager().comms),
    "connections": connections(),
}))
"""


class Kernel:
    """A kernel, and a front end that runs cells in it as JupyterLab does."""

    def __init__(self, client: BlockingKernelClient) -> None:
        self._client = client

    def run(self, code: str, cell: str | None = None) -> str:
        """What the cell prints. ``cell`` is its id; None: a front end that tells none."""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        told = {} if cell is None else {"cellId": cell, "deletedCells": [], "recordTiming": False}
        return self._run(content, told)

    def run_after_deleting(self, code: str, cells: list[str]) -> str:
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        return self._run(content, {"cellId": "new", "deletedCells": cells})

    def _run(self, content: dict[str, Any], told: dict[str, Any]) -> str:
        message = self._client.session.msg("execute_request", content, metadata=told)
        self._client.shell_channel.send(message)
        printed, until_s = "", time.monotonic() + 60
        while time.monotonic() < until_s:  # the widgets' own messages go on, whatever happens
            answer = self._client.get_iopub_msg(timeout=60)
            if answer["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            said = answer["content"]
            if answer["msg_type"] == "stream":
                printed += said["text"]
            elif answer["msg_type"] == "error":
                printed += f"{said['ename']}: {said['evalue']}"
            elif answer["msg_type"] == "status" and said["execution_state"] == "idle":
                return printed
        raise TimeoutError(f"the kernel has not answered after 60 s: {content}")

    def count(self) -> dict[str, int]:
        return dict(json.loads(self.run(COUNT, "count").splitlines()[-1]))


@pytest.fixture(scope="module")
def kernel(sandbox: object) -> Iterator[Kernel]:
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        started = Kernel(client)
        assert not started.run(SETUP, "setup")
        yield started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


AGAIN = 19 if os.environ.get("LIFECYCLE_LONG") == "1" else 5


@pytest.mark.parametrize(
    ("code", "cell"), [(LAB, "lab"), ("lw.TuningLab(server=server)", None)], ids=["id", "no id"]
)
def test_a_cell_run_again_and_again_leaves_what_one_run_leaves(
    kernel: Kernel, code: str, cell: str | None
) -> None:
    assert not kernel.run(code, cell)
    once = kernel.count()
    for _ in range(AGAIN):
        assert not kernel.run(code, cell)
    often = kernel.count()
    print(once, often)
    assert often["monitors"] == 1
    assert often["connections"] <= 4  # those of the server's one pool
    for what, most in {"threads": 1, "widgets": 0, "comms": 0}.items():
        assert often[what] <= once[what] + most, what


def test_a_cell_that_makes_its_widget_once_keeps_it(kernel: Kernel) -> None:
    code = "if 'kept' not in globals(): kept = lw.ModelPicker(server)\nprint(kept.comm is not None)"
    for _ in range(3):
        assert kernel.run(code, "once").strip() == "True"


def test_what_another_variable_holds_stays(kernel: Kernel) -> None:
    kernel.run("one = lw.KeepAlivePicker()", "held")
    kernel.run("other = one", "elsewhere")
    kernel.run("one = lw.KeepAlivePicker()", "held")
    assert kernel.run("print(other.comm is not None)").strip() == "True"
    kernel.run("other = None", "elsewhere")
    kernel.run("before = one; one = lw.KeepAlivePicker()", "held")
    kernel.run("del before", "elsewhere")


def test_a_run_that_fails_closes_nothing_that_a_variable_holds(kernel: Kernel) -> None:
    kernel.run("picker = lw.KeepAlivePicker('5m')", "failing")
    assert "ValueError" in kernel.run("picker = lw.KeepAlivePicker('1d')", "failing")
    assert kernel.run("print(picker.comm is not None)").strip() == "True"
    kernel.run("old = [picker]", "list")
    kernel.run("picker = lw.KeepAlivePicker('10m')", "failing")
    assert kernel.run("print(old[0].comm is None, picker.comm is not None)").strip() == "True True"


def test_a_part_goes_with_its_whole_and_two_cells_are_two(kernel: Kernel) -> None:
    made = "lw.AgentPanel(server), lw.KeepAlivePicker()"
    kernel.run(f"a, b = {made}", "first")
    kernel.run(f"c, d = {made}", "second")
    before = kernel.count()
    kernel.run(f"a, b = {made}", "first")
    assert kernel.count()["widgets"] == before["widgets"]
    assert kernel.run("print(c.comm is not None and d.comm is not None)").strip() == "True"


def test_a_deleted_cells_widgets_are_closed(kernel: Kernel) -> None:
    kernel.run("lw.KeepAlivePicker()", "to delete")
    before = kernel.count()
    kernel.run_after_deleting("1", ["to delete"])
    assert kernel.count()["widgets"] < before["widgets"]


def test_in_plain_python_six_labs_share_one_monitor(server: Server) -> None:
    code = f"""
import threading, time
import lifecycle_widgets as lw
server = lw.Server({server.url!r})
def threads():
    time.sleep(2)
    return threading.active_count()
labs = [lw.TuningLab(server=server)]
once = threads()
labs += [lw.TuningLab(server=server) for _ in range(5)]
often = threads()
for lab in labs:
    lab.close()
print(once, often, threads())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    once, often, closed = map(int, done.stdout.split()[-3:])
    assert often <= once + 3
    assert closed <= 2  # the main one, and what some library may keep
