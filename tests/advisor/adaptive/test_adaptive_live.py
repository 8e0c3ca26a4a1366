"""AdaptiveKeepAlive on a real Ollama: it sends what it said, learns, remembers, and lets go."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from griptape.events import EventBus

from lifecycle_widgets import History, KeepAlive, run_agent
from lifecycle_widgets.advisor.adaptive.adaptive import AdaptiveKeepAlive
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

MODEL = "smollm2:135m"
T_STAR_S = 0.3
PAUSE_S = 0.9  # three times T*: it had better been let go at once


def asked(server: Server, adaptive: AdaptiveKeepAlive) -> KeepAlive:
    """What a run with it has really sent, as the run has it, and its step, and the server's own."""
    run = run_agent(
        "Hi", model=MODEL, keep_alive=adaptive, server=server, options={"num_predict": 2}
    )
    assert type(run.keep_alive) is KeepAlive
    assert run.keep_alive == run.steps[0].keep_alive
    assert run.keep_alives == {MODEL: str(run.keep_alive)}
    assert server.own_requests.all()[-1].keep_alive_s == run.keep_alive.seconds
    return run.keep_alive


def asked_by_griptape_alone(server: Server, adaptive: AdaptiveKeepAlive) -> None:
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.structures import Agent

    own = {"keep_alive": adaptive}
    options = {"temperature": 0.1, "num_predict": 2}
    driver = OllamaPromptDriver(
        model=MODEL, host=server.url, options=options, extra_params=own, max_attempts=1
    )
    assert Agent(prompt_driver=driver).run("Hi").output.to_text()


def test_it_sends_what_it_said_learns_and_remembers(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = History(tmp_path / "history.sqlite")
    adaptive = AdaptiveKeepAlive(T_STAR_S, server=server, history=history)
    with history.keep(server):
        promised = adaptive.would_send(MODEL)
        assert asked(server, adaptive) == promised
        before = adaptive.gaps  # what else this process has asked here has taught it, too
        time.sleep(PAUSE_S)
        promised = adaptive.would_send(MODEL)
        assert asked(server, adaptive) == promised
        assert adaptive.gaps == before + 1
        said = f"{before + 2} gaps of its own"
        assert said in adaptive.why(MODEL), "with the one that would end now"
        time.sleep(PAUSE_S)
        asked_by_griptape_alone(server, adaptive.for_model(MODEL))
        assert gone(server)  # it would have stayed for five minutes
        assert adaptive.gaps == before + 2
        (plain,) = adaptive._models.of(MODEL, server).plain
        assert plain.ended_s is not None
        assert plain.ended_s - plain.began_s > 0.2  # it has loaded the model
        assert not EventBus.event_listeners
    # in another process; here: by another address, at which this one has asked nothing
    there = server.url.replace("127.0.0.1", "localhost")
    monkeypatch.setenv(SANDBOX_URL_VARIABLE, there)
    another = AdaptiveKeepAlive(T_STAR_S, server=there, history=history)
    assert another.would_send(MODEL).seconds <= 2 * T_STAR_S  # type: ignore[operator]
    assert another.for_model(MODEL).gaps >= 1  # the second may have been too short to be seen

    asked(server, AdaptiveKeepAlive(3600, history=history))
    assert another.let_go() == ()  # it has asked for nothing
    assert adaptive.let_go() == (MODEL,)
    assert gone(server)


def gone(server: Server) -> bool:
    """Whether the model leaves within some seconds."""
    until_s = time.monotonic() + 5
    while server.residents() and time.monotonic() < until_s:
        time.sleep(0.05)
    return not server.residents()
