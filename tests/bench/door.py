"""What our connection adds to a run: a client as a run makes it, and one question by it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import ollama

from lifecycle_widgets.agent.requests.client import MeteredClient
from lifecycle_widgets.server import Server
from tests.recorded import RecordedServer
from tests.recorded import ollama as routes


def bench_door(row: Callable[[str, str], None], pairs: int = 40) -> None:
    """Ours against `ollama.Client()`, turn by turn: made, asked /api/chat once, closed."""
    with RecordedServer(routes()) as recorded:
        server = Server(recorded.url)
        theirs_s, ours_s, bare_s = [], [], []
        for _ in range(pairs):
            theirs_s.append(_seconds(lambda: _asked(ollama.Client(recorded.url))))
            ours_s.append(_seconds(lambda: _asked(MeteredClient(server))))
            kept = ollama.Client(recorded.url)
            bare_s.append(_seconds(lambda client=kept: _asked(client)))  # type: ignore[misc]
    ours, theirs, bare = (1e3 * statistics.median(s) for s in (ours_s, theirs_s, bare_s))
    row("a run's client made, and one answer by it: ollama.Client", f"{theirs:.1f} ms")
    row("the same: ours", f"{ours:.1f} ms, ratio {ours / theirs:.2f}")
    row("one answer by an ollama.Client that is made already", f"{bare:.1f} ms")
    row(
        "our connection adds to a run", f"{ours - bare:.1f} ms (ollama.Client: {theirs - bare:.1f})"
    )


def _asked(client: ollama.Client) -> None:
    message = {"role": "user", "content": "hi"}
    for _ in client.chat(model="tiny:1b", messages=[message], stream=True):
        pass
    client._client.close()


def _seconds(work: Callable[[], None]) -> float:
    began_s = time.perf_counter()
    work()
    return time.perf_counter() - began_s
