"""ExperimentPanel: Run, Stop, consent, faults, and that closing leaves nothing behind."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from widget_parts import until

from lifecycle_widgets.experiments import ColdAndWarm, ExperimentFailed, InTurn, NeedsConsent
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server, UnknownModel
from lifecycle_widgets.waiting import Interrupted
from lifecycle_widgets.widgets import ExperimentPanel
from tests.somebody import preloads, somebodys

MODEL, OTHER = "smollm2:135m", "smollm2:135m-f16"
Shut = Callable[[Any], Any]


def made(server: Server, rounds: int = 1, model: str = MODEL) -> ExperimentPanel:
    return ExperimentPanel(ColdAndWarm(model, rounds=rounds, server=server))


def test_pressing_run_is_enough(server: Server, shut: Shut) -> None:
    panel = shut(made(server))
    until(lambda: "Ask smollm2:135m" in panel._plan.value)
    assert panel.result is None
    assert server.residents() == (), "showing it starts nothing"
    panel._run_button.click()
    result = panel.wait(60)
    assert result.is_complete
    assert panel.result is result
    assert (panel.running, panel.error) == (False, "")
    assert "done after" in panel._status.value
    verdict, figure, table = panel._view.children
    assert result.verdict[:30] in verdict.value
    assert figure.children[0].data
    assert "load_s" in table.value
    assert server.residents() == ()


def test_run_takes_what_was_measured_by_hand(server: Server, shut: Shut) -> None:
    panel = shut(made(server))
    panel._run_button.click()
    result = panel.run()  # that of the run that goes on
    assert result.is_complete
    assert panel.run() is result
    panel.experiment.rounds = 2
    assert not panel.experiment.is_of(result), "with other settings it is measured anew"


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
def test_run_measures_where_there_is_no_result_of_these_settings(
    server: Server, shut: Shut
) -> None:
    panel = shut(made(server))
    panel.start()
    until(lambda: panel._step.done >= 1)
    panel.stop()
    assert not panel.wait(20).is_complete
    result = panel.run()
    assert result.is_complete, "what was stopped is no result"
    panel.experiment.rounds = 2
    again = panel.run()
    assert panel.result is again is not result
    assert again.facts["rounds"] == 2


def test_an_interrupt_says_what_was_stopped_and_where_the_rest_is(
    server: Server, shut: Shut
) -> None:
    panel = shut(made(server, rounds=50))
    panel.start()
    until(lambda: panel._step.done >= 1)
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(Interrupted) as caught:
        panel.run()
    [line] = caught.value._render_traceback_()
    assert line == (
        "KeyboardInterrupt: the experiment was stopped. What it has measured is in the panel's "
        ".result."
    )
    assert panel.result is not None
    assert len(panel.result.frame) >= 1
    assert server.residents() == ()


def test_stop_keeps_what_is_measured(server: Server, shut: Shut) -> None:
    panel = shut(made(server, rounds=50))
    panel.start()
    until(lambda: panel._step.done >= 2)
    with pytest.raises(RuntimeError, match="is running"):
        panel.start()
    with pytest.raises(RuntimeError, match="An experiment is running here"):
        panel.experiment = ColdAndWarm(MODEL, server=server)
    panel._stop_button.click()
    result = panel.wait(20)
    assert not result.is_complete
    assert 2 <= len(result.frame) < 150
    assert "stopped after" in panel._status.value
    assert server.residents() == ()


def test_it_asks_before_it_unloads(shut: Shut) -> None:
    with somebodys(models=[MODEL]) as own:
        server = Server(own.url)
        preloads(server.url, MODEL, "10m")
        panel = shut(made(server))
        panel._run_button.click()
        with pytest.raises(NeedsConsent):
            panel.wait(20)
        assert "they may be using" in panel._question.value
        assert panel._consent.layout.display is None
        assert server.resident(MODEL) is not None
        panel._consent.click()
        assert panel.wait(60).is_complete
        assert panel._question.value == ""
        panel.close()


def asked(panel: ExperimentPanel) -> None:
    """Press Run; it asks."""
    panel._run_button.click()
    with pytest.raises(NeedsConsent):
        panel.wait(20)
    assert panel._consent.layout.display is None


def test_the_button_allows_what_it_names_and_no_more(shut: Shut) -> None:
    with somebodys(models=[MODEL, OTHER]) as own:
        server = Server(own.url)
        preloads(server.url, MODEL, "10m")
        turns = InTurn([MODEL, OTHER], keep_alives=("1m",), rounds=1, pause_s=0.1, server=server)
        panel = shut(ExperimentPanel(turns))
        asked(panel)
        assert panel._consent.description == f"Unload {MODEL} and run"
        preloads(server.url, OTHER, "10m")  # meanwhile
        panel._consent.click()
        with pytest.raises(NeedsConsent):
            panel.wait(20)
        assert {r.name for r in server.residents()} == {MODEL, OTHER}
        assert panel._consent.description == f"Unload {MODEL}, {OTHER} and run"
        assert OTHER in panel._question.value
        panel._consent.click()
        assert panel.wait(60).is_complete
        panel.close()


def test_an_alias_is_asked_about_by_both_names(shut: Shut) -> None:
    with somebodys(models=[MODEL]) as own:
        server = Server(own.url)
        server.client.copy(MODEL, "mine")
        preloads(server.url, MODEL, "10m")
        panel = shut(made(server, model="mine"))
        asked(panel)
        assert f"mine (in memory as {MODEL})" in panel._question.value
        assert server.url in panel._question.value
        panel.close()


def test_consent_for_one_server_is_none_for_another(shut: Shut) -> None:
    with somebodys(models=[MODEL]) as one, somebodys(models=[MODEL]) as other:
        servers = Server(one.url), Server(other.url)
        for server in servers:
            preloads(server.url, MODEL, "10m")
        panel = shut(made(servers[0]))
        asked(panel)
        panel.experiment.server = servers[1]  # switched, the button still there
        panel._consent.click()
        with pytest.raises(NeedsConsent):
            panel.wait(20)
        assert all(server.resident(MODEL) for server in servers)
        assert servers[1].url in panel._question.value
        panel.experiment = ColdAndWarm(MODEL, rounds=1, server=servers[0])
        assert panel._question.value == ""
        panel._consent.click()  # it is not to be seen any more
        with pytest.raises(NeedsConsent):
            panel.wait(20)
        assert all(server.resident(MODEL) for server in servers)
        panel.close()


def test_a_fault_is_one_message_and_what_was_measured_is_shown(shut: Shut) -> None:
    with Sandbox(models=[MODEL]) as own:
        panel = shut(made(Server(own.url), rounds=50))
        panel.start()
        until(lambda: panel._step.done >= 2)
        os.kill(own.pid, signal.SIGKILL)
        with pytest.raises(ExperimentFailed, match="measurements are kept"):
            panel.wait(60)
        assert "measurements are kept" in panel.error
        assert panel.error[:20] in panel._message.value
        assert panel.result is not None
        assert len(panel.result.frame) >= 2
        assert panel._view.children


def test_a_model_that_is_not_installed(server: Server, shut: Shut) -> None:
    panel = shut(made(server, model="smollm2:135"))
    until(lambda: "Did you mean" in panel.error)
    panel._run_button.click()
    with pytest.raises(UnknownModel):
        panel.wait(20)
    assert "Did you mean" in panel._message.value


def test_closing_ends_it_and_leaves_no_thread(server: Server) -> None:
    before = set(threading.enumerate())
    panel = made(server, rounds=50)
    panel.start()
    until(lambda: panel._step.done >= 1)
    panel.close()
    assert server.residents() == ()
    until(lambda: not {t for t in set(threading.enumerate()) - before if t.name != "Thread-auto"})
    with pytest.raises(RuntimeError, match="closed"):
        panel.start()


def test_only_an_experiment() -> None:
    with pytest.raises(TypeError, match="Give an experiment"):
        ExperimentPanel("in turn")  # type: ignore[arg-type]


def test_waiting_for_nothing(server: Server, shut: Shut) -> None:
    with pytest.raises(RuntimeError, match="Nothing was started"):
        shut(made(server)).wait()
