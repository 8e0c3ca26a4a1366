"""One monitor per server: leases on it, and what is left when they have ended."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator

import psutil
import pytest

from lifecycle_widgets.monitor import Monitor, Sample
from lifecycle_widgets.monitor.shared import Lease
from lifecycle_widgets.server import Server
from tests.recorded import RecordedServer, ollama

Eventually = Callable[..., None]
Threads = Callable[[], list[str]]


@pytest.fixture
def recorded() -> Iterator[RecordedServer]:
    with RecordedServer(ollama()) as server:
        yield server


def test_leases_share_one_monitor_which_ends_with_the_last(
    recorded: RecordedServer, eventually: Eventually, threads: Threads
) -> None:
    one, other = Monitor.shared(recorded.url), Monitor.shared(Server(recorded.url))
    assert isinstance(one, Monitor)
    assert one.is_running
    eventually(lambda: one.latest, "a sample")
    assert one.samples == other.samples
    assert threads().count("lifecycle-monitor") == 1
    one.release()
    one.release()  # harmless
    assert other.is_running
    count = len(other.samples)
    eventually(lambda: len(other.samples) > count, "samples for the other")
    other.stop()  # the same as a release
    assert not other.is_running
    assert threads() == []
    assert other.samples  # what was seen stays
    assert other.start() is other
    assert threads() == []
    with Monitor.shared(recorded.url) as third:
        assert third.is_running
        assert third.samples != other.samples
    assert threads() == []


def test_another_way_to_the_same_address_is_another_monitor(
    recorded: RecordedServer, threads: Threads
) -> None:
    plain = Server(recorded.url)
    keyed = Server(recorded.url, headers={"Authorization": "Bearer k"})
    with Monitor.shared(plain), Monitor.shared(keyed), Monitor.shared(Server(recorded.url)):
        assert threads().count("lifecycle-monitor") == 2
    assert threads() == []


def test_a_leases_listeners_end_with_it(recorded: RecordedServer, eventually: Eventually) -> None:
    heard: dict[str, list[Sample]] = {"one": [], "other": []}
    one, other = Monitor.shared(recorded.url), Monitor.shared(recorded.url)
    one.listen(heard["one"].append)
    unlisten = other.listen(heard["other"].append)
    eventually(lambda: all(heard.values()), "both hear")
    one.release()
    count = len(heard["one"])
    eventually(lambda: len(heard["other"]) > count + 2, "the other one hears on")
    assert len(heard["one"]) <= count + 1
    one.listen(heard["one"].append)  # too late
    unlisten()
    other.release()
    assert len(heard["one"]) <= count + 1


def test_a_lease_that_is_forgotten_is_released(
    recorded: RecordedServer, eventually: Eventually, threads: Threads
) -> None:
    heard: list[Sample] = []

    def lease() -> None:
        for _ in range(5):
            Monitor.shared(recorded.url).listen(heard.append)

    lease()
    gc.collect()
    eventually(lambda: threads() == [], "the monitor has ended by itself", within_s=5)


def test_a_listener_may_release_its_lease(
    recorded: RecordedServer, eventually: Eventually, threads: Threads
) -> None:
    lease = Monitor.shared(recorded.url)
    lease.listen(lambda _: lease.release())
    eventually(lambda: threads() == [], "the monitor has ended", within_s=5)


def test_what_any_leases_server_unloaded_is_requested(recorded: RecordedServer) -> None:
    first, second = Server(recorded.url), Server(recorded.url)
    with Monitor.shared(first) as one, Monitor.shared(second) as other:
        other.read()
        second.unloads.append(("tiny:1b", time.monotonic()))
        recorded.routes["/api/ps"] = {"models": []}
        other.read()
        assert [stay.why for stay in one.residencies()] == ["requested"]
        other.release()
        one.read()
        assert [stay.why for stay in one.residencies()] == ["requested"]


def test_nothing_is_left_after_many(
    recorded: RecordedServer, eventually: Eventually, threads: Threads
) -> None:
    def connections() -> int:
        port = int(recorded.url.rpartition(":")[2])
        all_ = psutil.Process().net_connections(kind="tcp")
        return sum(bool(c.raddr) and c.raddr.port == port for c in all_)

    def watch_at_once() -> None:
        leases = [Monitor.shared(Server(recorded.url)) for _ in range(20)]
        for lease in leases:
            lease.listen(lambda _: None)
        eventually(lambda: leases[0].latest, "a sample")
        assert len(threads()) == 2
        for lease in leases:
            lease.release()

    def watch_in_turn() -> None:
        for _ in range(20):
            with Monitor.shared(recorded.url) as lease:
                lease.read()

    before = connections()
    watch_at_once()
    watch_in_turn()
    assert threads() == []
    gc.collect()
    eventually(lambda: connections() <= before, "no connection is left")


class _Collected:
    """Part of a cycle, so that Python collects it whenever it likes; it gives back its lease."""

    def __init__(self, url: str) -> None:
        self.lease, self.itself = Lease(Server(url), 0.5, 60.0), self

    def __del__(self) -> None:
        self.lease.release()


def test_a_lease_that_python_collects_while_another_is_taken_blocks_nobody() -> None:
    """A chart that is collected closes itself, in any thread, whatever locks that has."""

    def work() -> None:
        for number in range(4):
            _Collected(f"192.0.2.{number + 1}")
            Lease(Server("192.0.2.99"), 0.5, 60.0).release()

    before = gc.get_threshold()
    thread = threading.Thread(target=work, daemon=True)
    try:
        gc.set_threshold(1, 1, 1)
        thread.start()
        thread.join(60.0)
    finally:
        gc.set_threshold(*before)
    assert not thread.is_alive()
    gc.collect()
