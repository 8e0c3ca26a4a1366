"""TuningLab: all parts together, on real Ollamas."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from traitlets import TraitError
from widget_parts import button, parts, shown, until

from lifecycle_widgets import KeepAlive, Monitor, Sandbox, Server, TuningLab, UnknownModel
from lifecycle_widgets.advisor.adaptive.adaptive import AdaptiveKeepAlive
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE
from lifecycle_widgets.widgets.base import Message
from lifecycle_widgets.widgets.server_switch import ServerSwitch
from tests.somebody import preloads

ONE, OTHER = "smollm2:135m", "smollm2:135m-f16"
SHORT = {"num_predict": 12, "seed": 1}


def ours() -> list[str]:
    return sorted(t.name for t in threading.enumerate() if t.name.startswith("lifecycle-"))


@pytest.fixture
def second() -> Iterator[Sandbox]:
    """Another real Ollama, with one model only."""
    with Sandbox(models=(OTHER,)) as started:
        yield started


@pytest.fixture
def lab(server: Server, shut: Any) -> TuningLab:
    made = shut(TuningLab(server, model=ONE, keep_alive="30s"))
    made.panel.options = SHORT
    return made


def test_the_parts_agree(lab: TuningLab, server: Server) -> None:
    assert lab.server is lab.panel.server is lab.model_picker.server is lab.switch.server is server
    assert lab.monitor is lab.chart.monitor
    assert lab.model == lab.model_picker.model == lab.panel.model == ONE
    assert lab.keep_alive == lab.keep_alive_picker.value == lab.panel.keep_alive == KeepAlive(30)
    lab.model, lab.keep_alive = OTHER, 0
    assert lab.model_picker.model == lab.panel.model == OTHER
    assert lab.keep_alive_picker.value == lab.panel.keep_alive == KeepAlive(0)
    lab.model_picker.model = ONE
    lab.keep_alive_picker.text = "90s"
    assert lab.model == lab.panel.model == ONE
    assert lab.keep_alive == lab.panel.keep_alive == KeepAlive("90s")
    lab.keep_alive_picker.text = "1d"
    assert lab.keep_alive == KeepAlive("90s")
    with pytest.raises(ValueError, match="24h"):
        lab.panel.start()
    lab.keep_alive = adaptive = AdaptiveKeepAlive(120, history=Workload((), "nothing"))
    assert lab.keep_alive_picker.value is lab.panel.keep_alive is adaptive


def test_a_wrong_model_or_keep_alive_leaves_things_as_they_were(lab: TuningLab) -> None:
    with pytest.raises(UnknownModel, match="Did you mean"):
        lab.model = "smollm2:135"
    assert lab.model == lab.model_picker.model == lab.panel.model == ONE
    with pytest.raises(ValueError, match="no unit"):
        lab.keep_alive = "5"
    with pytest.raises(TraitError, match="needs a server"):
        lab.server = None
    assert lab.keep_alive == KeepAlive(30)


def test_a_lab_that_cannot_be_made_leaves_nothing(server: Server) -> None:
    before = ours()
    with pytest.raises(UnknownModel):
        TuningLab(server, model="smollm2:135")
    with pytest.raises(ValueError, match="no unit"):
        TuningLab(server, keep_alive="5")
    with pytest.raises(TypeError, match="Did you mean 'keep_alive'"):
        TuningLab(server, keepalive=0)
    until(lambda: ours() == before)


@pytest.mark.slow
def test_run_returns_a_run_and_the_chart_sees_it(lab: TuningLab, server: Server) -> None:
    run = lab.run("Say hello.", model=OTHER, keep_alive=3)
    assert run.model == lab.model == OTHER
    assert run.keep_alive == lab.keep_alive == KeepAlive(3)
    assert run.answer == lab.panel.answer
    assert lab.panel.prompt == "Say hello."
    until(lambda: f"{OTHER} (runner" in lab.chart.status)
    until(lambda: [r.why for r in lab.monitor.residencies()] == ["expired"])
    until(lambda: "expired" in str(lab.chart.figure.layout.annotations))
    again = lab.run("Say hello.")
    assert (again.model, again.keep_alive) == (OTHER, KeepAlive(3))
    assert lab.run("Say hello.", keep_alive=None).keep_alive.is_default


def test_unload_now(lab: TuningLab, server: Server) -> None:
    unload = button(lab, "Unload now")
    until(lambda: lab.monitor.samples)
    assert unload.disabled
    server.preload(ONE, keep_alive="forever")
    until(lambda: not unload.disabled)
    assert unload.tooltip == f"Unload {ONE} from memory"
    unload.click()
    until(lambda: server.resident(ONE) is None)
    until(lambda: [r.why for r in lab.monitor.residencies()] == ["requested"])
    until(lambda: unload.disabled)
    assert lab.error == ""


def test_unload_now_asks_where_somebody_else_has_used_it_last(
    lab: TuningLab, server: Server
) -> None:
    unload, question = button(lab, "Unload now"), lab._question
    preloads(server.url, ONE, -1)
    until(lambda: not unload.disabled)
    unload.click()
    until(lambda: question.is_open)
    assert f"{ONE} is in memory, forever, and somebody else has used it last" in shown(question)
    question.no.click()
    assert not question.is_open
    assert server.resident(ONE) is not None
    unload.click()
    until(lambda: question.is_open)
    question.yes.click()
    until(lambda: server.resident(ONE) is None)
    preloads(server.url, ONE, "10m")
    until(lambda: not unload.disabled)
    unload.click()
    until(lambda: question.is_open)
    lab.unload()  # a call is an answer
    until(lambda: not question.is_open)


def test_the_picker_follows_the_monitor(lab: TuningLab, server: Server) -> None:
    server.preload(OTHER, keep_alive="forever")
    until(lambda: any("in memory, forever" in str(o) for o in choices(lab)))
    server.unload(OTHER)
    until(lambda: not any("forever" in str(o) for o in choices(lab)))


def choices(lab: TuningLab) -> tuple[Any, ...]:
    return tuple(lab.model_picker._choice.options)


@pytest.mark.slow
def test_another_server(lab: TuningLab, server: Server, second: Sandbox) -> None:
    first_monitor = lab.monitor
    lab.server = Server(second.url)
    assert lab.panel.server is lab.model_picker.server is lab.switch.server is lab.server
    assert lab.chart.monitor is lab.monitor is not first_monitor
    assert not first_monitor.is_running
    assert lab.model == lab.panel.model == OTHER  # all that this one has
    assert lab.run("Say hello.", keep_alive=5).server_url == second.url
    until(lambda: OTHER in lab.chart.status)
    assert server.residents() == ()
    lab.server = server
    assert lab.run("Say hello.", model=ONE).server_url == server.url


@pytest.mark.slow
def test_a_lost_server_is_one_message_and_its_return_ends_it(second: Sandbox, shut: Any) -> None:
    lab = shut(TuningLab(second.url, model=OTHER))
    lab.panel.options = SHORT
    until(lambda: lab.monitor.samples)
    port = lab.server.url.rsplit(":", 1)[1]
    second.stop()
    until(lambda: lab.error)
    assert "goes on by itself when it answers again" in lab.error
    said = [m for m in parts(lab, Message) if m.value]
    assert len(said) == 1
    assert "the server does not answer" in lab.chart.status
    until(lambda: "private sandbox" in lab.switch._choice.options[1:])  # a new one can be chosen
    with Sandbox(models=(OTHER,), port=int(port)):
        until(lambda: not lab.error)
        assert not [m for m in parts(lab, Message) if m.value]
        assert lab.run("Say hello.", keep_alive=0).answer
        until(lambda: "CPU" in lab.chart.status and "does not answer" not in lab.chart.status)


@pytest.mark.slow
def test_switching_between_ones_own_and_the_sandbox(
    server: Server, second: Sandbox, shut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", second.url)  # plays the person's own
    monkeypatch.setenv(SANDBOX_URL_VARIABLE, server.url)
    lab = shut(TuningLab())  # as Server.find() does
    assert lab.server.url == second.url
    until(lambda: lab.switch.own is not None)
    assert lab.switch._choice.options == ("your own Ollama", "private sandbox")
    assert lab.switch._choice.value == "your own Ollama"
    until(lambda: f"Ollama {lab.server.version} at {second.url}" in shown(lab.switch))
    lab.switch._choice.value = "private sandbox"
    until(lambda: lab.server.url == server.url and not lab.switch.busy)
    assert lab.panel.server.url == lab.monitor.server.url == server.url
    assert ONE in [m.name for m in lab.model_picker.models]
    lab.switch.use_own()
    until(lambda: lab.server.url == second.url and not lab.switch.busy)
    assert lab.switch._choice.value == "your own Ollama"
    assert lab.switch.error == ""


@pytest.mark.filterwarnings("ignore:OLLAMA_HOST is:UserWarning")
def test_an_own_server_that_is_gone_is_told(
    server: Server, shut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", server.url)
    switch = shut(ServerSwitch(server))
    until(lambda: f"at {server.url}" in shown(switch))
    assert "private sandbox: Ollama" in shown(switch)  # nothing to choose from: words only
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:1")
    if Server("localhost").answers():
        pytest.skip("an Ollama runs on localhost:11434")
    switch.use_own()
    until(lambda: switch.error)
    assert "Start it ('ollama serve')" in switch.error
    assert "Start it" in shown(switch)
    assert switch.server is server
    switch.locked = True
    switch.use_sandbox()
    assert not switch.busy


def test_a_needed_model_that_is_missing_is_offered(second: Sandbox, shut: Any) -> None:
    lab = shut(TuningLab(second.url, model=ONE, needs=[ONE]))
    assert lab.model == ""  # nothing else is run in its place
    assert button(lab, "Pull")
    with pytest.raises(ValueError, match="model"):
        lab.panel.start()


@pytest.mark.slow
def test_close_leaves_no_thread(server: Server) -> None:
    before = ours()
    lab = TuningLab(server, model=ONE)
    lab.panel.options = {"num_predict": 4000}
    lab.panel.prompt = "Write a very long story."
    lab.panel.start()
    until(lambda: lab.panel.answer)
    until(lambda: lab.monitor.samples)
    lab.close()
    assert not lab.panel.running
    until(lambda: ours() == before, timeout_s=3)
    lab.close()  # harmless


def test_a_run_survives_what_the_chart_does(lab: TuningLab) -> None:
    """Headless: the main thread waits while all the others work."""
    run = lab.run("Say hello.", keep_alive=0, timeout_s=60)
    assert run.error is None
    assert isinstance(lab.monitor, Monitor)
    assert repr(lab).startswith("TuningLab('http://127.0.0.1:")
