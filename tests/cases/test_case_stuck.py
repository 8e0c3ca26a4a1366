"""A model that does not leave: both causes, how to tell them apart, and the cure for each."""

from __future__ import annotations

import pytest

from lifecycle_widgets import Server
from tests.cases.case_tools import assert_readable
from tests.recorded import RecordedServer, final, ollama, resident


@pytest.mark.parametrize(
    "expires_at", ["2026-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "0001-01-01T00:00:00Z", None]
)
def test_stuck_in_stopping(expires_at: str | None) -> None:
    """Case 11."""
    routes = ollama(
        ps={"models": [resident(expires_at=expires_at)]},
        generate=final(response="", done_reason="unload"),
    )
    with RecordedServer(routes) as recorded, pytest.raises(TimeoutError) as stuck:
        Server(recorded.url).unload("tiny:1b", timeout_s=0.3)
    said = str(stuck.value)
    assert len(said) < 700
    assert "\n" not in said
    assert "request" in said, "it may be busy"
    assert any(word in said.lower() for word in ("stuck", "restart", "start ollama", "anew"))


def test_a_server_that_tells_no_residents_says_that_it_cannot_be_seen() -> None:
    """Unloading is asked for; whether it has left is not told, and that is no fault."""
    with RecordedServer(ollama(ps=None, generate=final(response=""))) as recorded:
        server = Server(recorded.url)
        try:
            server.unload("tiny:1b", timeout_s=0.3)
        except Exception as fault:
            assert_readable(str(fault))
        assert len(recorded.asked("/api/generate")) == 1
