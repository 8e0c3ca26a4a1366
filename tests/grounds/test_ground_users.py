"""Other users of this machine: their Ollama watched by root, and two of root's by one of them."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets import Sandbox, Server
from tests.cases.case_tools import assert_readable
from tests.grounds.ground_tools import SMALL, assert_works, serving, watch_from
from tests.grounds.other_user import as_other_user, other_environment

WATCH = [sys.executable, "-m", "tests.grounds.watch"]


def children(pid: int) -> set[int]:
    """The runners of an Ollama, by who started them."""
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The other user's folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def test_an_ollama_of_another_user(home: Path, tmp_path: Path) -> None:
    """As the service of the official installer runs: its user is not whoever watches."""
    wrap = lambda command: as_other_user(command, home)  # noqa: E731
    with serving(tmp_path, SMALL, wrap=wrap, env=other_environment(home)) as told:
        assert psutil.Process(told["pid"]).uids().real != 0
        last = assert_works(Server(told["url"]))
        assert last.runners is not None, "root sees every process"
        assert {runner.pid for runner in last.runners} <= children(told["pid"])


@pytest.mark.parametrize("hidden", [False, True], ids=["seen", "hidepid"])
def test_an_ordinary_user_beside_two_ollamas_of_another(
    server: Server, sandbox: Sandbox, home: Path, hidden: bool
) -> None:
    """Never another server's numbers: a runner is this server's, or it is not counted."""
    before = "mount -t proc -o hidepid=2 proc /proc" if hidden else ""
    with Sandbox(models=[SMALL]) as other:
        server.preload(SMALL, "5m")
        Server(other.url).preload(SMALL, "5m")
        command = as_other_user([*WATCH, server.url, other.url], home, before)
        told = watch_from(command, other_environment(home))
        assert len(told) == 2
        for seen, box in zip(told, (sandbox, other), strict=True):
            print(seen)
            assert (seen["uid"] != 0, seen["error"]) == (True, None)
            assert [name for name, _ in seen["residents"]] == [SMALL]
            if seen["runners"] is None:
                assert_readable(seen["unseen"])
                assert seen["residents"][0][1] > 1e8
            else:
                assert {runner[0] for runner in seen["runners"]} <= children(box.pid)
                assert [runner[1] for runner in seen["runners"]] == [SMALL]
            if hidden:
                assert seen["runners"] is None


def test_an_ordinary_user_beside_an_empty_ollama(
    server: Server, sandbox: Sandbox, home: Path
) -> None:
    """Nothing is loaded here, but in the other one: it does not appear here."""
    with Sandbox(models=[SMALL]) as other:
        Server(other.url).preload(SMALL, "5m")
        [seen] = watch_from(as_other_user([*WATCH, server.url], home), other_environment(home))
        assert not seen["runners"]
        assert seen["residents"] == []
