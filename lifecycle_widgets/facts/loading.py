"""Facts: what happens while a model loads."""

from __future__ import annotations

import math
import time

from lifecycle_widgets.facts.fact import fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.open_requests import until
from lifecycle_widgets.facts.outcomes import require, require_equal

TOPIC = "While a model loads"
_LOAD = "server/sched.go, load"


@fact(TOPIC, "A model that is loading is not in /api/ps.", source=_LOAD)
def a_loading_model_is_not_listed(lab: Lab) -> None:
    with lab.private() as own, own.background() as post:
        own.clear()
        model, listed_s = own.models[-1], math.inf
        load = post("/api/generate", {"model": model, "keep_alive": 600})
        while not load.done():
            if own.names() and listed_s == math.inf:
                listed_s = time.monotonic()
            time.sleep(0.01)
        early_s = time.monotonic() - listed_s
        require_equal(load.result().status_code, 200, "the load")
        require(early_s < 0.2, f"/api/ps listed it {early_s:.2f} s before it was loaded")


@fact(TOPIC, "To unload it answers as usual, and does nothing: it finishes loading, and stays.",
      source="server/sched.go, expireRunner")  # fmt: skip
def unloading_a_loading_model_does_nothing(lab: Lab) -> None:
    with lab.private() as own:
        model = own.cold(own.model)
        with own.held_load(model) as load:
            time.sleep(0.3)
            require_equal(own.load(model, 0)["done_reason"], "unload")
            time.sleep(0.3)
            load.go_on()
            require_equal(load.reply.result(60).status_code, 200, "the load")
        time.sleep(0.5)
        require(own.server.resident(model), "it left")


@fact(TOPIC, "Loads come one after the other: another model waits until the first is loaded.",
      source="server/sched.go, processPending")  # fmt: skip
def loads_come_one_after_the_other(lab: Lab) -> None:
    with lab.private() as own, own.background() as post:
        first, second = own.models[:2]
        own.cold(first)
        own.cold(second)
        with own.held_load(first) as load:
            runners = own.children()
            later = post("/api/generate", {"model": second, "keep_alive": 600})
            time.sleep(1.5)
            require(not later.done(), "the second was loaded meanwhile")
            require_equal(own.children(), runners, "processes")
            load.go_on()
            require_equal(load.reply.result(60).status_code, 200, "the first load")
        require_equal(later.result(60).status_code, 200, "the second load")


@fact(TOPIC, "A model that is in memory answers meanwhile.", source="server/sched.go, getRunner")
def warm_models_answer_meanwhile(lab: Lab) -> None:
    with lab.private() as own, own.background() as post:
        warm, loading = own.models[:2]
        own.load(warm)
        own.cold(loading)
        with own.held_load(loading) as load:
            body = {"model": warm, "prompt": "Hi", "options": {"num_predict": 2}}
            answered = post("/api/generate", body)
            in_time = until(answered.done, 10.0)
            load.go_on()
            load.reply.result(60)
            require(in_time, "it had to wait for the load")
        require_equal(answered.result(60).status_code, 200, "its answer")


@fact(TOPIC, "A client that goes away gives up the load: the runner is ended.",
      source="llm/llama_server.go, WaitUntilRunning")  # fmt: skip
def a_client_that_goes_gives_up_the_load(lab: Lab) -> None:
    with lab.private() as own:
        own.clear()
        model = own.model
        with own.leaving_load(model) as runner:
            require(until(lambda: runner not in own.children(), 5.0), "the runner goes on")
        require_equal(own.names(), [], "in memory")
        own.load(model)


@fact(TOPIC, "OLLAMA_LOAD_TIMEOUT ends a load that shows no progress for so long: 500, and the "
      "next request loads anew.",
      source="llm/llama_server.go, WaitUntilRunning")  # fmt: skip
def a_load_that_stalls_is_ended(lab: Lab) -> None:
    with lab.private(OLLAMA_LOAD_TIMEOUT="1s") as own:
        with own.held_load(own.model) as load:
            reply = load.reply.result(30)
            require_equal(reply.status_code, 500, f"{reply.text}: status")
            said = reply.json()["error"]
            require(said.startswith("timed out waiting for llama"), said)
            require(until(lambda: not load.is_alive(), 5.0), "the runner lives on")
        own.load(own.model)


@fact(TOPIC, "A runner that ends while it loads is a 500 with the reason, and the next request "
      "loads anew.", source="llm/llama_server.go, WaitUntilRunning")  # fmt: skip
def a_runner_that_ends_while_loading(lab: Lab) -> None:
    with lab.private() as own:
        model = own.cold(own.model)
        with own.held_load(model) as load:
            load.kill()
            reply = load.reply.result(30)
        require_equal(reply.status_code, 500, f"{reply.text}: status")
        require("terminated" in reply.json()["error"], reply.text)
        own.load(model)
