"""The doctor with a real Ollama: what it finds is there, and what it offers cures it."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lifecycle_widgets import DoctorPanel, Monitor, Sandbox, Server
from lifecycle_widgets.doctor import Diagnosis, examine
from lifecycle_widgets.doctor.unanswered import unanswered
from lifecycle_widgets.history import History
from tests.live_requests import LiveRequest

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tells it alone")
ENDLESS = {
    "prompt": "one two one two one two one two",
    "raw": True,
    "options": {"num_predict": 4000, "temperature": 0, "repeat_penalty": 1.0},
}


def named(found: tuple[Diagnosis, ...], name: str) -> list[Diagnosis]:
    return [one for one in found if one.name == name]


def until(condition: Callable[[], object], what: str, within_s: float = 15.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, what
        time.sleep(0.05)


@contextmanager
def requests(port: int) -> Iterator[Callable[..., LiveRequest]]:
    """Sends requests that nobody waits for; all are hung up in the end."""
    sent: list[LiveRequest] = []

    def ask(model: str, **body: object) -> LiveRequest:
        sent.append(LiveRequest(port, {"model": model, **body}))
        return sent[-1]

    try:
        yield ask
    finally:
        for one in sent:
            one.hang_up()


def over(one: LiveRequest) -> bool:
    one.look()
    return one.is_over


def begun(one: LiveRequest) -> bool:
    one.look()
    return one.has_begun


@LINUX
def test_the_stuck_loader_is_seen_and_cured() -> None:
    """The four requests of the known hang, at a limit of two models; cured by the button."""
    with Sandbox(OLLAMA_MAX_LOADED_MODELS=2) as sandbox:
        server = Server(sandbox.url)
        a, b, c = sorted(model.name for model in server.models())
        with requests(urlsplit(sandbox.url).port or 0) as ask:
            answers = [ask(a, keep_alive=60, **ENDLESS), ask(b, keep_alive=600, **ENDLESS)]
            for one in answers:
                until(lambda one=one: begun(one), "an answer has begun")  # type: ignore[misc]
            waits = ask(c, keep_alive=60)
            time.sleep(1.0)  # now the first is to leave when it has finished
            again = ask(a, keep_alive=300)
            until(lambda: over(again), "the first has another keep_alive")
            for one in answers:
                one.hang_up()
            panel = DoctorPanel(server, watch_s=3)

            def looked() -> Diagnosis:
                [one] = named(panel.examine().wait(timeout_s=30), "stuck loader")
                return one

            try:
                until(lambda: looked().severity == "fault", "the hang is seen", 20.0)
                one = looked()
                assert one.unload in (a, b)
                assert "has had no answer for" in one.evidence[0]
                assert not over(waits), "looking has changed nothing"
                [button] = panel._cures()
                assert button.description == f"Unload {one.unload}"
                button.click()
                until(lambda: over(waits), "the load goes on")
                assert not waits.has_failed
                [one] = named(panel.wait(timeout_s=30), "stuck loader")
                assert one.severity == "good"
            finally:
                panel.close()


def test_a_thrash_is_seen_and_looking_resets_no_timer(server: Server) -> None:
    with Monitor(server) as monitor:
        for num_ctx in (2048, 4096, 2048):
            server.touch("smollm2:135m", "5m", options={"num_ctx": num_ctx})
            until(lambda: len(monitor.read().residents or ()) == 1, "it is listed")
        deadline = [resident.expires_at for resident in server.residents()]
        found = examine(monitor=monitor, watch_s=1)
    [one] = named(found, "reloads")
    assert one.severity == "warning"
    assert [line.rpartition(" ")[2] for line in one.evidence] == ["2048", "4096", "2048"]
    assert [resident.expires_at for resident in server.residents()] == deadline
    assert not [d for d in found if "check failed" in d.sentence]


def test_two_names_over_one_blob(server: Server) -> None:
    server.client.create(model="long:ctx", from_="smollm2:135m", parameters={"num_ctx": 8192})
    try:
        found = examine(server, watch_s=0)
    finally:
        server.client.delete("long:ctx")
    [one] = [d for d in named(found, "two names over one blob") if d.severity != "good"]
    assert "num_ctx differs" in one.sentence
    assert "long:ctx: num_ctx 8192" in one.evidence


def test_a_history_is_read_and_one_that_is_damaged_is_said(server: Server, tmp_path: Path) -> None:
    fresh, damaged = tmp_path / "fresh.sqlite", tmp_path / "damaged.sqlite"
    damaged.write_bytes(b"no history at all, " * 500)
    told = {path: examine(server, history=History(path), watch_s=0) for path in (fresh, damaged)}
    unread = {path: [d for d in d_ if "the last days" in d.sentence] for path, d_ in told.items()}
    assert unread[fresh] == []
    [one] = unread[damaged]
    assert (one.severity, "Not looked at: the last days. " in one.sentence) == ("note", True)
    assert len(told[damaged]) > 8, "all else is looked at"


def test_nobody_answers() -> None:
    [one] = examine("localhost:1", watch_s=0)
    assert (one.severity, one.name) == ("fault", "does not answer")
    with pytest.raises(ValueError, match="watch_s is -1"):
        examine("localhost:1", watch_s=-1)


# --- who waits for an answer ---------------------------------------------------------------------


@LINUX
def test_a_request_waits_from_its_last_byte_to_the_answers_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            answering, _ = listening.accept()
            with answering:
                assert unanswered(port) == (), "nothing is asked yet"
                for _ in range(2):  # the connection is used again
                    client.sendall(b"asked")
                    time.sleep(0.1)
                    [one] = unanswered(port) or ()
                    assert 0.05 < one.age_s < 5
                    assert "python" in one.program.lower()
                    answering.recv(100)
                    time.sleep(0.02)
                    answering.sendall(b"answered")
                    time.sleep(0.1)
                    assert unanswered(port) == (), "it rests"
