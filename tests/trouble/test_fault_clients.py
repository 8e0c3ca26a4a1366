"""Many clients at once, clients that vanish, and one that reads a byte a second."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from trouble_tools import SMALL, is_resident, left, until, works

from lifecycle_widgets.agent import AgentRun, run_agent
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import VARIABLE
from lifecycle_widgets.server import Server, ServerError
from tests.sandbox.sandbox_tools import runners

ONE = {"num_predict": 1}


def send(box: Sandbox, body: dict[str, Any], receive_bytes: int | None = None) -> socket.socket:
    """A client of its own that has asked, and has not read anything yet."""
    client = socket.socket()
    if receive_bytes is not None:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    client.connect(("127.0.0.1", box.port))
    text = json.dumps(body).encode()
    head = f"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(text)}\r\n\r\n"
    client.sendall(head.encode() + text)
    return client


def begun(clients: list[socket.socket], count: int) -> bool:
    """Whether so many of the clients have got something."""
    return len(select.select(clients, [], [], 0)[0]) >= count


def vanish(client: socket.socket) -> None:
    """Go without a word: a reset, as from a program that was killed."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


@pytest.mark.slow
def test_two_hundred_runs_at_once_are_all_answered(server: Server) -> None:
    runs = [AgentRun(f"Say {n}.", model=SMALL, server=server, options=ONE) for n in range(200)]
    for run in runs:
        run.start()
    done = [run.wait(120) for run in runs]
    assert all(run.answer for run in done)
    assert all(run.timings.output_tokens == 1 for run in done)
    assert len({run.prompt for run in done}) == 200
    works(server)


def test_a_full_queue_is_said_to_each_whom_it_refuses_and_the_others_are_answered() -> None:
    with Sandbox(models=[SMALL], OLLAMA_MAX_QUEUE=4) as box:
        server = Server(box.url, quick_timeout_s=30.0)

        def ask(number: int) -> str:
            try:
                return (
                    "answered"
                    if run_agent(f"Say {number}.", model=SMALL, server=server, options=ONE).answer
                    else "empty"
                )
            except ServerError as refused:
                return str(refused)

        with ThreadPoolExecutor(40) as pool:
            told = Counter(pool.map(ask, range(40)))
        assert told.pop("answered") >= 4
        [(refusal, count)] = told.items()
        assert count > 4
        assert "Its queue is full (OLLAMA_MAX_QUEUE): ask again when less is waiting." in refusal
        works(server)
        server.close()


def test_clients_that_vanish_in_mid_answer_leave_the_model_idle() -> None:
    with (
        Sandbox(models=[SMALL], OLLAMA_KEEP_ALIVE="2s", OLLAMA_NUM_PARALLEL=4) as box,
        Monitor(Server(box.url)) as monitor,
    ):
        story = {"model": SMALL, "prompt": "Tell a long story.", "options": {"num_predict": 3000}}
        for how in (vanish, socket.socket.close):
            clients = [send(box, story) for _ in range(8)]
            # as many as there are places; the others wait for one
            until(partial(begun, clients, 4), "four answers have begun")
            for client in clients:
                how(client)
        works(monitor.server)  # is answered at once, and then nobody holds the model
        until(lambda: left(monitor) == [(SMALL, "expired")], "expired", 20.0)
        monitor.server.close()


def test_clients_that_vanish_during_a_load_end_it_but_not_for_one_that_stays(
    tmp_path: Path,
) -> None:
    slow = tmp_path / "trouble.json"
    slow.write_text(json.dumps({"load_delay_s": 60}))
    with Sandbox(models=[SMALL], runner_env={VARIABLE: str(slow)}) as box:
        server = Server(box.url)
        ask = {"model": SMALL, "prompt": "Hi.", "options": ONE}
        clients = [send(box, ask) for _ in range(10)]
        until(lambda: runners(box.pid), "the load has begun")
        slow.write_text(json.dumps({"load_delay_s": 0.5}))
        staying = AgentRun("Hi.", model=SMALL, server=server, options=ONE).start()
        for client in clients:
            vanish(client)
        assert staying.wait(30).answer
        assert len(runners(box.pid)) == 1
        server.unload(SMALL)
        slow.write_text(json.dumps({"load_delay_s": 60}))
        clients = [send(box, ask) for _ in range(10)]
        until(lambda: runners(box.pid), "the load has begun")
        for client in clients:
            vanish(client)
        until(lambda: not runners(box.pid), "nobody waits: the load is given up")
        slow.unlink()
        works(server)
        server.close()


@pytest.mark.slow
def test_a_client_that_reads_a_byte_a_second_holds_its_model_and_nobody_else(
    tmp_path: Path,
) -> None:
    # more than all buffers between the two can hold, in tokens that differ (Ollama ends an answer
    # whose token repeats)
    trouble = tmp_path / "trouble.json"
    text = " ".join(f"{n}" + "x" * 100_000 for n in range(300))
    trouble.write_text(json.dumps({"script": [{"text": text}]}))
    reading, stop = [0], threading.Event()

    def read_slowly(client: socket.socket) -> None:
        while not stop.wait(1.0):
            reading[0] += len(client.recv(1))

    with (
        Sandbox(
            models=[SMALL, f"{SMALL}-f16"],
            runner_env={VARIABLE: str(trouble)},
            OLLAMA_KEEP_ALIVE="1s",
            OLLAMA_NUM_PARALLEL=2,
        ) as box,
        Monitor(Server(box.url)) as monitor,
    ):
        server = monitor.server
        client = send(box, {"model": SMALL, "prompt": "Go on."}, receive_bytes=4096)
        thread = threading.Thread(target=read_slowly, args=(client,))
        thread.start()
        until(lambda: is_resident(monitor), "resident")
        began_s = time.monotonic()
        trouble.unlink()
        works(server, f"{SMALL}-f16")  # another model
        quick = server.client.generate(model=SMALL, prompt="Hi.", keep_alive=1, stream=True)
        assert next(quick)  # and the same one, in its other place
        quick.close()
        until(lambda: time.monotonic() - began_s > 6.0, "six times its keep_alive")
        assert server.resident(SMALL) is not None, "it is busy as long as the client reads"
        assert reading[0] >= 1
        stop.set()
        thread.join()
        vanish(client)
        until(lambda: (SMALL, "expired") in left(monitor), "it leaves when the client has gone")
        assert works(server)
        server.close()
