"""The pictures of the widgets' page: its examples run in JupyterLab, and each widget is pictured.

    LIFECYCLE_LONG=1 LIFECYCLE_PICTURES=tests/browser/pictures \\
        python -m pytest tests/browser/test_gallery.py

renews them.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from urllib.request import Request, urlopen

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lifecycle_widgets.server import Server
from tests import gallery
from tests.browser.conftest import Lab
from tests.browser.test_lab import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1"),
]
Image = pytest.importorskip("PIL.Image", reason="needs Pillow")
COLORS = 96  # are enough for a small picture
SETTLE_MS = 4_000  # charts take their width, and their monitor a few samples
SHOWN = ".lw, .lw-stream"


def test_pictures(lab: Lab, browser: Browser, server: Server, pictures: Path) -> None:
    page_text = gallery.PAGE.read_text(encoding="utf-8")
    examples = gallery.examples(page_text)
    cells = [gallery.setup(page_text), *examples.values()]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / "gallery.ipynb")
    keep_all_cells_on_the_page(lab)
    page = lab.open(browser, "gallery.ipynb")
    run_all(page, len(cells))
    ask_in_the_lab(page)
    page.wait_for_timeout(SETTLE_MS)
    folder = pictures / "gallery"
    folder.mkdir(exist_ok=True)
    outputs = page.locator(".jp-Notebook .jp-CodeCell .jp-Cell-outputWrapper")
    for number, name in enumerate(examples, 1):
        if name not in gallery.WITHOUT:
            save(outputs.nth(number).locator(SHOWN).first, folder / f"{name}.png")


def keep_all_cells_on_the_page(lab: Lab) -> None:
    """JupyterLab else takes off the page what is not on the screen."""
    url = f"{lab.url}/lab/api/settings/@jupyterlab/notebook-extension:tracker?token={lab.token}"
    body = b'{"raw": "{\\"windowingMode\\": \\"none\\"}"}'
    urlopen(Request(url, body, {"Content-Type": "application/json"}, method="PUT")).close()


def run_all(page: Page, cells: int) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt")
    faults = page.locator(".jp-RenderedText[data-mime-type*=error]")

    def ended() -> bool:
        assert faults.count() == 0, faults.first.text_content()
        return sum(t.strip("[]: ").isdigit() for t in prompts.all_text_contents()) == cells

    until(ended, 240)


def ask_in_the_lab(page: Page) -> None:
    """So that there is something to be seen in it."""
    agent = page.locator(".lw-lab .lw-agent")
    agent.locator(".lw-prompt textarea").fill("In two sentences: what is a lighthouse for?")
    agent.get_by_role("button", name="Run").click()
    expect(agent.locator(".lw-now .lw-split")).to_be_visible(timeout=90_000)


def save(shown: Locator, path: Path) -> None:
    """As it stands on the page, in few colours."""
    shown.scroll_into_view_if_needed()
    shown.page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(shown.screenshot())).convert("RGB")
    picture.quantize(COLORS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.name}: {picture.width} x {picture.height}, {path.stat().st_size / 1000:.0f} kB")
    assert 1_000 < path.stat().st_size < gallery.MOST_BYTES
