"""What a saved notebook has for a reader without a kernel."""

from __future__ import annotations

import json
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from lifecycle_widgets.sandbox import Sandbox

VIEW = "application/vnd.jupyter.widget-view+json"
CELLS = (
    "import lifecycle_widgets as lw\nimport plotly.graph_objects as go\nserver = lw.Server.find()",
    "lw.TuningLab(server=server)",
    "lw.ResourceChart(server=server)",
    "lw.CodeBlock(url=server.url)",
    "lw.RunTable()",
    "lw.ExperimentPanel(lw.ColdAndWarm('smollm2:135m', server=server))",
)


@pytest.fixture(scope="module")
def executed(sandbox: Sandbox) -> Any:
    """A notebook that nbconvert has run: saved with its widgets' state."""
    cells = [nbformat.v4.new_code_cell(code) for code in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return notebook


@pytest.mark.slow
def test_it_is_small(executed: Any) -> None:
    assert len(nbformat.writes(executed)) < 700_000  # with plotly and DataTables in it, 17 MB


@pytest.mark.slow
def test_each_widget_has_a_sentence(executed: Any) -> None:
    for cell in executed.cells[1:]:
        widget, style = (output.data for output in cell.outputs)
        name = cell.source.removeprefix("lw.").partition("(")[0]
        assert VIEW in widget
        assert widget["text/html"] == (
            f"<p>{name} is shown while its kernel runs. Run the cell again to see it.</p>"
        )
        assert widget["text/plain"].startswith(f"{name}(") or name == "CodeBlock"
        assert f"lw-instead-{name}" in style["text/html"]
        assert style["text/plain"] == ""  # GitHub shows nothing of it


@pytest.mark.slow
def test_no_state_has_a_large_part(executed: Any) -> None:
    told = executed.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    for model in told.values():
        for name, value in model["state"].items():
            assert len(json.dumps(value)) < 150_000, name
