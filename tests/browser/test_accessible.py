"""For everyone: names, states and the keyboard, in a real JupyterLab; and what axe-core finds."""

from __future__ import annotations

import os
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from lifecycle_widgets.sandbox import Sandbox
from tests.browser.conftest import Lab, wear
from tests.browser.named import everything_has_a_name

pytestmark = [pytest.mark.slow, pytest.mark.browser]
LONG = pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
MODEL = "smollm2:135m"
LAPTOP, SMALL = {"width": 1400, "height": 900}, {"width": 1024, "height": 700}
BEGIN = """
import pathlib, lifecycle_widgets as lw
from lifecycle_widgets import widgets as w
from lifecycle_widgets.monitor import Monitor
url, model, few = {url!r}, {model!r}, {{"num_predict": 8}}
"""
LAB = """lab = lw.TuningLab(url, model=model, keep_alive="30s")
lab.panel.options = few
for keep_alive in ("forever", "5m"):
    lab.run("Hi", keep_alive=keep_alive)
lab.panel.options = {"num_predict": 160}
lab"""
TABLE = "table = lw.RunTable(panel=lab)\ntable"
ALL = {  # each in the state in which it has the most to show
    "TuningLab": LAB,
    "RunTable": "table = w.RunTable(panel=lab)\ntable.selected = table.runs[:2]\ntable",
    "AgentPanel": "panel = w.AgentPanel(url, model=model, options=few)\n"
    "panel.start().wait(); panel.start().wait()\n"
    "panel._parts.open_settings.value = panel._parts.open_code.value = True\npanel",
    "KeepAlivePicker": 'w.KeepAlivePicker("90s")',
    "ModelPicker": 'w.ModelPicker(url, needs=["llama3.2:1b"])',
    "ResourceChart": "w.ResourceChart(server=url)",
    "ExperimentPanel": "done = w.ExperimentPanel(\n"
    "    lw.ColdAndWarm(model, rounds=1, server=url), may_unload=True\n)\n"
    "done.start().wait()\ndone",
    "BreakEven": "w.BreakEven(lw.InARow(\n"
    '    model, keep_alives=(0, "5m"), gaps_s=(0.2, 1.0), price_s_per_gb_min=1.0, server=url\n'
    ").run(may_unload=True))",
    "AdvicePanel": 'lines = ["stream,start_s,service_s"]\n'
    'lines += [f"{one},{60 * i * i},4.0" for one in (model, "b") for i in range(1, 99)]\n'
    'pathlib.Path("asked.csv").write_text("\\n".join(lines))\n'
    'advice = w.AdvicePanel("asked.csv", 120, server=url)\nadvice.wait()\n'
    "advice._shown._open.value = True\nadvice",
    "DoctorPanel": "doctor = w.DoctorPanel(url, watch_s=1)\ndoctor.examine().wait(60)\ndoctor",
    "HistoryView": "history = w.HistoryView()\nhistory._ask_old()\nhistory",
    "InForceView": "w.InForceView(Monitor.shared(url))",
    "CodeBlock": 'w.CodeBlock(model, "5m")',
    "TextStream": 'w.TextStream("Hello there.")',
}


def opened(lab: Lab, browser: Browser, sandbox: Sandbox, *cells: str) -> Page:
    """A notebook, all of whose cells have been run; each cell's output is found by `output`."""
    begin = BEGIN.format(url=sandbox.url, model=MODEL)
    codes = [begin, *cells, 'print("all" + " done")']
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in codes])
    for cell in notebook.cells:
        cell.metadata["jupyter"] = {"source_hidden": True}
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / "everyone.ipynb")
    settings = f"{lab.url}/lab/api/settings/@jupyterlab/notebook-extension:tracker"
    first = browser.new_context()  # all cells are on the page, also those that are not in view
    first.request.put(f"{settings}?token={lab.token}", data={"raw": '{"windowingMode": "none"}'})
    page = lab.open(browser, "everyone.ipynb")
    page.set_viewport_size(LAPTOP)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu-itemLabel").get_by_text("Run All Cells", exact=True).click()
    done = page.get_by_text("all done", exact=True)
    failed = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    done.or_(failed).first.wait_for(state="attached", timeout=400_000)
    assert not failed.all_inner_texts()
    return page


def output(page: Page, number: int) -> Locator:
    """What the cell shows, counted from 0, without the one that begins."""
    return page.locator(".jp-Notebook .jp-Cell").nth(number + 1).locator(".jp-OutputArea")


@pytest.fixture
def page(lab: Lab, browser: Browser, sandbox: Sandbox) -> Page:
    """The lab with two runs, their table, and a slider; what is read out goes into `heard`."""
    page = opened(lab, browser, sandbox, LAB, TABLE, "lw.BreakEven()")
    page.evaluate(HEAR)
    return page


HEAR = """() => {
  window.heard = [];
  const spoken = () => document.getElementById("lw-spoken")?.textContent;
  new MutationObserver(() => spoken() && spoken() !== heard.at(-1) && heard.push(spoken()))
    .observe(document.body, { subtree: true, childList: true });
}"""
NAME = "() => (document.activeElement.ariaLabel ?? document.activeElement.textContent).trim()"


def tab_to(page: Page, wanted: str, most: int = 20) -> list[str]:
    """Press Tab until what is called so has the focus; what had it on the way."""
    passed: list[str] = []
    while (name := page.evaluate(NAME)) != wanted:
        passed.append(name)
        assert len(passed) <= most, passed
        page.keyboard.press("Tab")
    return passed


@LONG
def test_names_and_keyboard(page: Page) -> None:
    expect(page.get_by_text("get notified about official Jupyter news")).to_have_count(0)
    everything_has_a_name(output(page, 0), keep_alive="5m")
    from_the_model_to_the_answer(page, output(page, 0))
    two_rows(page, output(page, 1))
    chart = output(page, 0).locator(".lw-plot > svg")
    expect(chart).to_have_attribute("aria-label", re.compile(f"In memory: {MODEL} since .* until"))
    slider = output(page, 2).get_by_role("slider", name="What one GB in memory for one minute")
    expect(slider).to_have_attribute("aria-valuetext", "1 s of waiting")
    slider.focus()
    page.keyboard.press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "1.12 s of waiting")


def from_the_model_to_the_answer(page: Page, tuning_lab: Locator) -> None:
    """Without a mouse; Run and Stop hand the focus to each other."""
    tuning_lab.get_by_role("combobox", name="Model").focus()
    assert "5m" in tab_to(page, "1h")
    page.keyboard.press("Space")
    expect(tuning_lab.get_by_role("button", name="1h", pressed=True)).to_be_focused()
    tab_to(page, "Prompt")
    page.keyboard.press("Control+A")
    page.keyboard.type("Count to fifty.")
    run = tuning_lab.get_by_role("button", name="Run", exact=True)
    stop = tuning_lab.get_by_role("button", name="Stop", exact=True)
    page.keyboard.press("Control+Enter")
    expect(stop).to_be_enabled()
    expect(run).to_be_enabled(timeout=60_000)
    tab_to(page, "Run", most=1)  # from the prompt, which has kept the focus
    page.keyboard.press("Enter")
    expect(stop).to_be_focused()
    expect(run).to_be_focused(timeout=60_000)
    heard = page.evaluate("heard")
    assert heard[-1].startswith("done after"), heard
    assert len(heard) <= 12, "not at each tick of its seconds"


def two_rows(page: Page, table: Locator) -> None:
    """Select two of them to be compared; the notebook's own keys are not meant."""
    rows = table.locator("tbody tr[tabindex]")
    expect(rows).to_have_count(4)
    rows.first.focus()
    for key in ("Space", "End", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    expect(table.get_by_role("row", selected=True)).to_have_count(2)
    expect(rows.nth(2)).to_be_focused()
    expect(table).to_contain_text("run 3")
    page.keyboard.press("ArrowDown")
    expect(rows.nth(3)).to_be_focused()


def serious(page: Page, shown: Locator) -> list[str]:
    """What axe-core finds in it that is serious or critical."""
    found: list[dict[str, Any]] = shown.evaluate(
        "async (e) => (await axe.run(e, { resultTypes: ['violations'] })).violations"
    )
    return [
        f"{one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


@LONG
def test_axe_finds_nothing_serious(lab: Lab, browser: Browser, sandbox: Sandbox) -> None:
    page = opened(lab, browser, sandbox, *ALL.values())
    page.evaluate((files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = {}
    for theme in ("Light", "Dark"):
        wear(page, theme)
        for number, name in enumerate(ALL):
            shown = output(page, number)
            shown.scroll_into_view_if_needed()
            page.wait_for_timeout(300)
            assert shown.locator(".lw, .lw-stream").count(), name
            found[f"{name}, {theme}"] = serious(page, shown)
    assert not {where: what for where, what in found.items() if what}


@LONG
def test_a_small_screen(page: Page, pictures: Path) -> None:
    """Run and the chart are on it together; the table's columns need no scrolling sideways."""
    page.set_viewport_size(SMALL)
    page.locator(".lw-server").first.evaluate("e => e.scrollIntoView({ block: 'start' })")
    page.wait_for_timeout(1000)
    page.screenshot(path=pictures / "lab-on-a-small-screen.png")
    for part in (".lw-run", ".lw-plot > svg", ".lw-prompt", ".lw-talk"):
        expect(page.locator(part).first).to_be_in_viewport(ratio=1)
    table = output(page, 1)
    grid = table.locator(".lw-grid")
    grid.scroll_into_view_if_needed()
    assert grid.evaluate("e => e.scrollWidth <= e.clientWidth")
    for name in ("run", "model", "keep_alive", "TTFT", "load", "total"):
        heading = table.locator("thead th", has_text=re.compile(rf"^\s*{name}\b")).first
        expect(heading).to_be_visible()
    expect(table.locator(".lw-gone")).to_be_visible()
