"""A real JupyterLab, opened by lifecycle-lab, in the system's Chromium."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from lifecycle_widgets.sandbox import Sandbox
from tests.chromium import chromium

ROOT = Path(__file__).parent.parent.parent
OWN_HOSTS = (None, "", "localhost", "127.0.0.1")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@dataclass
class Lab:
    """A running JupyterLab on a folder of its own."""

    url: str
    token: str
    folder: Path
    foreign: list[str] = field(default_factory=list)  # what a page wanted from elsewhere

    def _refuse(self, route: Route) -> None:
        self.foreign.append(route.request.url)
        route.abort()

    def open(
        self, browser: Browser, notebook: str = "00_start_here.ipynb", *, dark: bool = False
    ) -> Page:
        """A notebook, in a fresh browser profile."""
        context = browser.new_context(viewport={"width": 1280, "height": 1500})
        context.route(lambda url: urlsplit(url).hostname not in OWN_HOSTS, self._refuse)
        context.request.put(
            f"{self.url}/lab/api/settings/@jupyterlab/apputils-extension:themes?token={self.token}",
            data={"raw": f'{{"theme": "JupyterLab {"Dark" if dark else "Light"}"}}'},
        )
        page = context.new_page()
        page.goto(f"{self.url}/lab/tree/{notebook}?token={self.token}&reset")
        page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
        expect(page.locator("#jp-bottom-panel, #jp-main-statusbar").last).to_contain_text(
            "| Idle", timeout=60_000
        )
        return page


def wear(page: Page, theme: str) -> None:
    """Change JupyterLab's theme, as a person does, with everything on the page."""
    page.get_by_role("menuitem", name="Settings", exact=True).click()
    entries = page.locator(".lm-Menu-itemLabel")
    entries.get_by_text("Theme", exact=True).hover()
    entries.get_by_text(f"JupyterLab {theme}", exact=True).click()
    is_light = str(theme == "Light").lower()
    page.locator(f"body[data-jp-theme-light={is_light}]").wait_for(state="attached")


@pytest.fixture(scope="module")
def lab(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """`lifecycle-lab FOLDER`, as a person without a clone starts it."""
    home = tmp_path_factory.mktemp("lab")
    log = home / "log"
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
    }
    command = [sys.executable, "-m", "lifecycle_widgets.cli", str(home / "notebooks")]
    command += ["--no-browser", "--port", "0", "--ServerApp.token=test"]
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        deadline = time.monotonic() + 60
        while not (found := re.search(r"http://localhost:\d+(?=/lab)", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield Lab(found.group(), "test", home / "notebooks")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where the screenshots are kept: the README's own place when it is asked to be renewed."""
    named = os.environ.get("LIFECYCLE_PICTURES")
    folder = Path(named) if named else ROOT / "test-output"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(autouse=True)
def closed_pages(
    request: pytest.FixtureRequest, browser: Browser, lab: Lab, pictures: Path
) -> Iterator[None]:
    """Pages are closed after each test; of a failed one a picture is kept first.

    And none has fetched anything from anywhere but its JupyterLab.
    """
    before = request.session.testsfailed
    yield
    for context in browser.contexts:
        for page in context.pages:
            if request.session.testsfailed > before:
                page.screenshot(path=pictures / f"failed-{request.node.name}.png")
        context.close()
    foreign, lab.foreign[:] = list(lab.foreign), []
    assert not foreign, "something was fetched from elsewhere"
