"""Facts: the known hang of the scheduler, and races, tried."""

from __future__ import annotations

import time
from concurrent.futures import Future

import httpx

from lifecycle_widgets.facts.fact import fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.open_requests import until
from lifecycle_widgets.facts.outcomes import NotSo, require, require_equal

TOPIC = "The known hang, and races"
_PENDING = "server/sched.go, processPending"


@fact(TOPIC, "A load waits for ever when the model that was to leave for it gets a new request "
      "with a keep_alive: neither it nor any later load begins, while models in memory answer; "
      "to unload that model frees them.", source=_PENDING, slow=True)  # fmt: skip
def the_queue_hangs(lab: Lab) -> None:
    with lab.private(OLLAMA_MAX_LOADED_MODELS=1) as own, own.background() as post:
        first, second, third = own.three_models()
        with own.busy(first, keep_alive=60) as answer:
            waiting = post("/api/generate", {"model": second, "keep_alive": 60})
            time.sleep(1.0)  # now the first is to leave when it has finished
            own.load(first, 300)
            answer.leave()
        later = post("/api/generate", {"model": third, "keep_alive": 60})
        time.sleep(6.0)
        hangs = not waiting.done() and not later.done()
        warm = own.answer(first, tokens=1)["done"]
        listed = own.names()
        own.load(first, 0)
        freed = _answered(waiting), _answered(later)
        require(hangs, "the load went on by itself")
        require(warm, "the model in memory did not answer")
        require_equal(listed, [first], "/api/ps meanwhile")
        require_equal(freed, (200, 200), "the loads after the unload")


def _answered(reply: Future[httpx.Response]) -> int | None:
    return reply.result().status_code if until(reply.done, 30.0) else None


# Of 326 requests, from 4 ms before the deadline to 2 ms after it, 160 found the model in memory; in
# 50 of those their keep_alive of a minute was lost: it left after the answer (Ollama 0.32.15).
@fact(TOPIC, "A request that comes just as the time is over is answered all the same; its "
      "keep_alive can be lost then, and the model leave after the answer.",
      source="server/sched.go, processCompleted", slow=True)  # fmt: skip
def a_request_at_the_last_moment_is_answered(lab: Lab) -> None:
    model = lab.model
    for late_s in (-0.02, -0.01, -0.005, -0.002, -0.001, 0.0, 0.002, 0.005):
        require(until(lambda: _leaves_soon(lab, model), 5.0), "it does not leave in time")
        deadline = time.monotonic() + lab.left_s(model)
        time.sleep(max(0.0, deadline + late_s - time.monotonic()))
        answer = lab.answer(model, tokens=1, keep_alive=60)
        require(answer["done"], f"{late_s * 1000:.0f} ms beside the deadline: {answer}")


def _leaves_soon(lab: Lab, model: str) -> bool:
    """Load it for half a second; False when what was tried before makes it leave only now."""
    lab.load(model, 0.5)
    resident = lab.server.resident(model)
    left_s = None if resident is None else resident.expires_in_s()
    return left_s is not None and left_s <= 0.5


@fact(TOPIC, "OLLAMA_MAX_QUEUE=0 serves requests that come one at a time, an unload half a "
      "second after the last.",
      source="server/sched.go, InitScheduler", slow=True)  # fmt: skip
def no_queue_at_all(lab: Lab) -> None:
    with lab.private(OLLAMA_MAX_QUEUE=0) as own:
        for _ in range(2):
            require(own.answer(own.model, keep_alive=60)["done"], "no answer")
            # before Ollama has counted it as over, an unload leaves it waiting for its own queue
            time.sleep(0.5)
            own.load(own.model, 0)
            require(own.gone(own.model), "still in memory after 3 s")


@fact(TOPIC, "A request that is given up while it waits for a load leaves nothing behind: the "
      "load after it comes in turn.", source=_PENDING)  # fmt: skip
def a_request_given_up_in_the_queue(lab: Lab) -> None:
    with lab.private() as own, own.background() as post:
        first, second = own.models[:2]
        own.clear()
        with own.held_load(first) as load:
            with own.server.door.http_client(timeout_s=1.0) as impatient:
                try:
                    impatient.post("/api/generate", json={"model": second})
                    raise NotSo("it was answered while another load was held")
                except httpx.ReadTimeout:
                    pass
            patient = post("/api/generate", {"model": first, "prompt": "", "keep_alive": 600})
            load.go_on()
            require_equal(load.reply.result(60).status_code, 200, "the load that was held")
        require_equal(patient.result(60).status_code, 200, "the next request")
        require_equal(own.names(), [first], "in memory")
