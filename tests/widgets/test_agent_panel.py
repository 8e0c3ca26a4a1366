"""AgentPanel runs, streams, stops and measures, on a real Ollama."""

from __future__ import annotations

import os
import signal
import threading
import time

import ipywidgets as widgets
import pytest
from widget_parts import button, parts, shown, until

from lifecycle_widgets import (
    KeepAlive,
    Run,
    Server,
    ServerError,
    ServerUnreachable,
    Timings,
    UnknownModel,
)
from lifecycle_widgets.widgets import AgentPanel, KeepAlivePicker, ModelPicker, TextStream
from lifecycle_widgets.widgets.run_status import RunStatus
from lifecycle_widgets.widgets.split import split_html

ONE = "smollm2:135m"
STORY = "Write a long story about a lighthouse."  # seen to go on for 1500 tokens and more
LONG = {"num_predict": 4000, "temperature": 0}


@pytest.fixture
def panel(server: Server, shut) -> AgentPanel:
    return shut(
        AgentPanel(server, model=ONE, prompt="Say hello.", options={"num_predict": 16, "seed": 1})
    )


def stream(panel: AgentPanel) -> TextStream:
    return parts(panel, TextStream)[0]


def test_a_run_streams_and_is_measured(panel: AgentPanel) -> None:
    seen, answers = [], []
    panel.observe(lambda change: seen.append(change["new"]), "running")
    panel.observe(lambda change: answers.append(change["new"]), "answer")
    assert stream(panel).hint.startswith("Press Run")
    run = panel.start().wait()
    assert isinstance(run, Run)
    assert seen == [True, False]
    assert panel.answer == run.answer == answers[-1] == stream(panel)._saved != ""
    assert len(answers) > 3, "it did not stream"
    assert panel.run is run
    assert panel.runs == (run,)
    assert panel.error == ""
    assert run.was_resident is False
    for piece in ("load", "prompt eval", "eval", "TTFT", "tokens/s", "cold", "done after"):
        assert piece in shown(panel)
    assert panel.start().wait().was_resident is True
    assert len(panel.runs) == 2
    assert "warm" in shown(panel)


def test_the_chosen_keep_alive_counts(panel: AgentPanel, server: Server) -> None:
    panel.keep_alive = "10m"
    panel.start().wait()
    assert 500 < server.resident(ONE).expires_in_s() <= 600
    panel.keep_alive = 0
    assert panel.start().wait().keep_alive == KeepAlive(0)
    until(lambda: server.resident(ONE) is None, 10)


def test_buttons(panel: AgentPanel) -> None:
    run, stop = button(panel, "Run"), button(panel, "Stop")
    assert (run.disabled, stop.disabled) == (False, True)
    panel.prompt, panel.options = STORY, LONG
    run.click()
    assert (panel.running, run.disabled, stop.disabled) == (True, True, False)
    until(lambda: panel.answer)
    stop.click()
    assert panel.wait(30).stopped
    assert (panel.running, run.disabled, stop.disabled) == (False, False, True)
    assert "stopped after" in shown(panel)
    assert "this one did not reach it" in shown(panel)


def test_stop_during_a_cold_load_and_the_next_run_works(panel: AgentPanel) -> None:
    panel.start().stop()
    assert panel.wait(30).stopped
    panel.stop()  # nothing to stop: harmless
    assert panel.start().wait().answer


def test_the_status_line_says_what_it_waits_for(panel: AgentPanel) -> None:
    [status] = parts(panel, RunStatus)
    seen = []
    assert f"{ONE}, keep_alive server default" in status.value
    status.observe(lambda change: seen.append(change["new"]), "value")
    panel.start().wait()
    assert any("loading model…" in s for s in seen)
    assert "done after" in seen[-1]
    time.sleep(0.5)
    assert "done after" in status.value, "the ticking went on"


def test_only_one_run_at_a_time(panel: AgentPanel) -> None:
    panel.prompt, panel.options = STORY, LONG
    panel.start()
    with pytest.raises(RuntimeError, match="A run is going on"):
        panel.start()
    assert panel.error.startswith("A run is going on")
    panel.stop()
    assert panel.wait(30).stopped
    assert panel.error == ""


def test_template_marks_go_through_verbatim(panel: AgentPanel) -> None:
    panel.prompt = "What is {{ 1 + 1 }} {% raw %} {{ undefined.name }}?"
    assert panel.start().wait().prompt == panel.prompt
    assert panel.answer


def test_bad_input_is_one_message_and_the_next_run_works(panel: AgentPanel) -> None:
    panel.prompt = "  "
    with pytest.raises(ValueError, match="The prompt is empty"):
        panel.start()
    assert "The prompt is empty" in shown(panel)
    panel.prompt, panel.blocked = "Hi", "keep_alive '1d' is wrong"
    button(panel, "Run").click()  # no exception reaches the page
    assert "keep_alive &#x27;1d&#x27; is wrong" in shown(panel)
    panel.blocked, panel.model = "", ""
    with pytest.raises(ValueError, match="No model is chosen"):
        panel.start()
    with pytest.raises(ValueError, match="Did you mean '24h'"):
        panel.keep_alive = "1d"
    panel.model = ONE
    assert panel.start().wait().answer
    assert panel.error == ""
    assert "alert" not in shown(panel)


def test_an_unknown_model_and_the_next_run_works(panel: AgentPanel) -> None:
    panel.model = "smolm2:135m"
    with pytest.raises(UnknownModel, match="Did you mean smollm2:135m"):
        panel.start().wait()
    assert "is not installed" in panel.error
    assert "failed after" in shown(panel)
    panel.model = "<img src=x onerror=alert(1)>"
    with pytest.raises(ServerError):
        panel.start().wait()
    assert panel.run.model == panel.model
    assert "<img" not in shown(panel)
    panel.model = ONE
    assert panel.start().wait().error is None


def test_no_server_and_the_next_run_works(panel: AgentPanel, server: Server) -> None:
    panel.server = "localhost:1"
    with pytest.raises(ServerUnreachable):
        panel.start().wait()
    assert panel.error.startswith("No Ollama answers at http://localhost:1")
    assert panel.runs[-1].error == panel.error
    panel.server = server
    assert panel.start().wait().answer


def test_waiting(panel: AgentPanel) -> None:
    with pytest.raises(RuntimeError, match=r"Nothing was started. Call start\(\) first"):
        panel.wait()
    panel.prompt, panel.options = STORY, LONG
    panel.start()
    with pytest.raises(TimeoutError, match="it goes on"):
        panel.wait(0.01)
    assert panel.running
    panel.stop()
    panel.wait(30)


def test_an_interrupt_of_the_kernel_stops_the_run(panel: AgentPanel) -> None:
    panel.prompt, panel.options = STORY, LONG
    panel.start()
    until(lambda: panel.answer)
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
    with pytest.raises(KeyboardInterrupt):
        panel.wait(60)
    assert panel.wait(30).stopped


def test_an_observer_that_fails_holds_up_nobody(
    panel: AgentPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    panel.observe(lambda _: 1 / 0, "run")
    panel.start().wait(60)
    panel.unobserve_all("run")
    until(lambda: not panel.running, 10)
    assert panel.start().wait(60).answer


def test_closing_stops_the_run_and_leaves_no_thread(server: Server) -> None:
    panel = AgentPanel(server, model=ONE, prompt=STORY, options=LONG)
    panel.start()
    until(lambda: panel.answer)
    panel.close()
    assert panel.run is not None
    assert panel.run.stopped
    ours = {"lifecycle-agent-run", "lifecycle-status", "lifecycle-text-stream"}
    until(lambda: not ours & {t.name for t in threading.enumerate()}, 10)


def test_linked_with_the_pickers(server: Server, shut) -> None:
    models, keep = shut(ModelPicker(server, model=ONE)), shut(KeepAlivePicker())
    panel = shut(AgentPanel(server, prompt="Hi", options={"num_predict": 2}))
    widgets.link((models, "model"), (panel, "model"))
    widgets.link((keep, "value"), (panel, "keep_alive"))
    widgets.dlink((keep, "error"), (panel, "blocked"))
    keep.text = "30s"
    assert (panel.model, panel.keep_alive) == (ONE, KeepAlive(30))
    keep.text = "1d"
    with pytest.raises(ValueError, match="Did you mean '24h'"):
        panel.start()
    keep.value = 0
    assert panel.start().wait().keep_alive == KeepAlive(0)


def test_the_prompt_is_a_trait(panel: AgentPanel) -> None:
    field = parts(panel, widgets.Textarea)[0]
    field.value = "typed"
    assert panel.prompt == "typed"
    panel.prompt = "from code"
    assert field.value == "from code"


def test_bad_arguments(server: Server) -> None:
    with pytest.raises(TypeError, match=r"AgentPanel has no keyword 'promt'\. Did you mean 'prom"):
        AgentPanel(server, promt="x")
    with pytest.raises(ValueError, match="Did you mean '24h'"):
        AgentPanel(server, keep_alive="1d")
    assert repr(AgentPanel(server, model=ONE)) == (
        f"AgentPanel(model='{ONE}', keep_alive='server default', 0 runs)"
    )


def test_the_split_escapes_and_leaves_out_what_is_not_known(server: Server, panel) -> None:
    run = panel.start().wait()
    hostile = Run("<b>", run.keep_alive, "", "", run.started_at, Timings(total_s=1.0))
    assert "<b>" not in split_html(hostile)
    assert "not known" not in split_html(hostile)
    assert split_html(run).count("lw-swatch") == 4, "load, prompt eval, eval, and the rest"
