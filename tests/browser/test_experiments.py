"""As a person: open a lesson, run it all, compare runs, copy the code, press Run in a panel."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lifecycle_widgets.server import Server
from tests.browser.conftest import Lab, wear
from tests.browser.test_lab import until
from tests.notebooks.test_notebooks import cells

pytestmark = [pytest.mark.slow, pytest.mark.browser]
LESSON = "04_watch_and_tune.ipynb"
SHOWN = {"runs": ".lw-runs", "code": ".lw-code:not(.lw-agent *)", "experiment": ".lw-experiment"}


def tags(cell: dict[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", ()))


@pytest.fixture
def page(lab: Lab, browser: Browser, server: Server) -> Page:
    """The lesson, run from top to bottom."""
    page = lab.open(browser, LESSON)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    # a folded solution has no number
    code = [c for c in cells(lab.folder / LESSON) if c["cell_type"] == "code"]
    numbered = [c for c in code if "solution" not in tags(c)]
    prompts = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt")

    def have_run() -> bool:
        told = [t for text in prompts.all_text_contents() if (t := text.strip("[]: "))]
        return len(told) >= len(numbered) and all(map(str.isdigit, told))

    until(have_run, 180)
    return page


def scroll_to(what: Locator) -> None:
    """As a person does: JupyterLab 4.4 hides, or takes off the page, what is not on the screen."""
    notebook = what.page.locator(".jp-Notebook .jp-WindowedPanel-outer").first
    if not what.is_visible():
        notebook.evaluate("it => it.scrollTo(0, 0)")
    for _ in range(60):
        what.page.wait_for_timeout(100)
        if what.is_visible():
            break
        notebook.evaluate("it => it.scrollBy(0, it.clientHeight / 2)")
    else:
        raise AssertionError("it is nowhere in the notebook")
    for _ in range(3):  # cells that come into view above it move it away again
        what.scroll_into_view_if_needed()
        what.page.wait_for_timeout(500)


def picture(what: Locator, path: Path) -> None:
    scroll_to(what)
    what.screenshot(path=path)
    assert path.stat().st_size > 8_000


def test_a_lesson(page: Page, pictures: Path) -> None:
    errors = page.locator(
        ".jp-RenderedText[data-mime-type*=stderr], .jp-RenderedText[data-mime-type*=error]"
    )
    assert errors.count() == 0, errors.first.text_content()
    sort_and_compare(page)
    copy_the_code(page)
    press_run(page)
    for theme in ("Light", "Dark"):
        wear(page, theme)
        for name, place in SHOWN.items():
            picture(page.locator(place), pictures / f"{name}-{theme.lower()}.png")


def press_run(page: Page) -> None:
    panel = page.locator(".lw-experiment")
    scroll_to(panel)
    expect(panel.locator(".lw-plan")).to_contain_text("Ask smollm2:135m")
    panel.get_by_role("button", name="Run").click()
    expect(panel.locator(".lw-row")).to_contain_text(re.compile(r"\d of 9: round"), timeout=30_000)
    panel.get_by_role("button", name="Stop").wait_for()
    expect(panel.locator(".lw-verdict")).to_contain_text("A reload costs", timeout=120_000)
    expect(panel.locator(".lw-row")).to_contain_text("done after")
    panel.locator(".js-plotly-plot .main-svg").first.wait_for()
    expect(panel.locator("table")).to_contain_text("load_s")
    page.wait_for_timeout(1000)  # the figure takes its width


def sort_and_compare(page: Page) -> None:
    table = page.locator(".lw-runs")
    scroll_to(table)
    rows = table.locator("tbody tr").filter(has=page.locator("td:nth-child(4)"))
    grid = table.locator(".lw-grid")
    # the kernel answers the page between two cells only (ipykernel 6), and they may still run
    expect(grid.locator("tbody tr")).to_have_count(6, timeout=60_000)
    grid.locator("thead th", has_text="TTFT").click()
    titles = grid.locator("thead th").all_text_contents()
    [column] = [number for number, title in enumerate(titles, 1) if "TTFT" in title]
    cells = grid.locator(f"tbody tr td:nth-child({column})")
    until(lambda: ascending(cells.all_text_contents()))
    assert rows.count() >= 6
    chosen = grid.locator("tbody tr.selected")
    expect(chosen).to_have_count(2)  # by the notebook's cell
    for left in (1, 0):
        chosen.first.click()
        expect(chosen).to_have_count(left)
    expect(table.locator(".lw-comparison")).to_have_count(0)
    for number in (0, 5):
        grid.locator("tbody tr").nth(number).click()
    comparison = table.locator(".lw-comparison")
    expect(comparison).to_contain_text("First token after")
    expect(comparison).to_contain_text("One run each proves little")
    grid.locator("tbody tr").nth(2).click()  # a third takes the place of the first
    expect(chosen).to_have_count(2)


def ascending(texts: list[str]) -> bool:
    numbers = [float(text) for text in texts]
    return numbers == sorted(numbers)


def copy_the_code(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    block = page.locator(SHOWN["code"])
    scroll_to(block)
    expect(block.locator("pre")).to_contain_text('extra_params={"keep_alive": 300}')
    block.get_by_role("tab", name="curl").click()
    expect(block.locator("pre")).to_contain_text("curl --url")
    block.get_by_role("tab", name="OLLAMA_KEEP_ALIVE").click()
    expect(block.locator("pre")).to_contain_text("export OLLAMA_KEEP_ALIVE=5m")
    block.get_by_role("button", name="Copy").click()
    expect(block).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.endswith("export OLLAMA_KEEP_ALIVE=5m")
    block.get_by_role("tab", name="griptape").click()
