"""What VS Code and Colab do in another way than JupyterLab, on the kernel's side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ipywidgets.embed import embed_data
from jupyter_client.manager import start_new_kernel

from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets import (
    AdvicePanel,
    BreakEven,
    CodeBlock,
    DoctorPanel,
    HistoryView,
    RunTable,
    TuningLab,
)
from tests.widgets.test_cells import SETUP, Kernel

# of each they have a copy; any other they would look for on a network
THEIRS = {"@jupyter-widgets/base", "@jupyter-widgets/controls", "anywidget"}
VS_CODE = "vscode-notebook-cell:/home/me/lesson.ipynb#W0sZmlsZQ%3D%3D"


def test_no_widget_needs_javascript_that_the_front_end_would_have_to_find(
    server: Server, shut: Callable[[Any], Any]
) -> None:
    """And what is of ours comes with the widget's state."""
    whole = [TuningLab(server=server), BreakEven(), RunTable(), AdvicePanel(server=server)]
    whole += [DoctorPanel(server), HistoryView(server=server), CodeBlock("smollm2:135m")]
    views = [shut(widget) for widget in whole]
    models = embed_data(views=views, drop_defaults=False)["manager_state"]["state"].values()
    assert {model["model_module"] for model in models} == THEIRS
    states = [m["state"] for m in models if m["model_module"] == "anywidget"]
    assert all(re.search(r"export (default|\{)", state["_esm"]) for state in states)
    assert not any("@import" in state.get("_css", "") for state in states)


class VsCode(Kernel):
    """Runs cells as VS Code does: with an address as the cell's id, and no word of deleted ones."""

    def run(self, code: str, cell: str | None = None) -> str:
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": True}
        return self._run(content, {} if cell is None else {"cellId": cell})

    def comms(self) -> list[str]:
        """The widgets that the kernel has, as a page asks that comes later."""
        reply = self._client.comm_info("jupyter.widget", reply=True, timeout=30)
        return list(reply["content"]["comms"])


@pytest.fixture(scope="module")
def kernel(sandbox: object) -> Iterator[VsCode]:
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        started = VsCode(client)
        assert not started.run(SETUP, "setup")
        yield started
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.mark.slow
def test_a_cell_of_vs_code_closes_what_it_made_before(kernel: VsCode) -> None:
    made = "lw.KeepAlivePicker()"
    assert not kernel.run(made, VS_CODE)
    once = set(kernel.comms())
    for _ in range(3):
        assert not kernel.run(made, VS_CODE)
    again = set(kernel.comms())
    assert len(again) == len(once)
    assert not kernel.run(made, VS_CODE.replace("W0", "W1"))
    assert again < set(kernel.comms()), "another cell closes nothing of this one's"


@pytest.mark.slow
def test_a_page_that_comes_later_is_told_of_the_widgets(kernel: VsCode) -> None:
    """They are built anew from the kernel's word when a cell comes into view again."""
    said = kernel.run("code = lw.CodeBlock('smollm2:135m', 300)\nprint(code.model_id)")
    assert said.strip() in kernel.comms()
