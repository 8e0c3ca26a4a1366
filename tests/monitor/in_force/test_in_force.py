"""What is in force at a server: live, through a restart and an upgrade; the default as measured."""

from __future__ import annotations

import math
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone

import pytest

from lifecycle_widgets.monitor import InForce, Monitor
from lifecycle_widgets.monitor.in_force.lives import Lives
from lifecycle_widgets.monitor.in_force.measured import Measured
from lifecycle_widgets.monitor.in_force.watch import InForceWatch
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Resident, Server
from tests.recorded import RecordedServer, ollama

MODEL = "tiny:1b"


def in_force(monitor: Monitor) -> InForce:
    told = monitor.read().in_force
    assert told is not None
    return told


# --- a server that is upgraded while it is watched -----------------------------------------------


@pytest.mark.slow
def test_version_process_and_restarts_follow_and_nothing_is_lost() -> None:
    with RecordedServer(ollama(ps={"models": []}, version={"version": "0.31.0"})) as stand_in:
        monitor = Monitor(Server(stand_in.url))
        before = in_force(monitor)
        assert in_force(monitor) is before  # the same object, until something has changed
        assert (before.version, before.restarts, before.pid) == ("0.31.0", 0, None)
        assert before.unseen
        assert before.default_keep_alive_s is None
    assert monitor.read().error
    with Sandbox(models=(), port=stand_in.port, OLLAMA_KEEP_ALIVE="40s") as box:
        upgraded = in_force(monitor)
        assert (upgraded.version, upgraded.restarts) == (Server(box.url).version, 1)
        assert (upgraded.pid, upgraded.unseen) == (box.pid, None)
        assert upgraded.environment is not None
        assert upgraded.environment["OLLAMA_KEEP_ALIVE"] == "40s"
        assert upgraded.environment_from == "process"
        assert (upgraded.default_keep_alive_s, upgraded.default_keep_alive_from) == (
            40.0,
            "environment",
        )
        assert upgraded.started_at is not None
        assert 0 <= (upgraded.uptime_s or 0) < 30
        assert monitor.latest is not None
        assert monitor.latest.most_models == 3
        first_pid = box.pid
    down = in_force(monitor)
    assert (down.pid, down.started_at, down.environment) == (None, None, None)
    assert (down.version, down.restarts) == (upgraded.version, 1)
    with Sandbox(models=(), port=stand_in.port, OLLAMA_KEEP_ALIVE="-1") as box:
        again = in_force(monitor)
        assert again.pid == box.pid != first_pid
        assert (again.version, again.restarts) == (upgraded.version, 2)
        assert again.default_keep_alive_s == math.inf
    told = [sample.in_force for sample in monitor.samples]
    assert told[:2] == [before, before]
    assert upgraded in told


def test_an_upgrade_behind_the_same_door_is_seen_when_it_answers_again() -> None:
    with RecordedServer(ollama(version={"version": "0.33.1"})) as server:
        watch = InForceWatch(Server(server.url))
        first = watch.read(None, "It is hidden.", (), answers=True)
        assert (first.version, first.unseen) == ("0.33.1", "It is hidden.")
        watch.read(None, "It is hidden.", None, answers=False)
        server.routes["/api/version"] = {"version": "0.34.0"}
        second = watch.read(None, "It is hidden.", (), answers=True)
        assert (second.version, second.restarts) == ("0.34.0", 1)
        server.routes["/api/version"] = {"nothing": 1}  # it is not told any more: that is no other
        watch.read(None, None, None, answers=False)
        assert watch.read(None, None, (), answers=True).version == "0.34.0"


def test_what_is_no_ollama_has_no_default() -> None:
    """Such as llama.cpp's own server: its process is seen, but no version is told."""
    with RecordedServer(ollama(version=None)) as server:
        watch = InForceWatch(Server(server.url))
        told = watch.read(os.getpid(), None, (), answers=True)
    assert (told.version, told.environment_from) == (None, "process")
    assert (told.default_keep_alive_s, told.default_keep_alive_from) == (None, None)


def test_a_process_that_has_ended_is_none_and_its_number_may_be_anothers() -> None:
    with RecordedServer(ollama()) as server:
        watch = InForceWatch(Server(server.url))
        with subprocess.Popen(["sleep", "60"]) as process:
            told = watch.read(process.pid, None, (), answers=True)
            assert told.pid == process.pid
            process.kill()
        assert watch.read(process.pid, None, None, answers=False).pid is None


def test_the_version_is_not_asked_for_with_each_sample() -> None:
    with RecordedServer(ollama(version={"version": "0.33.1"})) as server:
        watch = InForceWatch(Server(server.url))
        for _ in range(5):
            watch.read(None, "It is hidden.", (), answers=True)
        assert len(server.asked("/api/version")) == 1


def test_a_restart_that_is_an_upgrade_counts_once() -> None:
    lives = Lives()
    assert lives.is_process(os.getpid())
    lives.answers_as("0.33.1")
    assert not lives.is_process(os.getpid())
    lives.is_process(None)  # it is down, or hidden for a moment
    assert lives.is_process(os.getpid())
    assert lives.restarts == 0
    assert lives.is_process(os.getppid())
    lives.answers_as("0.34.0")
    lives.answers_as("0.34.0")
    assert (lives.restarts, lives.version) == (1, "0.34.0")
    began = datetime(2026, 1, 1, tzinfo=timezone.utc)
    for hour in (0, 0, 1):
        lives.is_container(began + timedelta(hours=hour))
    assert lives.restarts == 2


# --- the default as measured ---------------------------------------------------------------------


@pytest.fixture
def server() -> Server:
    """One that is never asked anything, with nothing of its own noted so far."""
    return Server(f"http://127.0.0.1:{time.monotonic_ns() % 40_000 + 1024}")


def listed(seconds: float, name: str = MODEL) -> list[Resident]:
    at = datetime.now(timezone.utc) + timedelta(seconds=seconds)
    return [Resident(name, 1000, expires_at=at)]


def test_a_load_without_keep_alive_tells_the_default(server: Server) -> None:
    measured = Measured(server)
    measured.see([])
    with server.own_requests.noted(MODEL, "load"):
        pass
    measured.see(listed(40.02))
    assert measured.seconds == 40.0
    measured.forget()
    assert measured.seconds is None
    with server.own_requests.noted("tiny:2b", "chat") as request:
        request.load_s = 0.8
    measured.see(listed(290 * 365 * 86400, "tiny:2b"))
    assert measured.seconds == math.inf


Note = Callable[[Server, Measured], None]


def asked_for(server: Server, measured: Measured) -> None:
    with server.own_requests.noted(MODEL, "load", keep_alive_s=20.0):
        pass


def was_there(server: Server, measured: Measured) -> None:
    measured.see(listed(1000))
    with server.own_requests.noted(MODEL, "load"):
        pass


def found_it_there(server: Server, measured: Measured) -> None:
    with server.own_requests.noted(MODEL, "chat") as request:
        request.load_s = 0.01


def with_another(server: Server, measured: Measured) -> None:
    with (
        server.own_requests.noted(f"{MODEL}", "chat", keep_alive_s=20.0),
        server.own_requests.noted(MODEL, "load"),
    ):
        pass


def broken_off(server: Server, measured: Measured) -> None:
    with pytest.raises(OSError), server.own_requests.noted(MODEL, "load"):  # noqa: PT011
        raise OSError


@pytest.mark.parametrize("note", [asked_for, was_there, found_it_there, with_another, broken_off])
def test_what_tells_no_default_is_not_taken_for_one(server: Server, note: Note) -> None:
    measured = Measured(server)
    measured.see([])
    note(server, measured)
    measured.see(listed(20.0))
    assert measured.seconds is None


@pytest.mark.slow
def test_it_is_measured_on_a_real_server_and_wins_over_the_environment(server_with_2m: str) -> None:
    server = Server(server_with_2m)
    monitor = Monitor(server)
    assert in_force(monitor).default_keep_alive_from == "environment"
    server.preload("smollm2:135m")
    told = in_force(monitor)
    assert (told.default_keep_alive_s, told.default_keep_alive_from) == (120.0, "measured")
    assert monitor.latest is not None
    (runner,) = monitor.latest.runners or ()
    assert runner.settings is not None
    assert runner.settings.engine == "llama-server"
    assert runner.settings.context_length
    assert runner.settings.parallel == 1


@pytest.fixture
def server_with_2m() -> Iterator[str]:
    with Sandbox(models=("smollm2:135m",), OLLAMA_KEEP_ALIVE="2m") as box:
        yield box.url
