"""A request that asks a model nothing, and whose deadline is whose."""

from __future__ import annotations

import time
from datetime import datetime, timezone

import pytest

from lifecycle_widgets.server import Resident, Server
from lifecycle_widgets.server.own_deadlines import OwnDeadlines
from tests.sandbox.sandbox_tools import eventually

SMALL = "smollm2:135m"


def left_s(server: Server) -> float:
    resident = server.resident(SMALL)
    assert resident is not None
    return resident.expires_in_s() or 0.0


def test_it_begins_the_time_anew_with_the_value_in_force_or_another(server: Server) -> None:
    server.touch(SMALL, "1m")
    assert 55 < left_s(server) <= 60
    server.touch(SMALL, 30, kind="generate")
    server.touch(SMALL)
    assert eventually(lambda: 25 < left_s(server) <= 30, 1)  # set a moment after the answer


def test_zero_unloads_and_loads_nothing(server: Server) -> None:
    server.touch(SMALL, 0, kind="embed", options={"num_ctx": 1024})
    assert server.residents() == ()


def test_a_deadline_of_this_process_is_known_by_its_time_and_its_model(server: Server) -> None:
    server.preload(SMALL, "1m")
    resident = server.resident(SMALL)
    assert resident is not None
    again = Server(server.url).own_deadlines
    assert again.seconds(resident, server.same_model, tolerance_s=1) == 60
    assert again.seconds(resident, lambda *_: False, tolerance_s=1) is None
    server.client.generate(SMALL, keep_alive="2m")
    assert eventually(lambda: left_s(server) > 100, 1)
    resident = server.resident(SMALL)
    assert resident is not None
    assert again.seconds(resident, server.same_model, tolerance_s=1) is None


def test_what_a_request_has_set_does_not_outlive_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own, now_s = OwnDeadlines(), time.time()
    own.note("tiny", 300.0, began_at=now_s - 185)  # as one that was answered for three minutes
    theirs = datetime.fromtimestamp(now_s + 120, timezone.utc)
    resident = Resident("tiny", None, expires_at=theirs)
    assert own.seconds(resident, lambda *_: True, tolerance_s=1) == 300
    own.note("another", 300.0)
    monkeypatch.setattr(time, "time", lambda: now_s + 20)
    own.note("tiny", 60.0)
    assert own.seconds(resident, lambda one, _: one == "tiny", tolerance_s=1) is None


def test_forever_is_a_deadline_like_any_other(server: Server) -> None:
    server.preload(SMALL, "forever")
    resident = server.resident(SMALL)
    assert resident is not None
    assert resident.is_forever
    assert server.own_deadlines.seconds(resident, server.same_model, tolerance_s=1) is not None
