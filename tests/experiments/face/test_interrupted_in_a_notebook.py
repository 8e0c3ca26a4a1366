"""An experiment in a real kernel, under nbclient: a line of progress, a short word of a stop."""

from __future__ import annotations

import os
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from lifecycle_widgets.server import Server

MADE = """\
import os, signal, threading, time
import lifecycle_widgets as lw
server = lw.Server({url!r})
def made(rounds): return lw.ColdAndWarm("smollm2:135m", rounds=rounds, server=server)
def press(begun):
    def when_it_has_begun():
        while not begun():
            time.sleep(0.05)
        os.kill(os.getpid(), signal.SIGINT)
    threading.Thread(target=when_it_has_begun).start()"""


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
def test_a_saved_notebook_has_one_line_of_each_run(server: Server) -> None:
    cells = (
        MADE.format(url=server.url),
        "experiment = made(1); result = experiment.run()",
        "experiment = made(20); press(lambda: experiment._rows); experiment.run()",
        "print(experiment.result.facts['stopped'])",
        "panel = lw.ExperimentPanel(made(20)); press(lambda: panel._step.done); panel.run()",
        "print(panel.result.facts['stopped'])",
        "heard = threading.Event(); press(heard.is_set)\n"
        "lw.run_agent('Count.', model='smollm2:135m', server=server,"
        " options={'num_predict': 2000}, on_text=lambda _: heard.set())",
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, allow_errors=True, kernel_name="python3").execute()
    _, whole, stopped, kept, by_panel, kept_there, run = (c.outputs for c in notebook.cells)
    [line] = whole
    assert line.data["text/plain"].startswith("done: 3 of 3 measurements · ")
    progress, error = stopped
    assert progress.data["text/plain"].startswith("stopped after ")
    assert is_one_line(error, "the experiment was stopped after ")
    assert kept[0].text == kept_there[0].text == "True\n"
    assert is_one_line(by_panel[-1], "the experiment was stopped. What it has measured is in")
    assert is_one_line(run[-1], "the run was stopped, and the server no longer generates")


def is_one_line(error: Any, begins: str) -> bool:
    [line] = error.traceback
    return bool(line.startswith(f"KeyboardInterrupt: {begins}") and "\n" not in line)
