"""A panel and a lab that are closed: they refuse prompts, and what was shown is freed."""

from __future__ import annotations

import gc
import threading
import weakref
from typing import Any

import ipywidgets
import nbformat
import pytest
from nbclient import NotebookClient
from widget_parts import until

from lifecycle_widgets import AgentPanel, KeepAlivePicker, Server, TuningLab
from lifecycle_widgets.widgets.base import _SharedStyle

ONE = "smollm2:135m"
SHORT = {"num_predict": 3}
CELLS = (
    "import gc, weakref\nimport lifecycle_widgets as lw\nserver = lw.Server.find()",
    f"panel = lw.AgentPanel(server, model={ONE!r}, options={SHORT})\npanel",
    "panel.start().wait()\nrun = weakref.ref(panel.run)\nshown = weakref.ref(panel)\npanel",
    f"lab = lw.TuningLab(server, model={ONE!r})\nchart = weakref.ref(lab.chart)\nlab",
    "panel.close()\nlab.close()\ndel panel, lab",
    "import time\nuntil = time.monotonic() + 5  # a thread of its own may send its last state yet\n"
    "while any(it() is not None for it in (run, shown, chart)) and time.monotonic() < until:\n"
    "    gc.collect(), time.sleep(0.1)\n"
    "print([it() for it in (run, shown, chart)])",
)


def are_freed(refs: list[weakref.ref[Any]]) -> None:
    """All of them are gone, as soon as the last thread has ended."""

    def left() -> list[Any]:
        gc.collect()
        return [it() for it in refs if it() is not None]

    until(lambda: not left(), 5)


def test_a_panel_is_closed_at_the_end_of_with(server: Server) -> None:
    with AgentPanel(server, model=ONE, options=SHORT) as panel:
        assert panel.start().wait(60).answer
        panel.start()
    assert not panel.running
    assert panel.comm is None
    with pytest.raises(RuntimeError, match=r"This panel is closed\. Make a new one"):
        panel.start()
    assert panel.run is not None, "what it has measured can still be read"
    panel.close()  # harmless


def test_a_lab_is_closed_at_the_end_of_with(server: Server) -> None:
    with TuningLab(server, model=ONE) as lab:
        lab.panel.options = SHORT
        assert lab.run("Hi").answer
    assert not lab.monitor.is_running
    with pytest.raises(RuntimeError, match=r"This lab is closed\. Make a new one"):
        lab.run("Hi")
    with pytest.raises(RuntimeError, match="closed"):
        lab.panel.start()


def test_what_fails_inside_closes_it_too() -> None:
    with pytest.raises(ZeroDivisionError), KeepAlivePicker("5m") as picker:
        1 / 0  # noqa: B018
    assert picker.comm is None


def test_what_was_shown_is_freed(server: Server) -> None:
    def made() -> list[weakref.ref[Any]]:
        with AgentPanel(server, model=ONE, options=SHORT) as panel:
            panel.start().wait(60)
            panel.start().wait(60)
            talk = panel._parts.talk
            seen = (panel, panel.run, panel.runs[0], talk.stream, talk.turns[0], panel._begun)
            return list(map(weakref.ref, seen))

    are_freed(made())


def test_what_a_lab_has_shown_is_freed(server: Server) -> None:
    def made() -> list[weakref.ref[Any]]:
        with TuningLab(server, model=ONE) as lab:
            lab.panel.options = SHORT
            lab.run("Hi")
            parts = (lab, lab.panel, lab.chart, lab.model_picker, lab.switch, lab.panel.run)
            return list(map(weakref.ref, parts))

    are_freed(made())


@pytest.mark.slow
def test_a_kernel_frees_it_too(server: Server) -> None:
    """IPython's history of outputs holds what a cell ends with."""
    cells = [nbformat.v4.new_code_cell(code) for code in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=60, kernel_name="python3").execute()
    assert notebook.cells[-1].outputs[0].text == "[None, None, None]\n"


def test_a_widget_may_be_collected_while_the_style_is_made() -> None:
    """Python collects at any time, in any thread; what it collects gives the style back then."""
    shared, user, taken = _SharedStyle(), object(), threading.Event()

    def take() -> None:
        ipywidgets.Widget.on_widget_constructed(lambda _: shared.give_back(object()))
        try:
            shared.take(user)
        finally:
            ipywidgets.Widget.on_widget_constructed(None)
        taken.set()

    threading.Thread(target=take, daemon=True).start()
    assert taken.wait(20), "it waits for a lock that its own thread has"
    shared.give_back(user)
