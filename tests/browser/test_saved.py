"""As a person: save a notebook, come back when its kernel is gone, read it, run it again."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.sign import NotebookNotary
from playwright.sync_api import Browser, Locator, Page, TimeoutError

from tests.browser.conftest import Lab

pytestmark = [pytest.mark.slow, pytest.mark.browser]
CHART = "import lifecycle_widgets as lw\nlw.ResourceChart(server=lw.Server.find())"
LINES = ".lw-chart .lw-plot .lw-lines path"


def write(lab: Lab, name: str, *, execute: bool = False) -> Path:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CHART)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    if execute:
        NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    nbformat.write(notebook, lab.folder / name)
    return lab.folder / name


def run_all(page: Page) -> None:
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.locator(LINES).first.wait_for(timeout=60_000, state="attached")


def end_kernels(lab: Lab, page: Page) -> None:
    sessions = f"{lab.url}/api/sessions"
    for session in page.context.request.get(f"{sessions}?token={lab.token}").json():
        page.context.request.delete(f"{sessions}/{session['id']}?token={lab.token}")


def styled(what: Locator, part: str, name: str) -> str:
    """A property of an element's ``::before`` or ``::after``; of itself with ``part`` empty."""
    return str(
        what.evaluate(f"it => getComputedStyle(it, {part!r} || null).getPropertyValue({name!r})")
    )


def test_a_notebook_saved_by_hand_shows_the_chart_of_now_or_a_sentence(
    lab: Lab, browser: Browser, pictures: Path
) -> None:
    saved = write(lab, "by_hand.ipynb")
    page = lab.open(browser, saved.name)
    run_all(page)
    page.keyboard.press("Control+s")
    page.wait_for_timeout(1000)
    assert saved.stat().st_size < 20_000

    # reloaded while its kernel runs: the chart of now, also the second time
    for _ in range(2):
        page.reload()
        page.locator(LINES).first.wait_for(timeout=60_000, state="attached")

    # come back to without a kernel: a sentence
    end_kernels(lab, page)
    page.context.close()
    page = lab.open(browser, saved.name)
    place = page.locator(".jp-OutputArea-output.jupyter-widgets", has_text="model not found")
    place.wait_for(timeout=60_000, state="attached")
    assert "ResourceChart is shown while its kernel runs" in styled(place, "::after", "content")
    assert styled(place, "", "visibility") == "hidden"
    assert styled(place, "::after", "visibility") == "visible"
    page.screenshot(path=pictures / "saved-by-hand.png")
    run_all(page)  # and it is there again


def test_an_executed_notebook_says_that_its_kernel_is_gone(
    lab: Lab, browser: Browser, pictures: Path
) -> None:
    saved = write(lab, "executed.ipynb", execute=True)
    assert saved.stat().st_size < 150_000
    page = lab.open(browser, saved.name)  # JupyterLab does not trust it: run by somebody else
    sentence = page.locator(".jp-RenderedHTMLCommon", has_text="Run the cell again to see it.")
    sentence.wait_for(timeout=60_000)
    page.context.close()
    NotebookNotary().sign(nbformat.read(saved, 4))
    page = lab.open(browser, saved.name)
    chart = page.locator(".lw.lw-chart")
    lines = chart.locator(".lw-plot .lw-lines path").first
    try:
        lines.wait_for(timeout=30_000, state="attached")
    except TimeoutError:
        # seen once in some dozens on a loaded machine: JupyterLab asks a kernel that is just
        # starting which widgets it has, and no answer comes ("Loading widget..."); one reloads then
        page.reload()
        lines.wait_for(timeout=60_000, state="attached")
    assert "As it was when its kernel ended" in styled(chart, "::before", "content")
    page.screenshot(path=pictures / "saved-executed.png")
    assert page.get_by_text("javascript error").count() == 0
