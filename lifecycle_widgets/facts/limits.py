"""Facts: how many models and requests there can be at a time, and who has to leave."""

from __future__ import annotations

import hashlib
import time

from lifecycle_widgets.facts.fact import fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.open_requests import until
from lifecycle_widgets.facts.outcomes import require, require_equal

TOPIC = "Limits, and who has to leave"
_VICTIM = "server/sched.go, findRunnerToUnload"
_SHORT = {"prompt": "Hi", "options": {"num_predict": 2}}


@fact(TOPIC, "Of idle models the one with the shortest keep_alive is evicted, not the least "
      "recently used one.", source=_VICTIM,
      taught=(("notebooks/02_many_models_in_turn",
               "Eviction takes the **shortest keep_alive** first"),))  # fmt: skip
def the_shortest_keep_alive_is_evicted(lab: Lab) -> None:
    with lab.private(OLLAMA_MAX_LOADED_MODELS=2) as own:
        first, second, third = own.three_models()
        own.load(first, 600)
        own.load(second, 60)
        own.load(third, 60)
        require_equal(own.names(), sorted([first, third]), "in memory")


@fact(TOPIC, '"Forever" is evicted as well, when there is no other.', source=_VICTIM, slow=True,
      taught=(("notebooks/02_many_models_in_turn", '**"Forever" can still be evicted.**'),)
      )  # fmt: skip
def forever_is_evicted_too(lab: Lab) -> None:
    with lab.private(OLLAMA_MAX_LOADED_MODELS=1) as own:
        first, second, _ = own.three_models()
        own.load(first, -1)
        own.load(second, 60)
        require_equal(own.names(), [second], "in memory")


@fact(TOPIC, "With equal keep_alives the path of the weights decides, not who was used last.",
      source="server/sched.go, ByDurationAndName", slow=True)  # fmt: skip
def ties_go_by_path(lab: Lab) -> None:
    with lab.private(OLLAMA_MAX_LOADED_MODELS=2) as own:
        models = own.three_models()
        path = {model: str(own.server.weights_path(model)) for model in models}
        third = max(models, key=lambda m: path[m])
        low, high = sorted((m for m in models if m != third), key=lambda m: path[m])
        for order in 2 * ((low, high), (high, low)):
            for model in models:
                own.server.unload(model)
            for model in (*order, third):
                own.load(model, -1)
            require_equal(own.names(), sorted([high, third]), f"in memory, loaded {order}")


@fact(TOPIC, "An idle model is evicted before a busy one, also when its keep_alive is longer.",
      source=_VICTIM, slow=True)  # fmt: skip
def idle_ones_first(lab: Lab) -> None:
    with lab.private(OLLAMA_MAX_LOADED_MODELS=2) as own:
        first, second, third = own.three_models()
        own.load(first, -1)
        with own.busy(second, keep_alive=5):
            own.load(third, 60)
            require_equal(own.names(), sorted([second, third]), "in memory")


@fact(TOPIC, "When all are busy, the load waits until the one with the shortest keep_alive has "
      "finished.", source="server/sched.go, processPending", slow=True)  # fmt: skip
def when_all_are_busy_the_load_waits(lab: Lab) -> None:
    with lab.private(OLLAMA_MAX_LOADED_MODELS=1) as own, own.background() as post:
        first, second, _ = own.three_models()
        with own.busy(first, keep_alive=60):
            waiting = post("/api/generate", {"model": second, "keep_alive": 60})
            time.sleep(2.0)
            require(not waiting.done(), "it was loaded although the other is busy")
            require_equal(own.names(), [first], "in memory")
        require_equal(waiting.result(60).status_code, 200, "the load")
        require_equal(own.names(), [second], "in memory then")


@fact(TOPIC, "Without a GPU three models are kept at a time, unless OLLAMA_MAX_LOADED_MODELS says "
      "otherwise; memory is not looked at.", source="server/sched.go, processPending",
      slow=True)  # fmt: skip
def three_models_by_default(lab: Lab) -> None:
    with lab.private(OLLAMA_KEEP_ALIVE="10m") as own:
        models = own.three_models()
        for model in models:
            own.load(model)
        require_equal(own.names(), sorted(models), "in memory")
        require_equal({e["size_vram"] for e in own.ps()}, {0}, "size_vram")
        own.load(_other_weights(own))
        require_equal(len(own.names()), 3, f"in memory, {own.names()}: models")


def _other_weights(lab: Lab) -> str:
    """A fourth model: the first one's weights, but for one bit."""
    weights = lab.server.weights_path(lab.model)
    assert weights is not None
    changed = bytearray(weights.read_bytes())
    changed[-1] ^= 1
    digest = f"sha256:{hashlib.sha256(changed).hexdigest()}"
    put = lab.http.post(f"/api/blobs/{digest}", content=bytes(changed))
    require_equal(put.status_code, 201, "putting a file")
    body = {"model": "fourth:latest", "files": {"fourth.gguf": digest}, "stream": False}
    made = lab.post("/api/create", body)
    require_equal(made.status_code, 200, f"{made.text[:200]}: creating a model")
    return "fourth:latest"


@fact(TOPIC, "By default a model answers one request at a time; others wait, without a limit.",
      source="llm/llama_server.go, Completion")  # fmt: skip
def one_request_at_a_time(lab: Lab) -> None:
    model = lab.model
    lab.load(model)
    with lab.background() as post, lab.busy(model) as answer:
        waiting = [post("/api/generate", {"model": model, **_SHORT}) for _ in range(8)]
        time.sleep(1.0)
        require(not any(w.done() for w in waiting), "another was answered meanwhile")
        answer.leave()
        codes = {w.result(60).status_code for w in waiting}
    require_equal(codes, {200}, "the others' status")


@fact(TOPIC, "With OLLAMA_NUM_PARALLEL=2 a model answers two at a time, and its context takes "
      "twice the memory.", source="llm/llama_server.go, NewLlamaServer", slow=True)  # fmt: skip
def two_requests_at_a_time(lab: Lab) -> None:
    with lab.private(OLLAMA_NUM_PARALLEL=1) as one:
        one.load(one.model)
        single = one.entry(one.model).size_bytes or 0
    with lab.private(OLLAMA_NUM_PARALLEL=2) as two, two.background() as post:
        with two.busy(two.model):
            other = post("/api/generate", {"model": two.model, **_SHORT})
            require(until(other.done, 20.0), "the second waits for the first")
        double = two.entry(two.model)
    context = double.context_length or 0
    # two times (K and V) 30 layers of 3 heads of 64 numbers of 2 bytes for each token
    wanted = context * 2 * 30 * 3 * 64 * 2
    more = (double.size_bytes or 0) - single
    require(0.7 * wanted < more, f"{more} bytes more")


@fact(TOPIC, "OLLAMA_MAX_QUEUE bounds the requests that wait for a load; beyond it: 503, server "
      "busy.", source="server/sched.go, GetRunner")  # fmt: skip
def the_queue_has_an_end(lab: Lab) -> None:
    with lab.private(OLLAMA_MAX_QUEUE=2) as own:
        first, second = own.models[:2]
        with own.background() as post, own.held_load(first) as load:
            waiting = [post("/api/generate", {"model": second}) for _ in range(8)]
            require(until(lambda: sum(w.done() for w in waiting) >= 5, 10.0), "too few 503")
            refused = [w.result() for w in waiting if w.done()]
            load.go_on()
            codes = sorted(w.result(60).status_code for w in waiting)
    said = {"error": "server busy, please try again.  maximum pending requests exceeded"}
    require_equal({r.status_code for r in refused}, {503}, "status")
    require(all(r.json() == said for r in refused), refused[0].text)
    require_equal(set(codes), {200, 503}, "status of all")


@fact(TOPIC, "It does not bound the requests to a model in memory, however busy.",
      source="server/sched.go, GetRunner", slow=True)  # fmt: skip
def the_queue_is_for_loads_only(lab: Lab) -> None:
    with lab.private(OLLAMA_MAX_QUEUE=2) as own:
        own.load(own.model)
        with own.background() as post, own.busy(own.model) as answer:
            waiting = [post("/api/generate", {"model": own.model, **_SHORT}) for _ in range(30)]
            time.sleep(1.0)
            answer.leave()
            codes = {w.result(60).status_code for w in waiting}
    require_equal(codes, {200}, "status")
