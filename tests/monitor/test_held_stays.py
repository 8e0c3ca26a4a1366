"""A model that a run has held is one stay, and with keep_alive 0 it has expired."""

from __future__ import annotations

from collections.abc import Callable

from lifecycle_widgets.agent.hold import Hold
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.server import Server

MODEL, FEW = "smollm2:135m", {"num_predict": 4}
Eventually = Callable[..., None]


def test_two_held_requests_with_keep_alive_0_are_one_stay_that_expired(
    server: Server, eventually: Eventually
) -> None:
    hold = Hold()
    with Monitor(server) as monitor:
        eventually(lambda: monitor.latest, "a first sample")
        for _ in range(2):
            sent = hold.asked(server, MODEL, KeepAlive(0), FEW)
            server.client.generate(MODEL, "Hello", options=FEW, keep_alive=sent.to_json())
            hold.ended(server, MODEL)
            eventually(lambda: monitor.latest and monitor.latest.residents, "it was seen")
        assert hold.close(5) == ()
        eventually(lambda: monitor.residencies()[-1].until, "it has left")
        assert [(stay.why, stay.loads) for stay in monitor.residencies()] == [("expired", 1)]
