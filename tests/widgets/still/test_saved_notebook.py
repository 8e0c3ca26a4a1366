"""What a saved notebook has for a reader without a kernel, and what nbconvert makes of it."""

from __future__ import annotations

import base64
import json
import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter, MarkdownExporter

from lifecycle_widgets.sandbox import Sandbox
from tests.chromium import chromium

VIEW = "application/vnd.jupyter.widget-view+json"
CELLS = (
    "import lifecycle_widgets as lw\nserver = lw.Server.find()\nmodel = 'smollm2:135m'",
    "lab = lw.TuningLab(server=server, model=model)\nlab",
    "chart = lw.ResourceChart(server=server)\nchart",
    "block = lw.CodeBlock(model, url=server.url)\nblock",
    "table = lw.RunTable(panel=lab)\ntable",
    "panel = lw.ExperimentPanel(lw.ColdAndWarm(model, rounds=1, server=server))\npanel",
)
# what is done afterwards shows in the cells above
DONE = (
    "block.keep_alive, block.shown = 0, 'curl'",
    "lab.panel.options = {'num_predict': 8, 'seed': 0}\n"
    "for keep_alive in ('30s', 0):\n    lab.run('Say <b>hello</b>.', keep_alive=keep_alive)\n"
    "table.selected = table.runs",
    "result = panel.start().wait()",
    "lab.close()\nprint(result.verdict)",
)
NAMES = ("TuningLab", "ResourceChart", "CodeBlock", "RunTable", "ExperimentPanel")


@pytest.fixture(scope="module")
def executed(sandbox: Sandbox) -> Any:
    """A notebook that nbconvert has run: saved with its widgets' state."""
    cells = [nbformat.v4.new_code_cell(code) for code in (*CELLS, *DONE)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return notebook


def still(notebook: Any, name: str) -> tuple[Any, list[Any]]:
    """The data of a widget's own output, and of what stands after it."""
    own, *after = (output.data for output in notebook.cells[1 + NAMES.index(name)].outputs)
    assert VIEW in own
    return own, after


def verdict(notebook: Any) -> str:
    return str(notebook.cells[-1].outputs[0].text.strip())


@pytest.mark.slow
def test_it_is_small(executed: Any) -> None:
    assert len(nbformat.writes(executed)) < 1_000_000  # with plotly and DataTables in it, 17 MB
    without = deepcopy(executed)
    without.metadata.pop("widgets")
    assert len(nbformat.writes(without)) < 250_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("TuningLab", ["keep_alive 0: ", "Say <b>hello</b>.", "done after", "it left"]),
        ("ResourceChart", ["smollm2:135m", "expired", "request to"]),
        ("CodeBlock", ["curl --url", '"keep_alive": 0}']),
        ("RunTable", ["RunTable(2 runs, 2 selected)", "TTFT", "Run 1 (", "difference"]),
        ("ExperimentPanel", ["ColdAndWarm, done", "measurements", "ttft_s"]),
    ],
)
def test_each_widget_shows_what_was_done(executed: Any, name: str, wanted: list[str]) -> None:
    own, after = still(executed, name)
    words = after[0]
    for text in wanted:
        assert text in words["text/plain"]
    assert own["text/plain"] == name
    assert own["text/html"].startswith("<!--"), "to be seen once, not twice"
    without_style = re.sub("<style>.*?</style>", "", words["text/html"], flags=re.DOTALL)
    assert f"<b>{name}</b>, as it was on " in without_style
    assert "<b>hello" not in without_style, "what a person or a model wrote is escaped"
    assert ("image/png" in after[-1]) == (name not in ("CodeBlock", "RunTable"))
    for part in after[1:]:
        assert len(base64.b64decode(part["image/png"])) < 60_000
        assert part["text/plain"].startswith("[picture: ")


@pytest.mark.slow
def test_no_state_has_a_large_part(executed: Any) -> None:
    told = executed.metadata.get("widgets", {}).get(
        "application/vnd.jupyter.widget-state+json", {"state": {}}
    )["state"]
    for model in told.values():
        for name, value in model["state"].items():
            assert len(json.dumps(value)) < 150_000, name


@pytest.mark.slow
def test_markdown_and_html_have_the_verdict_and_the_table(executed: Any) -> None:
    said = verdict(executed)
    for exporter in (MarkdownExporter(), HTMLExporter()):
        made, _ = exporter.from_notebook_node(executed)
        assert said.replace("'", "&#x27;") in made
        assert "2 runs; selected: 1 and 2." in made


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("has_state", [True, False])
def test_it_is_read_without_javascript(executed: Any, tmp_path: Path, has_state: bool) -> None:
    notebook = deepcopy(executed)
    if not has_state:
        notebook.metadata.pop("widgets", None)
    made, _ = HTMLExporter().from_notebook_node(notebook)
    (tmp_path / "notebook.html").write_text(made)
    with chromium() as browser:
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto((tmp_path / "notebook.html").as_uri())
        stills = page.locator(".lw-still")
        assert stills.count() == len(NAMES)
        for i in range(len(NAMES)):
            assert stills.nth(i).is_visible()
        assert page.get_by_text(verdict(executed)).first.is_visible()
        assert page.locator("img[alt]").count() == 3
