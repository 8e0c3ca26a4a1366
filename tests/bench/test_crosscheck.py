"""Each witness of the cross-checks once, on a real Ollama; and what their table says."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from itertools import pairwise

import pytest

from tests.bench.crosscheck.compare import compared
from tests.bench.crosscheck.relay import Relay
from tests.bench.crosscheck.stage import SMALL, TWIN, Stage, stage
from tests.bench.crosscheck.table import Comparison, told

if sys.platform != "linux":
    pytest.skip("the witnesses are Linux's: /proc and control groups", allow_module_level=True)


@pytest.fixture(scope="module")
def played() -> Iterator[Stage]:
    """A runner that was unloaded by us, one that served two and was killed, one that expired."""
    with stage(1, history_s=60, models=[SMALL]) as made:
        made.scene = "the test"
        made.ask(SMALL, "5m", by_relay=True)
        time.sleep(2 * made.monitor.interval_s)
        made.unload(SMALL)
        made.ask(TWIN, "5m", by_relay=False)
        made.ask(SMALL, "5m", by_relay=True)
        made.weigh()
        time.sleep(2 * made.monitor.interval_s)
        made.kill()
        time.sleep(0.3)
        made.ask(SMALL, 0, by_relay=True)
        made.until_gone(SMALL)
        time.sleep(2 * made.monitor.interval_s)
        made.ended_s = time.monotonic()
        yield made


@pytest.mark.slow
def test_the_log_tells_loads_tokens_and_departures(played: Stage) -> None:
    assert len(played.log.loads("began")) == len(played.log.loads("ended")) == 3
    first, third = played.asked[0].completions[0], played.asked[2].completions[0]
    assert first.cached == 0
    assert first.evaluated == first.prompt == third.prompt > 5
    assert third.cached == third.prompt - third.evaluated > 5, "the same prompt again"
    assert first.output == 6
    said = played.log.scheduler()
    assert {one.weights for one in said} == {played.weights[SMALL]}
    told = [one.what for one in said]
    assert told == [
        *("idle", "served", "unloaded"),
        *("idle", "served", "idle", "served", "evicted", "unloaded"),  # killed, and found dead
        *("zero", "served", "unloaded"),
    ]
    assert said[0].due_s - said[0].at_s == 300.0
    noticed_s = said[told.index("evicted")].at_s - played.wall_ahead_s
    assert noticed_s > (played.table.lives[1].ended_s or 0) + 0.1, "it had been killed before"
    assert played.unloaded == {played.table.lives[0].pid}


@pytest.mark.slow
def test_the_process_table_tells_lives(played: Stage) -> None:
    lives = played.table.lives
    assert [life.weights for life in lives] == [played.weights[SMALL]] * 3
    for before, life in pairwise(lives):
        assert before.ended_s is not None
        assert before.ended_s < life.began_s
    load, life = played.log.loads("ended")[0], lives[0]
    took_s = load.at_s - played.wall_ahead_s - life.began_s
    assert 0.1 < took_s < 30, "a load takes its time after the process has begun"


@pytest.mark.slow
def test_the_socket_tells_when_the_first_token_came(played: Stage) -> None:
    cold, direct, warm, zero = played.asked
    assert not direct.exchanges
    for asked in (cold, warm, zero):
        [exchange] = asked.exchanges
        assert asked.began_s < exchange.came_s <= exchange.sent_s
        assert exchange.token_s == exchange.text_s
        # on a busy machine the first token and the end can come in one read
        assert exchange.sent_s < (exchange.token_s or 0) <= (exchange.ended_s or 0) < asked.ended_s


@pytest.mark.slow
def test_the_kernel_tells_memory(played: Stage) -> None:
    [weighed] = played.weighed
    [pages] = weighed.pages.values()
    assert 150e6 < pages < 1e9
    if played.account is not None:
        assert weighed.account is not None
        assert 0.5 * pages < weighed.account < pages


@pytest.mark.slow
def test_all_agree_with_ours(played: Stage) -> None:
    """What can be counted, whatever else this machine does meanwhile."""
    comparisons = [c for c in compared(played) if c.differences and c.unit not in ("s", "ms")]
    assert len(comparisons) > 8
    assert not [c.number for c in comparisons if c.faults], told(comparisons)[0]


# --- without a model ------------------------------------------------------------------------------


def test_the_relays_clock() -> None:
    """A line that takes 0.3 s comes 0.3 s after the request, however it is cut into pieces."""
    pieces = [b'{"message":{"content":""}}\n', b'{"message":{"cont', b'ent":"Hi"}}\n']
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        there, _ = listener.accept()
        there.recv(65536)
        for piece in (*pieces, b'{"done":true}\n'):
            there.sendall(piece)
            time.sleep(0.15)
        there.close()

    threading.Thread(target=answer, daemon=True).start()
    with listener, Relay(listener.getsockname()[1]) as relay:
        port = int(relay.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"POST /api/chat HTTP/1.1\r\n\r\n{}")
            [exchange] = relay.exchanges(1)
            heard = b"".join(iter(lambda: client.recv(65536), b""))
    assert heard == b"".join(pieces) + b'{"done":true}\n'
    assert exchange.token_s is not None
    assert exchange.ended_s is not None
    assert exchange.token_s - exchange.sent_s == pytest.approx(0.3, abs=0.1)
    assert exchange.ended_s - exchange.token_s == pytest.approx(0.15, abs=0.1)


def test_a_table_says_what_is_beyond() -> None:
    count = Comparison("loads", "the log", "", 0, "counts")
    count.hold(3, 3, "first")
    assert (count.faults, "| 1 | 0 | 0 | 0 |" in count.row()) == ([], True)
    count.hold(1, 3, "second")
    count.hold(None, 3, "third")
    assert count.faults == ["second: 1, the witness says 3"]
    assert "| 2 (1 not told) | -1 | -2 | 0 |" in count.row()
    text, is_right = told([count])
    assert not is_right
    assert text.endswith("loads: second: 1, the witness says 3")


def test_a_table_takes_at_least_for_what_it_says() -> None:
    least = Comparison("requests", "the log", "", 0, "at least", is_least=True)
    least.hold(2, 5, "here")
    assert not least.faults
    least.hold(6, 5, "there")
    assert least.faults == ["there: 6, the witness says 5"]


def test_a_table_of_words_and_of_nothing() -> None:
    words = Comparison("why", "the log", "words", 0, "known")
    assert words.faults == ["nothing was compared"]
    words.hold_word("expired", {"expired", "evicted"}, "here")
    assert not words.faults
    words.hold_word("crashed", {"evicted"}, "there")
    assert words.faults == ["there: 'crashed', the witness says 'evicted'"]
    assert "| 1 differ | none differs |" in words.row()
