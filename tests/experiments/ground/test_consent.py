"""Nobody's model is touched unasked: by its weights, whatever it is called, whenever it came."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from lifecycle_widgets.experiments import (
    ColdAndWarm,
    Downstream,
    Experiment,
    ExperimentFailed,
    InARow,
    InTurn,
    NeedsConsent,
    Step,
)
from lifecycle_widgets.experiments.ground.consent import Consent
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, NotTold, Server
from tests.recorded import RecordedServer, model, ollama, tags
from tests.somebody import preloads, somebodys

SMALL, MIDDLE, ALIAS = "smollm2:135m", "smollm2:135m-f16", "mine"
QUICK = [sys.executable, "-c", "pass"]
KINDS: dict[str, Callable[..., Experiment[Any]]] = {
    "cold and warm": lambda name, server: ColdAndWarm(name, rounds=3, server=server),
    "in a row": lambda name, server: InARow(
        name, keep_alives=("1m", "5m"), gaps_s=(0.5, 0.5), server=server
    ),
    "in turn": lambda name, server: InTurn(
        [name, MIDDLE], keep_alives=("1m", "5m"), rounds=2, pause_s=0.5, server=server
    ),
    "downstream": lambda name, server: Downstream(name, rounds=2, task=QUICK, server=server),
}


@pytest.fixture(scope="module")
def started() -> Iterator[str]:
    """Somebody's own server, which is none of our sandboxes."""
    with somebodys(models=[SMALL, MIDDLE]) as sandbox:
        Server(sandbox.url).client.copy(SMALL, ALIAS)
        yield sandbox.url


@pytest.fixture
def own(started: str) -> Iterator[Server]:
    server = Server(started)
    assert not server.is_sandbox
    assert not server.is_private
    yield server
    for resident in server.residents():
        server.unload(resident.name)


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Callable[..., Experiment[Any]]:
    return KINDS[request.param]


def now() -> datetime:
    return datetime.now(timezone.utc)


def names(server: Server) -> list[str]:
    return sorted(resident.name for resident in server.residents())


@pytest.mark.parametrize("name", [ALIAS, "Mine:Latest", "library/mine"])
def test_an_alias_of_what_somebody_uses(
    own: Server, kind: Callable[..., Experiment[Any]], name: str
) -> None:
    preloads(own.url, SMALL, "10m")
    time.sleep(0.5)  # the deadline is set once more, a moment after the answer
    before = own.residents()
    with pytest.raises(NeedsConsent) as caught:
        kind(name, own).run()
    assert caught.value.models == (name,)
    assert f"{name} (in memory as {SMALL})" in str(caught.value)
    assert own.residents() == before, "not even its deadline has moved"


@pytest.mark.slow
def test_what_somebody_loads_in_the_middle_is_left_alone(
    own: Server, kind: Callable[..., Experiment[Any]]
) -> None:
    """It is in memory for us, or not just then: in both cases their request makes it theirs."""
    experiment = kind(ALIAS, own)

    def somebody(step: Step) -> None:
        if (step.done == 1 and "round" in step.what) or "call 2" in step.what:
            preloads(own.url, SMALL, "30m")
            time.sleep(0.5)

    with pytest.raises(ExperimentFailed, match="used by somebody else") as caught:
        experiment.run(on_step=somebody)
    assert caught.value.result is not None
    assert len(caught.value.result.frame) >= 1
    assert "left alone" in caught.value.result.facts["error"]
    held = own.resident(SMALL)
    assert held is not None, "their model is still there"
    left_s = held.expires_in_s()
    assert left_s is not None
    assert left_s > 1700, "with their keep_alive"


def test_what_comes_between_the_plan_and_the_measurement(own: Server) -> None:
    experiment = ColdAndWarm(SMALL, rounds=1, server=own)
    experiment.plan()

    def somebody(step: Step) -> None:  # after the question, before the first request
        if step.done == 0:
            preloads(own.url, ALIAS, "30m")
            time.sleep(0.5)  # the deadline is set a moment after the answer

    with pytest.raises((NeedsConsent, ExperimentFailed)):
        experiment.run(on_step=somebody)
    assert names(own) == [f"{ALIAS}:latest"] or names(own) == [SMALL]
    held = own.resident(SMALL)
    assert held is not None
    assert (held.expires_in_s() or 0) > 1700


def test_consent_is_for_the_models_that_were_named(own: Server) -> None:
    preloads(own.url, SMALL, "10m")
    preloads(own.url, MIDDLE, "10m")
    experiment = InTurn([ALIAS, MIDDLE], keep_alives=("1m",), rounds=1, pause_s=0.1, server=own)
    with pytest.raises(NeedsConsent) as caught:
        experiment.run(may_unload=[SMALL])
    assert caught.value.models == (ALIAS, MIDDLE), "it asks about all of them again"
    assert names(own) == [SMALL, MIDDLE]
    assert experiment.run(may_unload=[SMALL, MIDDLE]).is_complete
    assert names(own) == []


def test_a_model_that_is_ours_is_unloaded_and_a_shared_one_is_not(own: Server) -> None:
    consent = Consent(own, [SMALL])
    own.preload(SMALL, "5m")
    consent.lent(SMALL, "5m", now())
    assert set(consent.require(SMALL)) == {SMALL}
    time.sleep(3.5)  # nearer to ours their request is not told apart
    preloads(own.url, SMALL, "5m")
    time.sleep(0.5)  # the deadline is set a moment after the answer
    with pytest.raises(NeedsConsent):
        consent.unload(SMALL)
    consent.leave()
    assert names(own) == [SMALL]


def test_forever_and_the_default(own: Server) -> None:
    consent = Consent(own, [SMALL])
    own.preload(SMALL, "forever")
    consent.lent(SMALL, "forever", now())
    consent.require(SMALL)
    own.preload(SMALL)  # leaves the value that is in force
    consent.lent(SMALL, None, now())
    consent.require(SMALL)
    preloads(own.url, SMALL, "1h")
    time.sleep(0.5)
    with pytest.raises(NeedsConsent):
        consent.require(SMALL)


def test_stopped_it_unloads_what_is_its_own(own: Server) -> None:
    experiment = ColdAndWarm(SMALL, rounds=20, server=own)
    experiment.run(on_step=lambda s: experiment.stop() if s.done == 2 else None)
    assert names(own) == []


def test_the_server_cannot_be_switched_in_the_middle(own: Server, server: Server) -> None:
    experiment = ColdAndWarm(SMALL, rounds=1, server=own)
    refused: list[str] = []

    def switch(_: Step) -> None:
        with pytest.raises(RuntimeError) as caught:
            experiment.server = server
        refused.append(str(caught.value))

    experiment.run(on_step=switch)
    assert "is running" in refused[0]
    experiment.server = server.url  # afterwards it can, also by an address
    assert experiment.server.url == server.url


def test_a_server_that_does_not_tell_what_is_in_memory_cannot_be_measured() -> None:
    with RecordedServer(ollama(ps=None)) as recorded:
        server = Server(recorded.url)
        for experiment in (
            ColdAndWarm(server=server),
            InARow(server=server),
            Downstream(server=server),
        ):
            said = [note for note in experiment.plan().notes if "does not tell what is in" in note]
            assert len(said) == 1
            with pytest.raises(NotTold, match="does not tell what is in memory, so"):
                experiment.run(may_unload=True)
        assert not [r for r in recorded.requests if r.path in ("/api/chat", "/api/generate")]


def test_other_residents_are_told_of_before(own: Server) -> None:
    preloads(own.url, MIDDLE, "10m")
    [note] = [n for n in ColdAndWarm(SMALL, server=own).plan().notes if MIDDLE in n]
    assert "This does not touch it" in note


def test_what_this_process_has_used_last_is_its_own(server: Server) -> None:
    assert not server.is_private
    server.preload(SMALL, "10m")
    assert ColdAndWarm(SMALL, rounds=1, server=server).run().is_complete
    assert names(server) == []


def test_in_a_sandbox_that_is_shared_it_asks_as_on_an_own_one(
    server: Server, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with several kernels of one lab, where another one holds a model forever."""
    assert server.is_sandbox
    preloads(server.url, SMALL, -1)
    before = server.residents()
    with pytest.raises(NeedsConsent, match="Wait until it has left, or") as caught:
        ColdAndWarm(SMALL, rounds=1, server=server).run()
    assert caught.value.models == (SMALL,)
    assert server.residents() == before
    consent = Consent(server, [SMALL])
    consent.leave()
    assert server.residents() == before
    monkeypatch.delenv(SANDBOX_URL_VARIABLE)  # then it is this process's own, with all there is
    Consent(Server.of(sandbox), [SMALL]).unload(SMALL)
    assert names(server) == []


def test_what_the_notebook_asks_in_the_middle_disturbs_and_stays(server: Server) -> None:
    """It may be unloaded unasked, but it is no measurement, and at the end it is left alone."""
    consent = Consent(server, [SMALL])
    server.preload(SMALL, "5m")
    time.sleep(0.5)  # the deadline is set a moment after the answer
    assert consent.is_disturbed(SMALL, server.resident(SMALL))
    consent.require(SMALL)
    consent.leave()
    assert names(server) == [SMALL]


def test_two_names_of_one_model_are_not_two_models(own: Server) -> None:
    with pytest.raises(ValueError, match="two names of one model"):
        InTurn([SMALL, ALIAS], server=own).plan()
    assert {own.same_model(name, SMALL) for name in InTurn(server=own).models} == {True, False}
    assert len(InTurn(server=own).models) == 2


def test_a_recorded_alias_needs_consent() -> None:
    entries = tags(model("a:1b"), model("b:1b"))
    ps = {"models": [model("a:1b")]}
    with RecordedServer(ollama(tags=entries, ps=ps)) as recorded:
        with pytest.raises(NeedsConsent, match=r"b:1b \(in memory as a:1b\)"):
            ColdAndWarm("b:1b", server=Server(recorded.url)).run()
        posts = [json.loads(r.body) for r in recorded.requests if r.path == "/api/generate"]
    assert posts == []


def test_a_stop_from_another_thread_leaves_other_peoples_models(own: Server) -> None:
    preloads(own.url, MIDDLE, "10m")
    experiment = ColdAndWarm(SMALL, rounds=50, server=own)
    threading.Timer(2.0, experiment.stop).start()
    assert experiment.run().facts["stopped"]
    assert names(own) == [MIDDLE]
