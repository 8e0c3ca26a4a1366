"""As a person: see one's own requests in the chart, look back, click one, and save the picture."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Lab, wear

pytestmark = [pytest.mark.slow, pytest.mark.browser]
CODE = """\
import lifecycle_widgets as lw
from IPython.display import display
panel = lw.AgentPanel(lw.Server.find(), model="smollm2:135m", keep_alive="60s")
chart = lw.ResourceChart(server=panel.server, window_s=60)
table = lw.RunTable(panel=panel, chart=chart)
display(chart, table)
for prompt in ("Say hello.", "In two sentences: what is a lighthouse for?"):
    panel.prompt = prompt
    panel.start(remember=False).wait()
"""


def ticks(page: Page) -> list[str]:
    """The times on the axis."""
    texts = page.locator(".lw-plot .lw-axes text").all_text_contents()
    return [text for text in texts if re.fullmatch(r"\d\d:\d\d:\d\d", text)]


def corner(page: Page) -> tuple[float, float]:
    """Of the drawing."""
    box = page.locator(".lw-plot > svg").bounding_box()
    assert box is not None
    return box["x"], box["y"]


def first_bar(page: Page) -> tuple[float, float]:
    """A place on the first request's bar."""
    path = page.locator(".lw-request").first.get_attribute("d") or ""
    x0, y0, x1, y1 = (float(number) for number in re.findall(r"[\d.]+", path)[:4])
    left, top = corner(page)
    return left + (x0 + x1) / 2, top + (y0 + y1) / 2


def test_requests_in_the_chart(lab: Lab, browser: Browser, pictures: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CODE)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / "chart.ipynb")
    page = lab.open(browser, "chart.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".lw-plot .lw-request").first.wait_for(timeout=60_000, state="attached")
    rows = page.locator(".lw-runs tbody tr")
    expect(rows).to_have_count(2, timeout=60_000)
    page.wait_for_timeout(1500)  # a reading after the end

    # it follows; drag it, and it stays while data arrive; and back
    before = ticks(page)
    left, top = corner(page)
    page.mouse.move(left + 500, top + 120)
    page.mouse.down()
    page.mouse.move(left + 560, top + 120, steps=5)
    page.mouse.up()
    expect(page.locator(".lw-plot")).to_contain_text("held; live goes on")
    held = ticks(page)
    page.wait_for_timeout(1500)
    assert ticks(page) == held

    # all is told of a bar, and a click selects its run
    page.mouse.move(*first_bar(page))
    expect(page.locator(".lw-tip")).to_contain_text("smollm2:135m: ours")
    page.mouse.click(*first_bar(page))
    expect(page.locator(".lw-runs tbody tr.selected")).to_have_count(1)
    expect(page.locator(".lw-marked")).to_have_count(1)
    for theme in ("Dark", "Light"):
        wear(page, theme)
        page.mouse.move(*first_bar(page))
        page.locator(".lw-chart").screenshot(path=pictures / f"chart-{theme.lower()}.png")

    page.get_by_role("button", name="Back to live").click()
    expect(page.locator(".lw-plot")).not_to_contain_text("held")
    assert ticks(page) != held or ticks(page) == before

    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("CSV", b"at,ram_used_bytes")):
        with page.expect_download() as download:
            page.locator(".lw-export select").select_option(kind)
        assert Path(download.value.path()).read_bytes().startswith(start)
