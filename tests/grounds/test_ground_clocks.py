"""A server whose clock differs by two minutes: a real Ollama, with its times shifted on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from lifecycle_widgets import Server, run_agent
from tests.cases.case_tools import wait_until, watched
from tests.grounds.clock_relay import shifted
from tests.grounds.ground_tools import SHORT, SMALL


@pytest.mark.parametrize("ahead_s", [120.0, -120.0, 90_000.0])
def test_a_clock_that_differs(server: Server, ahead_s: float) -> None:
    server.preload(SMALL, "5m")
    with shifted(server.url, ahead_s) as recorded:
        other = Server(recorded.url)
        other.models()
        [held], [true] = other.residents(), server.residents()
        assert other.clock_offset_s == pytest.approx(ahead_s, abs=2.5)
        assert held.expires_in_s() == pytest.approx(true.expires_in_s(), abs=2.5)
        with watched(other) as monitor:
            at = monitor.samples[-1].residents[0].expires_at  # type: ignore[index]
            assert at is not None
            assert true.expires_at is not None
            assert abs(at - true.expires_at) < timedelta(seconds=3)


def test_an_expiry_is_an_expiry_whatever_the_clock(server: Server) -> None:
    with shifted(server.url, 120.0) as recorded:
        other = Server(recorded.url)
        with watched(other) as monitor:
            run_agent("hi", model=SMALL, keep_alive="2s", server=other, options=SHORT)
            wait_until(lambda: [s for s in monitor.residencies() if s.until], "it has left", 30)
            [stay] = monitor.residencies()
            assert stay.why == "expired"


def test_a_clock_that_is_right_is_left_alone(server: Server) -> None:
    server.preload(SMALL, "5m")
    for _ in range(5):
        server.residents()
    assert server.clock_offset_s == 0.0
