"""AdaptiveKeepAlive: goes wherever a keep_alive goes, and is plain wherever it is kept."""

from __future__ import annotations

import copy
import pickle
import threading
import time

import numpy as np
import pytest
from ollama._types import ChatRequest

from lifecycle_widgets import KeepAlive
from lifecycle_widgets.advisor.adaptive.adaptive import AdaptiveKeepAlive
from lifecycle_widgets.advisor.adaptive.learner import rounded_up
from lifecycle_widgets.advisor.policies.advice import advice
from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.workload.workload import Stream, Workload
from lifecycle_widgets.agent import StructureRun, checked_keep_alives
from lifecycle_widgets.code_snippets import snippets
from lifecycle_widgets.griptape_code import griptape_code
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets import AgentPanel

NOTHING = Workload((), "nothing")
FIRST = KeepAlive(rounded_up(advice(120.0).next_ttl_s(), 120.0))
"""What is sent at a T* of two minutes, while no gap has been seen."""
AT_ONCE = [KeepAlive(s) for s in range(7)]  # about what is sent where each gap was an hour


def server(port: int = 1) -> Server:
    """One that is not there: what a test notes of it is all that is known."""
    return Server(f"http://127.0.0.1:{port}")


def every(gap_s: float, name: str = "a:latest", times: int = 9) -> Stream:
    at = (gap_s + 5) * np.arange(times)
    return Stream(name, at, at + 5, np.full(times - 1, True), times)


def long_gaps(*names: str, ago_s: float = 0.0) -> Workload:
    streams = tuple(every(3600.0, name) for name in names)
    return Workload(streams, "a test", origin_s=time.time() - ago_s - streams[0].span_s)


def noted(server: Server, model: str, ended_ago_s: float, load_s: float | None = None) -> None:
    """A request of this process has ended so long ago; it took a second."""
    with server.own_requests.noted(model, "chat") as one:
        one.load_s = load_s
    one.ended_s = time.monotonic() - ended_ago_s
    one.began_s = one.ended_s - 1


def test_as_a_value_it_is_what_it_would_send_now() -> None:
    adaptive = AdaptiveKeepAlive(120, history=NOTHING)
    assert (adaptive.seconds, adaptive.is_adaptive) == (FIRST.seconds, True)
    plain = KeepAlive(adaptive)
    assert type(plain) is KeepAlive
    assert plain == FIRST == adaptive.would_send() == adaptive.would_send("a")
    assert adaptive != plain  # nor is it mistaken for it where a choice is compared
    assert (str(adaptive), adaptive.is_default) == (f"adaptive, now {FIRST}", False)
    assert "No gap has been seen yet" in adaptive.for_model("a").explain()


def test_what_is_copied_teaches_the_same_and_what_is_kept_is_plain() -> None:
    adaptive = AdaptiveKeepAlive(120, history=NOTHING)
    assert copy.deepcopy({"keep_alive": adaptive})["keep_alive"] is adaptive
    assert pickle.loads(pickle.dumps(adaptive)) == FIRST
    sent = f'"keep_alive": {FIRST.to_json()}'
    assert sent in griptape_code(model="a", keep_alive=adaptive)
    assert sent in snippets("a", adaptive)["curl"]


def test_it_stays_what_it_is_on_its_way_to_a_request() -> None:
    adaptive = AdaptiveKeepAlive(120, history=NOTHING)
    assert KeepAlive.of(adaptive) is adaptive
    chosen = checked_keep_alives({"a": adaptive, "b": 0}, ["a:latest", "b"])
    assert chosen == {"a:latest": adaptive, "b": KeepAlive(0)}
    assert checked_keep_alives(adaptive, ["a"]) == {"a": adaptive}


def test_in_a_structure_it_is_asked_per_model_and_told_what_is_certain() -> None:
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.structures import Pipeline
    from griptape.tasks import PromptTask

    adaptive = AdaptiveKeepAlive(120, history=long_gaps("a", "b"))
    own = {"keep_alive": adaptive}
    drivers = [OllamaPromptDriver(model=name, extra_params=own) for name in ("a", "b", "a")]
    tasks = [PromptTask("Hi", prompt_driver=driver) for driver in drivers]
    run = StructureRun(Pipeline(tasks=tasks), server=server())
    a, b = run._staged.models  # type: ignore[union-attr]
    assert a.choice is b.choice is adaptive
    assert a.choose(more=a.is_certain_again({tasks[0].id})) == KeepAlive("2m")
    assert a.choose(more=a.is_certain_again({task.id for task in tasks})) in AT_ONCE
    assert b.choose(more=b.is_certain_again({tasks[0].id, tasks[1].id})) in AT_ONCE
    assert type(a.chosen) is KeepAlive
    assert run._staged.is_held  # type: ignore[union-attr]
    assert adaptive.would_send("a") == a.chosen


def test_it_learns_from_this_process_s_requests() -> None:
    adaptive, here = AdaptiveKeepAlive(30, history=NOTHING), server(2)
    for ago_s in (40_000.0, 30_000.0, 20_000.0, 10_000.0):
        noted(here, "a", ago_s)
    noted(here, "b", 5_000.0)
    assert adaptive.for_request("a:latest", here) in AT_ONCE
    assert adaptive.gaps == 4  # the last one has ended now
    assert "4 gaps of its own" in adaptive.why("a")
    assert adaptive.slack == 3.0  # none of these was its to pay for
    assert adaptive.for_request("A", here) in AT_ONCE  # the same model
    assert adaptive.gaps == 4  # and no gap has ended since


def test_it_starts_from_the_history_and_from_other_models() -> None:
    adaptive = AdaptiveKeepAlive(30, history=long_gaps("a", ago_s=60.0), server=server(3))
    assert adaptive.would_send("a") in AT_ONCE
    assert adaptive.gaps == 0  # none was asked yet
    assert adaptive.for_model("a").gaps == 8
    assert adaptive.would_send("b") in AT_ONCE
    assert "0 gaps of its own and 8 of other models" in adaptive.why("b")


def test_what_this_process_has_seen_is_not_learnt_from_the_history_as_well() -> None:
    here, kept = server(4), every(3600.0, "a")
    for began_s, ended_s in zip(kept.busy_from_s[6:], kept.busy_until_s[6:], strict=True):
        noted(here, "a", kept.span_s - ended_s + 10.0)
        own = here.own_requests.all()[-1]
        own.began_s = own.ended_s - (ended_s - began_s)  # type: ignore[operator]
    workload = Workload((kept,), "a test", origin_s=time.time() - kept.span_s - 10.0)
    adaptive = AdaptiveKeepAlive(30, history=workload)
    adaptive.for_request("a", here)
    assert adaptive.gaps == 9  # six before them, two between, and the one that ends now


def test_a_driver_that_takes_it_for_a_number_asks_once_for_each_request() -> None:
    adaptive = AdaptiveKeepAlive(120, history=NOTHING).for_model("a")
    sent = [
        ChatRequest(model="a", keep_alive=adaptive).model_dump()["keep_alive"]  # type: ignore[arg-type]
        for _ in range(3)
    ]
    assert sent[0] == FIRST.seconds
    assert adaptive.gaps == 2
    assert float(AdaptiveKeepAlive(120, history=NOTHING)) == sent[0]  # also where none is named


def test_before_a_reload_was_seen_nothing_is_guessed() -> None:
    adaptive, here = AdaptiveKeepAlive(Price(slowdown=4.6), history=NOTHING), server(5)
    assert adaptive.for_request("a", here) == KeepAlive(None)
    assert adaptive.would_send("a") == KeepAlive(None)
    assert adaptive.why("a") == (
        "T* is not known: what a reload takes was not measured. Until a request has shown it, the "
        "server's default applies."
    )
    assert float(adaptive) == 300.0  # a number it must be: Ollama's own
    assert not adaptive.is_default
    noted(here, "a", 10.0, load_s=5.0)
    assert not adaptive.for_request("a", here).is_default
    assert adaptive.t_star_s == pytest.approx(5 / (1 - 1 / 4.6))
    assert adaptive.gaps == 2  # to the request that asked for a number, and since


def test_a_signal_that_fails_is_none() -> None:
    def broken(model: str, server: Server | None) -> None:
        raise RuntimeError(model)

    adaptive = AdaptiveKeepAlive(
        120, history=long_gaps("a"), knows=[broken, lambda model, server: "soon"]
    )
    assert adaptive.for_request("a", server(6)) == KeepAlive("2m")
    assert "one is expected soon" in adaptive.why("a")


def test_from_many_threads_each_gap_is_learnt_once() -> None:
    adaptive, here = AdaptiveKeepAlive(30, history=NOTHING), server(7)
    for n in range(50):
        noted(here, "a", 5000.0 - 100 * n)
    threads = [threading.Thread(target=adaptive.for_request, args=("a", here)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert adaptive.gaps == 50


@pytest.mark.parametrize("price", [0, -1, float("inf"), float("nan"), "2m", None])
def test_what_is_no_price(price: float) -> None:
    with pytest.raises(ValueError, match=r"T\* is|A price is"):
        AdaptiveKeepAlive(price)


def test_a_plain_griptape_driver_s_answer_ends_its_request_and_nothing_is_left_behind() -> None:
    from griptape.events import EventBus, EventListener, FinishPromptEvent

    def finished(model: str) -> FinishPromptEvent:
        return FinishPromptEvent(
            model=model, result="Hi", input_token_count=1, output_token_count=1
        )

    theirs, here = EventBus.add_event_listener(EventListener(lambda event: None)), server(9)
    adaptive = AdaptiveKeepAlive(120, server=here, history=NOTHING).for_model("a")
    float(adaptive)  # a request that fails: griptape tells no end
    sent_s = float(adaptive)
    assert len(EventBus.event_listeners) == 2
    EventBus.publish_event(finished("b"))
    EventBus.publish_event(finished("a"))
    ends = [plain.ended_s for plain in adaptive._models.of("a", here).plain]
    assert ends[0] is None
    assert ends[1] is not None
    assert here.own_deadlines.last("a") == sent_s  # the model stays by it
    assert EventBus.event_listeners == [theirs]
    EventBus.remove_event_listener(theirs)


def test_a_panel_keeps_it() -> None:
    adaptive = AdaptiveKeepAlive(120, history=NOTHING)
    with AgentPanel(server(8), model="a", keep_alive=adaptive) as panel:
        assert panel.keep_alive is adaptive
