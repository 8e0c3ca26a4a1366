"""How long a load usually takes: of what this process has seen, by server and weights."""

from __future__ import annotations

import threading

from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.agent.usual_load import note_load, usual_load_s
from lifecycle_widgets.server import Server

MODEL, ALIAS = "smollm2:135m", "usual-load-alias"


def nobody(port: int) -> Server:
    """A server of which nothing is told: its models are known by their names."""
    return Server(f"localhost:{port}")


def test_the_median_of_the_last_twenty_and_no_guess() -> None:
    server = nobody(1)
    assert usual_load_s(server, "a") is None
    for load_s in [100.0] * 30 + [float(s) for s in range(1, 21)]:
        note_load(server, "a", load_s)
    assert usual_load_s(server, "a") == 10.5
    assert usual_load_s(server, "A:latest") == 10.5, "the same name"
    assert usual_load_s(server, "b") is None
    assert usual_load_s(nobody(2), "a") is None


def test_it_is_bounded_and_the_latest_stay() -> None:
    server = nobody(3)
    note_load(server, "old", 1.0)
    for number in range(200):
        note_load(server, f"m{number}", 2.0)
    assert usual_load_s(server, "old") is None
    assert usual_load_s(server, "m0") == usual_load_s(server, "m199") == 2.0


def test_several_threads_may_note() -> None:
    server = nobody(4)
    work = [
        threading.Thread(target=lambda: [note_load(server, "a", 3.0) for _ in range(200)])
        for _ in range(4)
    ]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    assert usual_load_s(server, "a") == 3.0


def test_a_run_notes_its_load_for_the_weights(server: Server) -> None:
    server.client.create(model=ALIAS, from_=MODEL)
    before = usual_load_s(server, MODEL)
    run = run_agent("Hi", model=MODEL, keep_alive="1m", server=server, options={"num_predict": 1})
    seen = usual_load_s(server, MODEL)
    assert seen is not None
    assert before is not None or seen == run.timings.load_s
    assert usual_load_s(server, ALIAS) == seen, "another name of the same weights"
    run_agent("Hi", model=MODEL, server=server, options={"num_predict": 1})
    assert usual_load_s(server, MODEL) == seen, "this one was not loaded"
    server.client.delete(ALIAS)
