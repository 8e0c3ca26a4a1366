"""Residencies against Ollama's own log: each load is a stay, however short it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.monitor import OURS, Monitor, Sample
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import TEMPLATE, VARIABLE
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.chart.words import status_text
from tests.griptape_tools import CLOCK, clock
from tests.live_requests import LoadLog

MODEL, LARGER, CALLER = "smollm2:135m", "smollm2:135m-f16", "caller:latest"
FEW = {"num_predict": 4}
Eventually = Callable[..., None]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An Ollama in which `CALLER`, of the small model's weights, calls a tool twice, then answers.

    It loads so slowly that also on a busy machine each load is in more than one sample.
    """
    file: Path = tmp_path_factory.mktemp("stays") / "trouble.json"
    call = {"tool_calls": [CLOCK]}
    file.write_text(json.dumps({"script": [call, call, {"text": "Noon."}], "load_delay_s": 0.8}))
    with Sandbox(models=[MODEL, LARGER], runner_env={VARIABLE: str(file)}) as started:
        Server(started.url).client.create(model=CALLER, from_=MODEL, template=TEMPLATE)
        yield started


@pytest.fixture
def log(box: Sandbox) -> Iterator[LoadLog]:
    """The loads from now on, of a server with nothing in memory."""
    server = Server(box.url)
    for resident in server.residents():
        server.unload(resident.name)
    opened = LoadLog(box.log_path)
    yield opened
    opened.close()


def loads(log: LoadLog) -> int:
    return sum(line.what == "began" for line in log.new())


def nothing_left(monitor: Monitor) -> bool:
    return all(stay.until is not None for stay in monitor.residencies())


def test_a_load_is_said_while_it_goes_on_and_whose_it_was(
    box: Sandbox, log: LoadLog, eventually: Eventually
) -> None:
    said: list[str] = []
    with Monitor(Server(box.url)) as monitor:

        def listener(sample: Sample) -> None:
            said.append(status_text(sample, monitor.residencies(), cost_fraction=0))

        eventually(lambda: monitor.latest, "a first sample")
        monitor.listen(listener)
        monitor.server.preload(LARGER, "5m")
        eventually(lambda: f"{LARGER} (runner" in said[-1], "it is there")
        [stay] = monitor.residencies()
    assert any(f"loading {LARGER}, 1 s" in line for line in said)
    first = next(i for i, line in enumerate(said) if "loading" in line)
    assert not any("no model in memory" in line for line in said[first:])
    assert stay.load_s is not None
    assert 0.8 <= stay.load_s < 10  # of these 0.8 s on purpose
    assert (stay.loaded_by, stay.touched_by, stay.keep_alive_s) == (OURS, OURS, 300)
    assert stay.why_resident.startswith("a request of ours ended ")
    assert stay.why_resident.endswith("its keep_alive is 5m")


@pytest.mark.slow
def test_a_run_of_three_requests_with_keep_alive_0_is_three_stays(
    box: Sandbox, log: LoadLog, eventually: Eventually
) -> None:
    with Monitor(Server(box.url)) as monitor:
        eventually(lambda: monitor.latest, "a first sample")
        run = run_agent(
            "What time is it?",
            model=CALLER,
            server=monitor.server,
            keep_alive=0,
            tools=[clock()],
            hold=False,
        )
        eventually(lambda: nothing_left(monitor), "the last one has left")
    assert len(run.requests) == 3
    stays = monitor.residencies()
    assert loads(log) == len(stays) == sum(stay.loads for stay in stays) == 3
    assert [(stay.why, stay.requests) for stay in stays] == [("expired", 1)] * 3


@pytest.mark.slow
def test_short_runs_of_two_models_and_somebody_elses_are_a_stay_each(
    box: Sandbox, log: LoadLog, eventually: Eventually
) -> None:
    other = Server(box.url)
    with Monitor(Server(box.url)) as monitor:
        eventually(lambda: monitor.latest, "a first sample")
        for model in (MODEL, LARGER, MODEL):
            run_agent("Hi.", model=model, server=monitor.server, keep_alive=0, options=FEW)
        for _ in range(3):
            other.client.generate(model=MODEL, prompt="Hi.", keep_alive=0, options=FEW)
        eventually(lambda: nothing_left(monitor), "the last one has left")
    stays = monitor.residencies()
    assert loads(log) == len(stays) == 6
    same = {MODEL, CALLER}  # of a runner that was not listed any of its weights' names is right
    assert [stay.model in same for stay in stays] == [True, False, True, True, True, True]
    assert [stay.why for stay in stays[:3]] == ["expired"] * 3


@pytest.mark.slow
def test_unloaded_by_another_client_though_another_model_comes_at_once(
    box: Sandbox, log: LoadLog, eventually: Eventually
) -> None:
    other = Server(box.url)
    with Monitor(Server(box.url)) as monitor:
        monitor.server.preload(MODEL, 300)
        eventually(lambda: is_settled(monitor), "it is there")
        other.client.generate(model=MODEL, keep_alive=0)  # what `unload` does is our own request
        eventually(lambda: other.resident(MODEL) is None, "it has left")
        other.preload(LARGER, 300)
        eventually(lambda: "requested elsewhere" in whys(monitor), "by exclusion", 15)
        other.client.generate(model=LARGER, keep_alive=300, options={"num_ctx": 2048})
        eventually(lambda: whys(monitor)[1:] == ["evicted", None], "loaded anew")
        eventually(lambda: is_settled(monitor), "it is there")
        other.client.generate(
            model=LARGER, keep_alive=300, options={"num_ctx": 2048, "num_batch": 256}
        )
        eventually(lambda: whys(monitor)[2:] == ["evicted", None], "loaded anew")
    assert loads(log) == 4


def is_settled(monitor: Monitor) -> bool:
    """Whether the last model's first request has been seen to have ended."""
    return [stay.requests for stay in monitor.residencies()][-1:] == [1]


def whys(monitor: Monitor) -> list[str | None]:
    return [stay.why for stay in monitor.residencies()]
