"""Opens a panel in a real JupyterLab and measures it there; run by `panel`, with pytest's fixtures.

(Not collected by itself: its name does not begin as a test's.)
"""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from lifecycle_widgets.sandbox import Sandbox
from tests.bench.agent.panel import HOW, OUT
from tests.browser.conftest import Lab, browser, lab

__all__ = ["browser", "lab"]
ROOT = Path(__file__).parents[3]
SHOW = """\
import sys
sys.path.insert(0, {root!r})
from lifecycle_widgets import Server
from tests.bench.agent.panel import measure, new_panel
panel = new_panel(Server({url!r}))
panel"""
MEASURE = "measure(panel, {times}, {seconds})\nprint('measured')"
LONGEST_MS = 1_800_000


@pytest.mark.skipif(OUT not in os.environ, reason="run by tests.bench.agent.panel")
def test_a_panel_that_is_shown(lab: Lab, browser: Browser, sandbox: Sandbox) -> None:
    times, seconds = os.environ[HOW].split()
    cells = [
        SHOW.format(root=str(ROOT), url=sandbox.url),
        MEASURE.format(times=times, seconds=seconds),
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / "shown.ipynb")
    page = lab.open(browser, "shown.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".lw-agent").get_by_role("button", name="Run")).to_be_visible(
        timeout=60_000
    )
    page.keyboard.press("Shift+Enter")
    output = page.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(".jp-OutputArea-output")
    expect(output.last).to_contain_text("measured", timeout=LONGEST_MS)
