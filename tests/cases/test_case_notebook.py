"""Cells that are run again and again, and what a saved notebook weighs."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle_widgets import ResourceChart, Sandbox, Server, TuningLab
from tests.cases.case_tools import wait_until
from tests.recorded import RecordedServer, ollama

TIMES = 20


@pytest.fixture
def recorded() -> Iterator[RecordedServer]:
    with RecordedServer(ollama()) as server:
        yield server


def monitors() -> int:
    """How many threads of monitors there are."""
    return sum(thread.name == "lifecycle-monitor" for thread in threading.enumerate())


def test_many_labs_of_one_server_share_one_monitor(recorded: RecordedServer) -> None:
    """Case 20, outside a notebook. In one: tests/widgets/test_cells.py."""
    before, labs = monitors(), []
    server = Server(recorded.url)
    for _ in range(TIMES):
        labs.append(TuningLab(server))
    assert monitors() == before + 1
    charts = [ResourceChart(server=server), ResourceChart(server=recorded.url)]
    assert monitors() == before + 1
    for part in (*labs, *charts):
        part.close()
    wait_until(lambda: monitors() == before, "the monitor ends with the last", 10)


@pytest.mark.slow
def test_a_saved_notebook_is_small_and_can_be_read_without_a_kernel(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Case 21, in small: two charts and a lab. tests/notebooks weighs the lessons."""
    import nbformat
    from nbclient import NotebookClient

    cells = [
        "import lifecycle_widgets as lw, time; server = lw.Server.find()",
        "chart = lw.ResourceChart(server=server); chart",
        "lab = lw.TuningLab(server); lab",
        "lw.ResourceChart(server=server)",
        "time.sleep(2); lab.close(); chart.close()",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    executed = NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    path = tmp_path / "executed.ipynb"
    nbformat.write(executed, path)
    print(f"{path.stat().st_size / 1e3:.0f} kB")
    assert path.stat().st_size < 600_000, "with a picture of each of the three charts"
    for cell in json.loads(path.read_text())["cells"][1:4]:
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "application/vnd.jupyter.widget-view+json" in data:
                assert "image/png" in data or "text/html" in data or "text/plain" in data
                text = "".join(data.get("text/html", "") or data.get("text/plain", ""))
                assert "image/png" in data or "image/svg+xml" in data or len(text) > 40, text
