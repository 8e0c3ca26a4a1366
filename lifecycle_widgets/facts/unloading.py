"""Facts: preloading and unloading without asking a model anything."""

from __future__ import annotations

import time
from typing import Any

from lifecycle_widgets.facts.fact import fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import require, require_equal

TOPIC = "Preload and unload"
_GENERATE = "server/routes.go, GenerateHandler"
_CHAT = "server/routes.go, ChatHandler"
_EXPIRE = "server/sched.go, expireRunner"


def _one_object(lab: Lab, door: str, **body: Any) -> dict[str, Any]:
    """The answer, which must be one JSON object although nobody said stream=false."""
    reply = lab.post(f"/api/{door}", {"model": lab.model, **body})
    require_equal(reply.status_code, 200, f"{door}: {reply.text[:200]}: status")
    require_equal(reply.headers["Content-Type"], "application/json; charset=utf-8", door)
    answer: dict[str, Any] = reply.json()
    require(answer.pop("created_at", "").endswith("Z"), f"{door}: created_at is not UTC")
    return answer


def _wanted(lab: Lab, door: str, reason: str) -> dict[str, Any]:
    empty = {"message": {"role": "assistant", "content": ""}} if door == "chat" else {}
    text = {"response": ""} if door == "generate" else {}
    return {"model": lab.model, **empty, **text, "done": True, "done_reason": reason}


def _loads(lab: Lab, door: str) -> None:
    lab.cold(lab.model)
    seen = _one_object(lab, door, keep_alive=600)
    require_equal(seen, _wanted(lab, door, "load"))
    require(lab.server.resident(lab.model), "it is not in memory when the answer comes")


def _unloads(lab: Lab, door: str) -> None:
    lab.load(lab.model)
    seen = _one_object(lab, door, keep_alive=0)
    require_equal(seen, _wanted(lab, door, "unload"))
    require(lab.gone(lab.model), "still in memory after 3 s")


@fact(TOPIC, "generate without a prompt loads the model and answers, when it is loaded, with one "
      "JSON object: done_reason load, no metrics.", source=_GENERATE)  # fmt: skip
def generate_without_a_prompt_loads(lab: Lab) -> None:
    _loads(lab, "generate")


@fact(TOPIC, "chat without messages does the same.", source=_CHAT)
def chat_without_messages_loads(lab: Lab) -> None:
    _loads(lab, "chat")


@fact(TOPIC, "A preload of a resident model sets its keep_alive, and does not load it again.",
      source=_GENERATE)  # fmt: skip
def a_preload_changes_the_value(lab: Lab) -> None:
    lab.load(lab.model)
    before = lab.runners()
    lab.load(lab.model, 1000)
    require_equal(lab.runners(), before, "runners")
    lab.require_left(lab.model, 1000)


@fact(TOPIC, "generate without a prompt and with keep_alive 0 unloads: one JSON object, "
      "done_reason unload.", source=_GENERATE)  # fmt: skip
def generate_with_zero_unloads(lab: Lab) -> None:
    _unloads(lab, "generate")


@fact(TOPIC, "chat without messages and with keep_alive 0 unloads as well.", source=_CHAT)
def chat_with_zero_unloads(lab: Lab) -> None:
    _unloads(lab, "chat")


@fact(TOPIC, "To unload a model that is not in memory is no error, and loads nothing.",
      source=_EXPIRE)  # fmt: skip
def unloading_is_idempotent(lab: Lab) -> None:
    lab.cold(lab.model)
    for _ in range(2):
        seen = _one_object(lab, "generate", keep_alive=0)
        require_equal(seen, _wanted(lab, "generate", "unload"))
    require_equal(lab.server.resident(lab.model), None, "resident")


@fact(TOPIC, "To unload an unknown model is an error: 404.", source=_GENERATE)
def unloading_an_unknown_model_is_an_error(lab: Lab) -> None:
    reply = lab.post("/api/generate", {"model": "no-such-model", "keep_alive": 0})
    answered = (reply.status_code, reply.json())
    require_equal(answered, (404, {"error": "model 'no-such-model' not found"}), "answered")


@fact(TOPIC, "Half a second with an empty prompt loads the model: only exactly 0 unloads.",
      source=_GENERATE)  # fmt: skip
def half_a_second_is_not_zero(lab: Lab) -> None:
    lab.cold(lab.model)
    seen = _one_object(lab, "generate", keep_alive="500ms")
    require_equal(seen["done_reason"], "load", "done_reason")
    require(lab.gone(lab.model), "still in memory 3 s later")


@fact(TOPIC, "A busy model answers an unload at once, finishes its answer, and leaves then.",
      source=_EXPIRE)  # fmt: skip
def a_busy_model_leaves_when_it_is_done(lab: Lab) -> None:
    model = lab.model
    lab.load(model)
    with lab.busy(model, tokens=60) as answer:
        require_equal(_one_object(lab, "generate", keep_alive=0)["done_reason"], "unload")
        require(lab.server.resident(model), "it left in the middle of an answer")
        last = answer.rest()[-1]
    require_equal(last.get("done_reason"), "length", "the answer ended with")
    require(lab.gone(model), "still in memory 3 s after its answer")


@fact(TOPIC, "A request with a keep_alive that comes before a busy model has left cancels the "
      "unload.", source="server/sched.go, useLoadedRunner")  # fmt: skip
def a_later_request_cancels_an_unload(lab: Lab) -> None:
    model = lab.model
    lab.load(model)
    with lab.busy(model, tokens=40) as answer:
        lab.load(model, 0)
        lab.load(model, 200)
        answer.rest()
    time.sleep(0.7)
    lab.require_left(model, 200)


@fact(TOPIC, "embed without input loads the model if need be, and has no unload of its own: with "
      "keep_alive 0 the model leaves at its end.",
      source="server/routes.go, EmbedHandler")  # fmt: skip
def embed_without_input(lab: Lab) -> None:
    lab.cold(lab.model)
    seen = lab.ask("/api/embed", {"model": lab.model, "keep_alive": 600})
    require_equal(seen, {"model": lab.model, "embeddings": []})
    require(lab.server.resident(lab.model), "it is not in memory")
    lab.ask("/api/embed", {"model": lab.model, "keep_alive": 0})
    require(lab.gone(lab.model), "still in memory after 3 s")
