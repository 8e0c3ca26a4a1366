"""What other clients have asked for is not shortened by a hold, and `close` says what stays."""

from __future__ import annotations

import time

import pytest
from hold_tools import (
    SHORT,
    SMALL,
    Holds,
    ends,
    is_gone,
    left_s,
    other_client,
    other_client_begins,
    pause,
    step,
    there,
)

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Server
from tests.sandbox.sandbox_tools import eventually


def test_a_later_deadline_is_kept(holds: Holds, server: Server) -> None:
    other_client(server, "1m")
    hold = holds(lease_s=2)
    assert hold.asked(server, SMALL, KeepAlive(0), SHORT) == KeepAlive()
    hold.ended(server, SMALL)
    step(hold, server)
    said = hold.close(5)
    assert 55 < left_s(server) <= 60
    assert len(said) == 1
    assert said[0].startswith(f"{SMALL} stays in memory until ")


def test_forever_is_kept(holds: Holds, server: Server) -> None:
    other_client(server, -1)
    hold = holds(lease_s=2)
    step(hold, server)
    assert hold.close(5) == (
        f"{SMALL} stays in memory: a request outside this run has asked for that.",
    )
    assert there(server).is_forever


def test_one_that_came_meanwhile_is_kept(holds: Holds, server: Server) -> None:
    hold = holds(lease_s=2)
    step(hold, server)
    other_client(server, "1m")
    pause(1)  # a renewal is due
    step(hold, server)
    assert len(hold.close(5)) == 1
    assert left_s(server) > 50


def test_a_request_under_way_at_the_release_keeps_what_it_asked_for(
    holds: Holds, server: Server
) -> None:
    hold = holds()
    step(hold, server)
    pause(0.3)  # its deadline is set
    theirs = other_client_begins(server, 2000, "1m")  # /api/ps shows nothing of it
    said = hold.close(5)
    theirs.hang_up()
    pause(0.5)
    assert left_s(server) > 50
    assert said == (
        f"{SMALL} was not released: another request is being answered. It leaves as that one has "
        "asked, else 20 s after it.",
    )


def test_a_request_under_way_at_a_renewal_keeps_what_it_asked_for(
    holds: Holds, server: Server
) -> None:
    hold = holds(lease_s=2)
    step(hold, server)
    theirs = other_client_begins(server, 2000, "1m")
    pause(0.8)
    theirs.hang_up()
    pause(0.5)
    assert left_s(server) > 50
    hold.close(5)


def test_a_request_under_way_at_the_next_step_keeps_what_it_asked_for(
    holds: Holds, server: Server
) -> None:
    hold = holds(lease_s=4)
    step(hold, server)
    theirs = other_client_begins(server, 100, "1m")
    step(hold, server)  # in its turn
    ends(theirs)
    assert len(hold.close(5)) == 1
    assert left_s(server) > 50


def test_where_a_sooner_deadline_was_it_stays_until_then(holds: Holds, server: Server) -> None:
    other_client(server, 6)
    hold = holds()
    step(hold, server)
    assert eventually(lambda: left_s(server) > 15, 1)
    (said,) = hold.close(5)
    assert "stays in memory until" in said
    assert eventually(lambda: 2 < left_s(server) < 7, 1)


def test_one_that_wants_it_for_less_does_not_end_the_hold(holds: Holds, server: Server) -> None:
    hold = holds(lease_s=6)
    step(hold, server)
    step(hold, server)  # the hold knows its context then
    other_client(server, 2)
    pause(2.7)
    assert left_s(server) > 2
    hold.close(5)
    assert is_gone(server)


def test_what_this_process_asked_for_before_is_not_another_clients(
    holds: Holds, server: Server
) -> None:
    server.preload(SMALL, "5m")
    hold = holds()
    step(hold, server, 0)
    assert hold.close(5) == ()
    assert is_gone(server)
    one, other = holds(), holds()
    step(one, server, "forever")
    step(other, server, 0)
    assert other.close(5) == ()
    assert is_gone(server)


def test_the_servers_default_by_a_load_of_ours_is_not_either(holds: Holds, server: Server) -> None:
    first = holds()
    assert step(first, server, None)
    assert left_s(server) > 290
    second = holds()
    step(second, server, 0)
    assert second.close(5) == first.close(5) == ()
    assert is_gone(server)


def test_two_runs_hold_one_model_and_the_last_lets_it_go(holds: Holds, server: Server) -> None:
    one, two = holds(), holds()
    step(one, server)
    step(two, server)
    assert one.close(5) == ()
    assert left_s(server) > 15
    assert two.close(5) == ()
    assert is_gone(server)


def test_what_was_unloaded_meanwhile_is_not_loaded_again(holds: Holds, server: Server) -> None:
    hold = holds(lease_s=2)
    step(hold, server)
    server.unload(SMALL)
    assert not eventually(lambda: server.residents(), 1.8)  # renewals are due meanwhile
    hold.release(server, SMALL)
    assert hold.close(5) == ()
    assert server.residents() == ()


def test_with_another_context_meanwhile_it_is_not_loaded_again(
    holds: Holds, server: Server
) -> None:
    hold = holds(lease_s=12)
    step(hold, server)
    began_s = time.monotonic()
    other_client(server, 4, num_ctx=1024)
    pause(began_s + 3.5 - time.monotonic())  # a renewal is due after 3 s
    assert there(server).context_length == 1024
    hold.close(5)
    assert is_gone(server)


OTHERS = [({}, {"num_ctx": 1024}), ({"num_ctx": 1024}, {}), ({"num_ctx": 1024}, {"num_ctx": 512})]


@pytest.mark.parametrize(("theirs", "ours"), OTHERS)
def test_other_options_than_another_clients_keep_what_is_left_of_its_time(
    holds: Holds, server: Server, theirs: dict[str, int], ours: dict[str, int]
) -> None:
    other_client(server, "1m", **theirs)
    hold = holds(lease_s=2)
    assert step(hold, server, options={**SHORT, **ours})  # it loads, as without a hold
    pause(0.3)
    assert len(hold.close(5)) == 1
    assert 50 < left_s(server) < 62


def test_options_that_end_another_clients_runner_go_with_what_is_left(
    holds: Holds, server: Server
) -> None:
    other_client(server, "1m")
    hold, options = holds(lease_s=2), {"num_ctx": 1024}
    sent = hold.asked(server, SMALL, KeepAlive(0), options)
    assert 55 < (sent.seconds or 0) <= 60
    other_client(server, -1)
    assert eventually(lambda: there(server).is_forever, 1)
    assert hold.asked(server, SMALL, KeepAlive(0), options).is_forever
    hold.close(5)


def test_a_load_without_a_keep_alive_gets_the_lease(holds: Holds, server: Server) -> None:
    other_client(server, "1m")
    hold = holds(lease_s=2)
    left = step(hold, server, before=lambda: server.unload(SMALL))  # it left after the look
    assert left is True
    pause(0.5)
    assert 0 < left_s(server) <= 2
    assert hold.close(5) == ()
    assert is_gone(server)
