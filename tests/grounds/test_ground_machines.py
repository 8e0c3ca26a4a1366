"""Where Ollama runs: behind a tunnel, in a container, on another machine, twice on this one."""

from __future__ import annotations

import html
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets import InTurn, Sandbox, Server, TuningLab, run_agent
from tests.cases.case_tools import assert_readable, wait_until, watched
from tests.grounds.ground_tools import (
    SHORT,
    SMALL,
    assert_sampled,
    assert_works,
    elsewhere,
    forwarded,
    serving,
    watch_from,
)
from tests.grounds.namespaces import Namespace
from tests.grounds.programs import need
from tests.sandbox.sandbox_tools import environment
from tests.widgets.widget_parts import shown


def children(pid: int) -> set[int]:
    """The runners of an Ollama, by who started them."""
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}


# --- a tunnel -----------------------------------------------------------------------------------


def test_behind_a_tunnel(server: Server, tmp_path: Path) -> None:
    """As `ssh -L` looks: the address is loopback, and who listens there is no Ollama."""
    with forwarded(tmp_path, server.url) as url:
        last = assert_works(Server(url))
        if last.runners is None:
            assert last.unseen
            lab = TuningLab(url)
            try:
                why = last.unseen.rstrip(".")  # the chart has it between others
                wait_until(lambda: why in html.unescape(lab.chart.status + shown(lab)), why, 10)
            finally:
                lab.close()


@pytest.mark.slow
def test_behind_a_tunnel_models_in_turn_know_what_was_held(server: Server, tmp_path: Path) -> None:
    with forwarded(tmp_path, server.url) as url:
        models = (SMALL, f"{SMALL}-f16")
        turn = InTurn(
            models, keep_alives=(0, "5m"), rounds=1, gap_s=0.1, pause_s=0.5, server=Server(url)
        ).run(may_unload=True)
        assert "0 GB-seconds of memory were held instead of 0" not in repr(turn) + str(turn.frame)


def test_a_tunnel_that_breaks_and_comes_back(server: Server, tmp_path: Path) -> None:
    with forwarded(tmp_path, server.url) as url, watched(url) as monitor:
        assert monitor.samples[-1].error is None
    with watched(url) as monitor:
        assert all(sample.error for sample in monitor.samples)
        assert_readable(monitor.samples[-1].error or "")


# --- another machine, a container ---------------------------------------------------------------


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Namespace, str]]:
    """A network, a list of processes and a /proc of its own: a container without the images."""
    need("unshare")
    folder = tmp_path_factory.mktemp("container")
    apart = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]
    with elsewhere(folder, *apart) as made:
        yield made


def test_on_another_machine(container: tuple[Namespace, str]) -> None:
    server = Server(container[1])
    assert not server.is_local
    last = assert_works(server)
    assert last.runners is None
    assert last.unseen


def test_a_published_port_of_a_container(container: tuple[Namespace, str], tmp_path: Path) -> None:
    """As `docker run -p 127.0.0.1:11434:11434` looks: loopback here, a proxy's process listens."""
    with forwarded(tmp_path, container[1]) as url:
        server = Server(url)
        assert server.is_local
        assert_works(server)


def test_by_this_machines_own_address(
    container: tuple[Namespace, str], server: Server, tmp_path: Path
) -> None:
    """Our end of the wire is an address of this machine."""
    own = container[0].here
    with forwarded(tmp_path, server.url, own) as url:
        assert Server(url).is_local
        assert_works(Server(url))


def test_ollama_on_all_addresses_watched_from_its_own_machine(
    container: tuple[Namespace, str], tmp_path: Path
) -> None:
    """In the namespace: asked by its own address it is seen as well as by loopback."""
    made, _ = container
    wrap = made.command
    with serving(tmp_path, "--everywhere", SMALL, wrap=lambda c: wrap(*c)) as told:
        port = told["url"].rpartition(":")[2]
        outside = Server(f"http://{made.there}:{port}")
        outside.preload(SMALL, "5m")
        urls = [f"http://{made.there}:{port}", f"http://127.0.0.1:{port}", f"http://0.0.0.0:{port}"]
        command = wrap(sys.executable, "-m", "tests.grounds.watch", *urls)
        for seen in watch_from(command, environment()):
            assert seen["error"] is None, seen
            assert [r[1] for r in seen["runners"]] == [SMALL], seen
            assert {r[0] for r in seen["runners"]} <= children(told["pid"])


def test_this_machines_names_and_addresses() -> None:
    names = ["localhost", "LOCALHOST", "127.0.0.1", "127.3.2.1", "[::1]", "0.0.0.0", "[::]"]
    names += [socket.gethostname(), socket.gethostname().upper()]
    names += ["[::ffff:127.0.0.1]", "a.localhost"]
    for card in psutil.net_if_addrs().values():
        names += [entry.address for entry in card if entry.family == socket.AF_INET]
    for name in names:
        assert Server(f"http://{name}:11434").is_local, name
    for name in ("192.0.2.1", "[2001:db8::1]", "example.invalid"):
        assert not Server(f"http://{name}:11434").is_local, name


def test_ipv6_loopback(server: Server, tmp_path: Path) -> None:
    need("socat")
    from tests.grounds.programs import free_port, listens, running

    port = free_port()
    target = server.url.partition("://")[2]
    command = ["socat", f"TCP6-LISTEN:{port},bind=[::1],fork,reuseaddr", f"TCP4:{target}"]
    if "::1" not in subprocess.run(["ip", "-6", "addr"], capture_output=True, text=True).stdout:
        pytest.skip("this machine has no IPv6")
    with running(command, lambda: listens(port, "::1"), tmp_path / "socat.txt"):
        for url in (f"http://[::1]:{port}", f"[::1]:{port}"):
            assert run_agent("hi", model=SMALL, server=Server(url), options=SHORT).answer


# --- two on one machine -------------------------------------------------------------------------


def test_two_ollamas_never_mix(server: Server, sandbox: Sandbox) -> None:
    """The same weights in both: their runners' command lines differ by folder and port only."""
    with Sandbox(models=[SMALL]) as other:
        there = Server(other.url)
        server.preload(SMALL, "5m")
        with watched(there) as monitor:
            assert not monitor.samples[-1].runners
        there.preload(SMALL, "5m")
        for one, box in ((server, sandbox), (there, other)):
            last = assert_sampled(one)
            assert last.runners is not None, "both can be seen"
            assert {runner.pid for runner in last.runners} <= children(box.pid)
        server.unload(SMALL)
        last = assert_sampled(there)
        assert last.runners is not None
        with watched(server) as monitor:
            assert monitor.samples[-1].runners == ()
