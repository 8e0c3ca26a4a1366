"""A server's log as a workload: who asked when, and whose model it was, as far as it says."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.reading import read_workload
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server

ZERO = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
ONE, TWO = ("sha256-" + digit * 64 for digit in "12")
ZONE = timedelta(hours=2)


def gin(
    after_s: float, took: str, path: str = "/api/chat", status: int = 200, zone: timedelta = ZONE
) -> str:
    at = (ZERO + timedelta(seconds=after_s) + zone).strftime("%Y/%m/%d - %H:%M:%S")
    return f'[GIN] {at} | {status} | {took:>12} |       127.0.0.1 | POST     "{path}"'


def slog(after_s: float, says: str, level: str = "INFO", zone: timedelta = ZONE) -> str:
    at = (ZERO + timedelta(seconds=after_s)).astimezone(timezone(zone))
    return f"time={at.isoformat(timespec='milliseconds')} level={level} source=sched.go:1 {says}"


def load(after_s: float, weights: str) -> str:
    return slog(
        after_s, f'msg="starting llama-server" cmd="/x/llama-server --model /m/{weights} -c"'
    )


def served(after_s: float, name: str, weights: str) -> str:
    """As Ollama 0.32 writes it with OLLAMA_DEBUG=1."""
    return slog(
        after_s,
        'msg="after processing request finished event" runner.name=registry.ollama.ai/library/'
        f'{name} runner.size="245.2 MiB" runner.model=/m/{weights} refCount=0',
        "DEBUG",
    )


def workload(folder: Path, lines: Sequence[str]) -> Workload:
    path = folder / "server.log"
    path.write_text("\n".join(["Couldn't find '/home/me/.ollama/id_ed25519'.", *lines, ""]))
    return read_workload(path)


def test_the_one_model_that_was_loaded_is_that_of_all(tmp_path: Path) -> None:
    found = workload(
        tmp_path,
        [load(2, ONE), gin(10, "8s"), gin(30, "500ms"), gin(31, "2ms", "/api/show"),
         gin(40, "1ms", status=404), gin(60, "10s", "/v1/chat/completions"),
         gin(65, "20s", "/api/generate", 500)],
    )  # fmt: skip
    (stream,) = found.streams
    assert stream.name == "sha256-111111111111"
    assert stream.gaps_s.tolist() == [19.5, 15.0]
    assert stream.requests == 4
    assert found.origin_s == (ZERO + timedelta(seconds=2)).timestamp()  # the zone is heeded
    assert "whole seconds" in found.notes[-1]


def test_several_models_are_told_apart_by_debug_lines_alone(tmp_path: Path) -> None:
    debug = [
        load(1, ONE), gin(10, "8s"), served(10.25, "a:latest", ONE),
        load(20, TWO), gin(25, "5s"), served(25.5, "b", TWO),
        gin(40, "1s"), gin(40, "2s"), served(40.5, "a:latest", ONE), served(40.75, "b", TWO),
    ]  # fmt: skip
    found = workload(tmp_path, debug)
    assert {one.name: one.gaps_s.tolist() for one in found.streams} == {
        "a:latest": [29.25],
        "b:latest": [13.25],
    }
    assert found.notes == ()
    with pytest.raises(WorkloadError, match=r"2 models, and does not say .* OLLAMA_DEBUG=1"):
        workload(tmp_path, [line for line in debug if "level=DEBUG" not in line])


def test_a_clock_that_is_set_back_goes_on(tmp_path: Path) -> None:
    """Lines of requests have no zone; where nothing else tells of the change, they go back."""
    winter = ZONE - timedelta(hours=1)
    lines = [load(2, ONE), gin(10, "1s"), gin(110, "1s", zone=winter), gin(210, "1s", zone=winter)]
    found = workload(tmp_path, lines)
    assert found.streams[0].gaps_s.tolist() == [99.0, 99.0]
    assert "set back before line 4" in found.notes[0]
    told = [*lines[:2], slog(100, 'msg="anything"', zone=winter), *lines[2:]]
    found = workload(tmp_path, told)
    assert found.streams[0].gaps_s.tolist() == [99.0, 99.0]
    assert len(found.notes) == 1
    with pytest.raises(WorkloadError, match="line 4: it is from before the lines above"):
        workload(tmp_path, [load(2, ONE), gin(90_000, "1s"), gin(10, "1s")])


def test_a_log_without_requests_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="nothing to advise from"):
        workload(tmp_path, [slog(0, 'msg="total blobs: 8"')])


def test_what_a_real_server_writes_is_understood(
    server: Server, sandbox: Sandbox, tmp_path
) -> None:
    size = sandbox.log_path.stat().st_size
    asked = []
    for _ in range(2):
        server.client.generate("smollm2:135m", "Hi", options={"num_predict": 1})
        asked.append(time.time())
        time.sleep(1.2)
    with sandbox.log_path.open("rb") as log:
        log.seek(size)
        path = tmp_path / "server.log"
        path.write_bytes(log.read())
    (stream,) = read_workload(path).streams
    assert stream.requests == 2
    assert stream.gaps_s[0] == pytest.approx(asked[1] - asked[0], abs=1.0)
