"""As a person: the advice for a workload, T* moved, applied, copied; light and dark."""

from __future__ import annotations

import os
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from lifecycle_widgets.server import Server
from tests.browser.conftest import Lab, wear

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SMALL = "smollm2:135m"
LAPTOP = {"width": 1400, "height": 900}


def trace(path: Path) -> None:
    """Two models: one is asked again after a minute or so, the other once an hour."""
    chance, lines = np.random.default_rng(7), ["stream,start_s,service_s"]
    for model, middle_s in ((SMALL, 60.0), ("<img src=x>:7b", 3600.0)):
        at_s = 0.0
        for gap_s in chance.lognormal(np.log(middle_s), 1.0, 300):
            lines.append(f"{model},{at_s:.3f},4.0")
            at_s += 4.0 + gap_s
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def page(lab: Lab, browser: Browser, server: Server) -> Page:
    """A notebook whose only cell shows the panel, at T* = 2 min."""
    trace(lab.folder / "asked.csv")
    cell = (
        "from lifecycle_widgets.widgets import AdvicePanel\n"
        f"AdvicePanel('asked.csv', 120, server={server.url!r})"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / "advice.ipynb")
    page = lab.open(browser, "advice.ipynb")
    page.set_viewport_size({**LAPTOP, "height": 1300})
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".lw-advice .lw-chart .main-svg").first.wait_for(timeout=90_000)
    return page


@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
def test_the_panel(page: Page, server: Server, pictures: Path) -> None:
    panel = page.locator(".lw-advice")
    sentence, legend = panel.locator(".lw-verdict").first, panel.locator(".legendtext")
    expect(sentence).to_contain_text("T* (2 min)")
    expect(legend.filter(has_text="advice")).to_have_count(1)
    assert panel.locator("img").count() == 0, "a name is text"
    page.wait_for_timeout(1000)
    expect(legend.filter(has_text="T* 120 s")).to_have_count(1)  # not on a step of the slider
    for theme in ("Light", "Dark"):
        wear(page, theme)
        page.wait_for_timeout(500)
        panel.screenshot(path=pictures / f"advice-{theme.lower()}.png")

    slider = panel.locator(".noUi-handle")
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(legend.filter(has_text="T*")).not_to_contain_text("T* 120 s")
    expect(sentence).not_to_contain_text("T* (2 min)", timeout=30_000)

    give(page, server)
    copy_as(page)


def give(page: Page, server: Server) -> None:
    """To the model in memory, after a question."""
    panel = page.locator(".lw-advice")
    button = panel.get_by_role("button", name=re.compile("Give .* now"))
    button.click()
    expect(panel.get_by_role("status").filter(has_text="is not in memory")).to_be_visible()
    server.preload(SMALL, "1h")
    button.click()
    expect(panel).to_contain_text("Its time begins anew")
    panel.get_by_role("button", name="Do it").click()
    expect(panel.get_by_role("status").filter(has_text="Done.")).to_be_visible(timeout=30_000)
    resident = server.resident(SMALL)
    assert resident is None or (resident.expires_in_s() or 0) < 3000


def copy_as(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = page.locator(".lw-advice")
    panel.get_by_role("button", name="Copy as").click()
    block = panel.locator(".lw-code")
    expect(block.locator("pre")).to_contain_text("OllamaPromptDriver")
    block.get_by_role("tab", name="systemd").click()
    expect(block.locator("pre")).to_contain_text('Environment="OLLAMA_KEEP_ALIVE=')
    block.get_by_role("button", name="Copy").click()
    expect(block).to_contain_text("Copied")
    assert "[Service]" in page.evaluate("navigator.clipboard.readText()")
