"""Several clients of one real Ollama at once: what is found of them, with the log and without."""

from __future__ import annotations

import time
from dataclasses import dataclass

import ollama
import pytest

from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.monitor import OTHERS, OURS, Monitor, Request
from lifecycle_widgets.monitor.traffic.traffic import Traffic
from lifecycle_widgets.monitor.traffic.witnesses.log import ServerLog
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.monitor.traffic.clients import Asked, Clients
from tests.monitor.traffic.figures import figures, shown, spans_of_requests, spans_of_truth

A, B = "smollm2:135m", "smollm2:135m-f16"
ALIAS = "traffic-alias:latest"


@dataclass
class Seen:
    """What was asked by others, and what was found: with the log, and without it."""

    asked: list[Asked]
    with_log: tuple[Request, ...]
    without_log: tuple[Request, ...]
    told: tuple[str, ...]
    settled: tuple[Request, ...]


@pytest.fixture(scope="module")
def seen(sandbox: Sandbox) -> Seen:
    """Some seconds of mixed traffic, with two requests of ours in it."""
    server = Server(sandbox.url)
    clients = Clients(server.url)
    ollama.Client(server.url).copy(A, ALIAS)
    blind = Traffic(server, 600.0, log=ServerLog(server, is_wanted=False))
    with Monitor(server) as monitor:
        monitor.listen(blind.see)
        time.sleep(1.2)
        clients.ask_meanwhile("ollama-python", A, 90)  # which loads it
        time.sleep(0.3)
        clients.ask("stream", B, 20, 0)  # loads another one, which leaves at once
        clients.wait()
        time.sleep(1.2)
        clients.ask_meanwhile("/v1", A, 60)
        time.sleep(0.2)
        clients.ask("curl", A, 60)  # overlaps it
        clients.wait()
        time.sleep(1.2)
        clients.ask("aborted", A, 400)
        time.sleep(1.2)
        clients.ask("ollama-python", ALIAS, 40, -1)  # another name of the same weights
        time.sleep(1.2)
        run_agent("Say hello.", model=A, server=server, options={"num_predict": 60})
        time.sleep(1.2)
        clients.ask("curl", A, 2)
        time.sleep(1.2)
        with pytest.raises(ollama.ResponseError):
            ollama.Client(server.url).chat("nobody:latest", [])  # no model has to do with it
        time.sleep(1.0)
        server.unload(A)
        time.sleep(1.0)
        told = monitor.traffic_told
    blind.close()
    for resident in server.residents():
        server.unload(resident.name)
    ollama.Client(server.url).delete(ALIAS)
    settled, _ = monitor.requests_settled()
    return Seen(clients.asked, monitor.requests(), blind.requests, told, settled)


def of_others(requests: tuple[Request, ...]) -> list[Request]:
    return [one for one in requests if one.whose == OTHERS]


@pytest.mark.slow
def test_with_the_log_each_request_is_found(seen: Seen) -> None:
    found = of_others(seen.with_log)
    assert len(found) == len(seen.asked), shown(found, seen.asked)
    told = figures(spans_of_truth(seen.asked, {ALIAS: A}), spans_of_requests(found))
    assert (told.missed, told.invented, told.covered) == ((), (), 0)
    assert max(told.gap_errors_s) < 0.4
    assert all("log" in one.witnesses for one in found)
    assert {one.kind for one in found} == {"chat", "generate"}
    assert any("The server's log is read" in sentence for sentence in seen.told)


@pytest.mark.slow
def test_without_it_each_busy_time_is_found(seen: Seen) -> None:
    found = of_others(seen.without_log)
    told = figures(spans_of_truth(seen.asked, {ALIAS: A}), spans_of_requests(found))
    assert (told.missed, told.invented) == ((), ()), shown(found, seen.asked)
    assert not any("log" in one.witnesses for one in found)
    forever = [one for one in found if one.keep_alive_s == float("inf")]
    assert forever, "a keep_alive of -1 was in force"


@pytest.mark.slow
@pytest.mark.parametrize("which", ["with_log", "without_log"])
def test_ours_are_exact_and_not_taken_for_anothers(seen: Seen, which: str) -> None:
    requests: tuple[Request, ...] = getattr(seen, which)
    ours = [one for one in requests if one.whose == OURS]
    assert [one.kind for one in ours if one.kind != "touch"] == ["chat", "unload"]
    [chat] = [one for one in ours if one.kind == "chat"]
    assert chat.model == A
    assert chat.witnesses[:3] == ("own", "deadline", "runner")
    assert (chat.end_within_s, chat.is_broken_off) == (0.0, False)
    assert chat.output_tokens
    assert chat.ttft_s
    assert chat.began_s is not None
    assert chat.ended_s is not None
    for one in of_others(requests):
        assert one.ended_s is not None
        assert not chat.began_s < one.ended_s < chat.ended_s + 0.5


@pytest.mark.slow
def test_all_are_final_when_it_has_stopped(seen: Seen) -> None:
    assert sorted(one.number for one in seen.settled) == sorted(one.number for one in seen.with_log)
    assert len({one.number for one in seen.settled}) == len(seen.settled)
