"""A model stays in memory between the requests of a run, and leaves as chosen after the last."""

from __future__ import annotations

from pathlib import Path

from embedder import EMBEDDER, make_embedder
from hold_tools import SMALL, Holds, is_gone, left_s, pause, step, there

from lifecycle_widgets.agent.hold import LEASE_S
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Server
from tests.sandbox.sandbox_tools import eventually

F16 = "smollm2:135m-f16"


def test_held_between_two_requests_and_unloaded_after_the_last(
    holds: Holds, server: Server
) -> None:
    hold = holds()
    assert step(hold, server) is True
    pause(0.3)
    assert step(hold, server) is False
    hold.release(server, SMALL)
    assert is_gone(server)
    assert hold.close(5) == ()


def test_without_a_lease_each_request_loads(holds: Holds, server: Server) -> None:
    hold = holds(lease_s=0)
    assert step(hold, server)
    assert is_gone(server)
    assert step(hold, server)
    assert hold.close(5) == ()


def test_a_short_keep_alive_begins_at_the_release(holds: Holds, server: Server) -> None:
    hold = holds()
    step(hold, server, "5s")
    assert left_s(server) > LEASE_S - 2
    hold.release(server, SMALL)
    assert hold.close(5) == ()
    assert eventually(lambda: 3 < left_s(server) <= 5, 1)  # set a moment after the answer


def test_it_is_renewed_while_a_tool_runs(holds: Holds, server: Server) -> None:
    hold = holds(lease_s=1.5)
    step(hold, server)
    pause(4)
    assert left_s(server) > 0.3
    assert step(hold, server) is False
    assert hold.close(5) == ()
    assert is_gone(server)


def test_a_renewal_has_the_options_of_the_request(holds: Holds, server: Server) -> None:
    hold, options = holds(lease_s=1.5), {"num_ctx": 1024, "num_predict": 2}
    step(hold, server, options=options)
    pause(2)
    assert there(server).context_length == 1024
    assert step(hold, server, options=options) is False
    hold.close(5)


def test_what_is_longer_than_the_lease_or_not_chosen_is_sent_as_it_is(
    holds: Holds, server: Server
) -> None:
    hold = holds(lease_s=2)
    for chosen in ("5m", "forever", None, "2s"):
        assert hold.asked(server, SMALL, KeepAlive(chosen), {}) == KeepAlive(chosen)
        hold.ended(server, SMALL)
    hold.release(server, SMALL)
    assert hold.close(1) == ()
    assert server.residents() == ()


def test_the_first_model_leaves_while_the_second_works(holds: Holds, server: Server) -> None:
    hold = holds()
    step(hold, server)
    hold.release(server, SMALL)
    step(hold, server, model=F16)
    assert is_gone(server)
    assert left_s(server, F16) > 10
    assert hold.close(5) == ()
    assert is_gone(server, model=F16)


def test_two_names_of_one_weights_are_one_hold(holds: Holds, server: Server) -> None:
    server.client.copy(SMALL, "alias")
    try:
        hold = holds()
        step(hold, server)
        hold.asked(server, "alias", KeepAlive(0), {})
        hold.release(server, SMALL)
        assert not is_gone(server, 0.5)  # a request of it is under way, by the other name
        hold.ended(server, "alias")
        assert is_gone(server)
        assert hold.close(5) == ()
    finally:
        server.client.delete("alias")


def test_a_release_waits_for_the_request_of_another_branch(holds: Holds, server: Server) -> None:
    hold = holds(lease_s=3)
    step(hold, server)
    hold.asked(server, SMALL, KeepAlive(0), {})
    hold.release(server, SMALL)
    pause(0.5)
    assert there(server)
    hold.ended(server, SMALL)
    assert is_gone(server)
    assert hold.close(5) == ()


def test_an_answer_that_is_read_slowly_has_ended_when_ollama_ended_it(
    holds: Holds, server: Server
) -> None:
    hold = holds(lease_s=6)
    step(hold, server, after=lambda: pause(2.5))
    assert hold.close(5) == ()
    assert is_gone(server)


def test_asked_again_after_a_release_it_is_held_again(holds: Holds, server: Server) -> None:
    hold = holds(lease_s=1.5)
    step(hold, server)
    hold.release(server, SMALL)
    assert is_gone(server)
    step(hold, server)
    pause(2)
    assert there(server)
    assert hold.close(5) == ()
    assert is_gone(server)


def test_a_model_that_only_makes_embeddings(holds: Holds, server: Server, tmp_path: Path) -> None:
    make_embedder(server, tmp_path)
    try:
        hold = holds(lease_s=1.5)
        sent = hold.asked(server, EMBEDDER, KeepAlive(0), {}, "embed")
        server.client.embeddings(model=EMBEDDER, prompt="Hello", keep_alive=sent.to_json())
        hold.ended(server, EMBEDDER, loaded=True)
        pause(2)
        assert there(server, EMBEDDER)
        assert hold.close(5) == ()
        assert is_gone(server, model=EMBEDDER)
    finally:
        server.client.delete(EMBEDDER)


def test_close_may_be_called_again_and_without_any_request(holds: Holds, server: Server) -> None:
    hold = holds()
    hold.release(server, SMALL)
    hold.ended(server, SMALL)
    assert hold.close(1) == hold.close(1) == ()
    assert hold.asked(server, SMALL, KeepAlive(0), {}) == KeepAlive(0)  # not held any more
