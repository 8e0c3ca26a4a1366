"""Notebook 7 and Voila on a folder of their own, as a person starts them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import nbformat
from playwright.sync_api import Browser, Error, Page, Route

from tests.browser.conftest import OWN_HOSTS, Lab

CELLS = (
    "import lifecycle_widgets as lw\nserver = lw.Server.find()",
    "lw.TuningLab(server=server, keep_alive='30s')",
    "lw.ExperimentPanel(lw.ColdAndWarm('smollm2:135m', rounds=2, server=server))",
)
START_S = 60.0


@dataclass
class FrontEnd(Lab):
    """A front end that is no JupyterLab, on a folder with one notebook in it."""

    name: str = ""

    def open(self, browser: Browser, notebook: str = "lab.ipynb", *, dark: bool = False) -> Page:
        """The notebook, in a fresh browser profile; Voila has run it, Notebook 7 has not."""
        scheme = "dark" if dark else "light"
        context = browser.new_context(viewport={"width": 1280, "height": 1500}, color_scheme=scheme)
        context.route(lambda url: urlsplit(url).hostname not in OWN_HOSTS, self._refuse)
        page = context.new_page()
        page.on("pageerror", self._failed)
        if self.name == "voila":
            page.goto(f"{self.url}/voila/render/{notebook}?theme={scheme}")
            return page
        context.request.put(
            f"{self.url}/lab/api/settings/@jupyterlab/apputils-extension:themes?token={self.token}",
            data={"raw": f'{{"theme": "JupyterLab {scheme.title()}"}}'},
        )
        page.goto(f"{self.url}/notebooks/{notebook}?token={self.token}")
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
        page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").wait_for(timeout=60_000)
        self._wait_for_kernel(page)
        return page

    def _wait_for_kernel(self, page: Page) -> None:
        """Asked to run cells before it has one, Notebook asks which kernel is meant."""
        for _ in range(120):
            answer = page.context.request.get(f"{self.url}/api/sessions?token={self.token}")
            if any(session["kernel"]["execution_state"] == "idle" for session in answer.json()):
                return
            page.wait_for_timeout(500)
        raise AssertionError("Notebook starts no kernel")

    def __post_init__(self) -> None:
        self.faults: list[str] = []  # of JavaScript, but for those of Notebook's own settings

    def _failed(self, fault: Error) -> None:
        told = fault.stack or str(fault)
        if "(reading 'schema')" not in told or "/static/notebook/" not in told:
            self.faults.append(told)

    def _refuse(self, route: Route) -> None:
        """Voila's page itself asks a network for Font Awesome, and draws with its own copy."""
        if self.name == "voila" and "/@fortawesome/" in route.request.url:
            route.abort()
        else:
            super()._refuse(route)


def run_all(page: Page) -> None:
    """Run > Run All Cells, by the mouse."""
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


@contextmanager
def front_end(name: str, home: Path) -> Iterator[FrontEnd]:
    """``jupyter notebook`` or ``voila``, until the end of the block."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    folder = home / "notebooks"
    folder.mkdir()
    nbformat.write(notebook, folder / "lab.ipynb")
    port = free_port()
    command = [sys.executable, "-m", name, "--no-browser", f"--port={port}"]
    if name == "notebook":
        command += ["--ServerApp.token=test", "--ServerApp.port_retries=0"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--allow-root")
    environment = os.environ | {
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    log = home / "log"
    with log.open("w") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, env=environment)
    try:
        wait_for_answer(f"http://localhost:{port}/", process, log)
        yield FrontEnd(f"http://localhost:{port}", "test", folder, name=name)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def wait_for_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            urlopen(url, timeout=5).close()
            return
        except URLError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
