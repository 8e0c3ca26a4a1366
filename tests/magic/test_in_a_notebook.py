"""The magic in a real kernel, under nbclient: what a saved notebook has of it."""

from __future__ import annotations

from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from lifecycle_widgets.sandbox import Sandbox
from tests.scripted import SMALL, Script

PRESS = """\
import os, signal, threading
threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT)).start()
%agent Go on, will you?"""


def executed(*cells: str) -> Any:
    """The cells as nbclient has run them; one that ends with "# fails" may."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    for cell in notebook.cells:
        cell.metadata.tags = ["raises-exception"] * ("will you" in cell.source)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_notebook(box: Sandbox, script: Script) -> None:
    script({"text": "<b>Yes</b> " + "and so " * 9}, token_delay_s=0.08)
    _, answer, told, pressed, left = executed(
        "%load_ext lifecycle_widgets",
        f"%%agent --server {box.url} --model {SMALL} --keep-alive 1m\nIs {{it}} so?",
        "_.prompt, _.answer[:10], str(_.keep_alive)",
        PRESS,
        "_.stopped, _.answer.startswith('<b>Yes</b> and'), _.model",
    )
    [text, cost] = answer
    assert text.data == {"text/plain": "<b>Yes</b> " + "and so " * 9}
    assert cost.data.keys() == {"text/plain"}, "text, and never HTML"
    assert cost.data["text/plain"].startswith(f"[{SMALL}, keep_alive 1m: ")
    assert told[0].data["text/plain"] == "('Is {it} so?', '<b>Yes</b>', '1m')"
    assert pressed[-1].ename == "KeyboardInterrupt"
    assert pressed[-1].traceback[0].startswith("KeyboardInterrupt: the run was stopped")
    assert left[0].data["text/plain"] == f"(True, True, '{SMALL}')"


def test_a_run_that_fails_ends_the_notebook(box: Sandbox) -> None:
    """With its sentence, and not the way through our code."""
    cells = "%load_ext lifecycle_widgets", f"%%agent --server {box.url} --model nope\nHi"
    with pytest.raises(CellExecutionError, match="UnknownModel: The model 'nope'") as failed:
        executed(*cells)
    assert "Traceback" not in str(failed.value)
