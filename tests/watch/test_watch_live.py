"""lifecycle-lab watch as a person starts it: on a real Ollama, and on servers that come and go."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from lifecycle_widgets.history import History
from lifecycle_widgets.server import Server
from lifecycle_widgets.watch.news.news import News, ServerNews
from lifecycle_widgets.watch.servers import watched
from lifecycle_widgets.watch.watching import Watching
from tests.recorded.server import Answer, RecordedServer

WATCH = [sys.executable, "-m", "lifecycle_widgets.cli", "watch"]
MODEL = "smollm2:135m"
ENDS_WITHIN_S = 5.0  # on a busy machine; else it is less than a second and a half


class Lines:
    """What a process writes, as it comes."""

    def __init__(self, *words: str, history: Path | None, reads: bool) -> None:
        self.process = subprocess.Popen(
            [*WATCH, *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "LIFECYCLE_WIDGETS_HISTORY": str(history or "off")},
        )
        self.out: list[str] = []
        self.err: list[str] = []
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.err)):
            if reads or lines is self.err:
                threading.Thread(target=lines.extend, args=(stream,), daemon=True).start()

    def until(self, so: Callable[[], Any], what: str, within_s: float = 20.0) -> Any:
        deadline = time.monotonic() + within_s
        while not (found := so()):
            assert time.monotonic() < deadline, f"{what}: {self.out[-5:]}, {self.err}"
            assert self.process.poll() is None, self.err
            time.sleep(0.05)
        return found

    def ended_by(self, which: int) -> float:
        """How many seconds it took to end; nothing is left of it."""
        children = psutil.Process(self.process.pid).children(recursive=True)
        began_s = time.monotonic()
        self.process.send_signal(which)
        status = self.process.wait(10)
        took_s = time.monotonic() - began_s
        assert status == 0, self.err
        assert not [child for child in children if child.is_running()]
        return took_s


@contextmanager
def started(*words: str, history: Path | None = None, reads: bool = True) -> Iterator[Lines]:
    lines = Lines(*words, history=history, reads=reads)
    try:
        yield lines
    finally:
        lines.process.kill()
        lines.process.wait()


def test_a_real_server_and_two_that_do_not_answer(server: Server, tmp_path: Path) -> None:
    """As JSON, as metrics and kept; one of them hangs, and is not waited for in the end."""
    history = History(tmp_path / "history.sqlite")
    with (
        socket.create_server(("127.0.0.1", 0)) as hangs,
        started(
            f"box={server.url}", "away=127.0.0.1:9", f"hangs=127.0.0.1:{hangs.getsockname()[1]}",
            "--json", "--interval", "0.5", "--metrics", "0", history=history.path,
        ) as lines,
    ):  # fmt: skip

        def records(**wanted: object) -> list[dict[str, Any]]:
            read = [json.loads(line) for line in lines.out]
            return [one for one in read if wanted.items() <= one.items()]

        [there] = lines.until(lambda: records(kind="server", server="box"), "the server is there")
        assert there["what"] == "there"
        assert there["version"] == server.version
        lines.until(lambda: records(server="away", what="away"), "one is away")
        asked = {"model": MODEL, "prompt": "Hi.", "keep_alive": 1, "stream": False}
        few = {"options": {"num_predict": 4}}
        httpx.post(f"{server.url}/api/generate", json=asked | few, timeout=60).raise_for_status()
        [left] = lines.until(lambda: records(kind="residency", what="left"), "the model left")
        assert (left["model"], left["why"], left["server"]) == (MODEL, "expired", "box")
        assert records(what="loaded", model=MODEL, server="box")
        [request] = lines.until(lambda: records(kind="request"), "the request")
        assert (request["model"], request["whose"]) == (MODEL, "another client")
        assert request["at"] == request["ended_at"]
        sample = records(kind="sample", server="box")[-1]
        assert sample["ram_total_bytes"] > 0
        assert sample["residents"] == []
        address = re.search(r"http://127\.0\.0\.1:\d+/metrics", "".join(lines.err))
        assert address is not None
        found = {
            (one.name, one.labels.get("server")): one.value
            for family in text_string_to_metric_families(httpx.get(address.group()).text)
            for one in family.samples
        }
        assert found["lifecycle_ollama_up", "box"] == 1
        assert found["lifecycle_ollama_up", "away"] == 0
        assert found["lifecycle_ollama_unloads_total", "box"] == 1
        assert found["lifecycle_ollama_requests_total", "box"] == 1
        assert lines.ended_by(signal.SIGTERM) < ENDS_WITHIN_S
    assert len(history.requests(model=MODEL)) == 1
    assert list(history.residencies().why) == ["expired"]


def test_for_people_until_ctrl_c(server: Server) -> None:
    with started(server.url) as lines:
        lines.until(lambda: lines.out, "a line")
        assert re.fullmatch(
            rf"\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d  Ollama {re.escape(server.version)} answers\n",
            lines.out[0],
        )
        assert lines.ended_by(signal.SIGINT) < ENDS_WITHIN_S
        assert lines.err == []


@pytest.mark.parametrize("words", [[], ["--json"]], ids=["people", "json"])
def test_it_ends_quietly_when_nobody_reads_any_more(words: list[str], server: Server) -> None:
    with started(server.url, "--interval", "0.5", *words, reads=False) as lines:
        assert lines.process.stdout is not None
        assert lines.process.stdout.readline()
        lines.process.stdout.close()
        assert lines.process.wait(5) == 0
        assert lines.err == []


def test_one_that_is_away_is_watched_until_it_is_there_and_upgraded() -> None:
    """Behind a gateway, which answers for it meanwhile."""
    told: list[News] = []
    gone = {path: Answer(b"Bad Gateway", status=502) for path in ("/api/version", "/api/ps")}

    def until(what: str) -> ServerNews:
        deadline = time.monotonic() + 10
        while not (found := [n for n in told if isinstance(n, ServerNews) and n.what == what]):
            assert time.monotonic() < deadline, f"{what}: {told}"
            time.sleep(0.05)
        return found[0]

    with RecordedServer(gone) as gateway:
        [later] = watched([f"later={gateway.url}"])
        watching = Watching(later, lambda _, news: told.append(news), 60)
        try:
            assert "502" in (until("away").told or "")
            gateway.routes |= {"/api/version": {"version": "0.33.0"}, "/api/ps": {"models": []}}
            assert until("back").version == "0.33.0"
            told.clear()
            gateway.routes |= gone
            until("away")
            gateway.routes |= {"/api/version": {"version": "0.34.0"}, "/api/ps": {"models": []}}
            upgraded = until("upgraded")
            assert (upgraded.version_before, upgraded.version) == ("0.33.0", "0.34.0")
        finally:
            watching.close()
