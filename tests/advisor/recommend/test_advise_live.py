"""With a real Ollama: what an agent's runs have left in the history is enough for an advice."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.recommend.advise import advise
from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.history import History
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.server import Server

MODEL = "smollm2:135m"
SAID = [("Count.", "one two three " * 80)]  # what a reload has to read again


def test_what_runs_have_left_is_measured(server: Server, tmp_path: Path) -> None:
    """L is the load and the prompt; today's value is the one that was sent last."""
    with History(tmp_path / "h.sqlite") as history, Monitor.shared(server) as monitor:
        with history.keep(monitor):
            for _ in ("cold", "warm"):
                run_agent(
                    "Go on.",
                    model=MODEL,
                    server=server,
                    keep_alive=30,
                    history=SAID,
                    options={"num_predict": 1},
                )
        one = advise(history, price=Price(s_per_gb_min=1.0)).model(MODEL)
    assert one.evidence.witnesses[0] == "own"
    assert (one.evidence.requests, one.today) == (2, KeepAlive(30))
    assert one.reload is not None
    assert one.reload.load_s is not None
    assert one.reload.prompt_s is not None
    assert one.reload.load_s.median > 0.2
    assert one.reload.prompt_s.median > 0.01
    assert one.reload.held_bytes is not None
    assert one.t_star_s == pytest.approx(
        (one.reload.seconds or 0.0) / (one.reload.held_bytes / 1e9 / 60)
    )
    assert not one.is_enough
