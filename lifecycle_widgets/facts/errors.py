"""Facts: how errors come: always {"error": "..."}, with which status and words."""

from __future__ import annotations

from functools import partial
from typing import Any

from lifecycle_widgets.facts.fact import Fact, add, fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import CannotTry, require_equal

TOPIC = "Errors"
_UNKNOWN = {"model": "no-such-model"}
_CHAT = {"messages": [{"role": "user", "content": "Hi"}]}

# name, door, body (a text goes as it is), status, error
CASES: tuple[tuple[str, str, Any, int, str], ...] = (
    ("An empty body", "generate", "", 400, "missing request body"),
    ("A body cut off", "generate", '{"model": "x', 400, "unexpected EOF"),
    ("A body that is no JSON", "generate", "nonsense", 400,
     "invalid character 'o' in literal null (expecting 'u')"),
    ("A model that is no text", "generate", '{"model": 5}', 400,
     "json: cannot unmarshal number into Go struct field GenerateRequest.model of type string"),
    ("An unknown model", "generate", _UNKNOWN, 404, "model 'no-such-model' not found"),
    ("An unknown model", "chat", {**_UNKNOWN, **_CHAT}, 404, "model 'no-such-model' not found"),
    ("An unknown model", "embed", {**_UNKNOWN, "input": "x"}, 404,
     'model "no-such-model" not found, try pulling it first'),
    ("An unknown model", "embeddings", {**_UNKNOWN, "prompt": "x"}, 404,
     'model "no-such-model" not found, try pulling it first'),
    ("An unknown model", "show", _UNKNOWN, 404, "model 'no-such-model:latest' not found"),
    ("No model", "generate", {"prompt": "x"}, 404, "model '' not found"),
    ("No model", "embed", {"input": "x"}, 404, "model '' not found"),
    ("No model", "chat", _CHAT, 400, "model is required"),
    ("No model", "embeddings", {"prompt": "x"}, 400, "model is required"),
    ("No model", "show", {}, 400, "model is required"),
    ("A name that is none", "generate", {"model": "a b"}, 400, "invalid model name"),
    ("A name that is none", "chat", {"model": "a b", **_CHAT}, 400, "invalid model name"),
)  # fmt: skip


def _trial(door: str, body: Any, status: int, error: str, lab: Lab) -> None:
    reply = lab.post(f"/api/{door}", body)
    require_equal((reply.status_code, reply.json()), (status, {"error": error}), "answered")


for _name, _door, _body, _status, _error in CASES:
    add(
        Fact(
            name=f"{_name}, {_door}".lower(),
            sentence=f"{_name}, {_door}: {_status}, {_error}",
            topic=TOPIC,
            trial=partial(_trial, _door, _body, _status, _error),
            source="server/routes.go",
        )
    )


@fact(TOPIC, "An option of the wrong type: 500, option \"num_ctx\" must be of type integer.",
      source="api/types.go, Options.FromMap")  # fmt: skip
def an_option_of_the_wrong_type(lab: Lab) -> None:
    body = {"model": lab.model, "prompt": "x", "options": {"num_ctx": "many"}}
    reply = lab.post("/api/generate", body)
    said = (reply.status_code, reply.json())
    wanted = {"error": 'option "num_ctx" must be of type integer'}
    require_equal(said, (500, wanted), "answered")


@fact(TOPIC, "An unknown option is ignored.", source="api/types.go, Options.FromMap")
def an_unknown_option_is_ignored(lab: Lab) -> None:
    lab.load(lab.model)
    lab.answer(lab.model, options={"no_such_option": 1})


@fact(TOPIC, "An unknown field of a request is ignored: a typing error in keep_alive goes "
      "unnoticed.", source="encoding/json")  # fmt: skip
def an_unknown_field_is_ignored(lab: Lab) -> None:
    lab.load(lab.model, 700)
    lab.load(lab.model, ..., keepalive=5)
    lab.require_left(lab.model, 700)


@fact(TOPIC, "A model that cannot do it: 400, ... does not support thinking.",
      source="server/routes.go, ChatHandler")  # fmt: skip
def a_capability_that_is_missing(lab: Lab) -> None:
    can = lab.ask("/api/show", {"model": lab.model}).get("capabilities", [])
    if "thinking" in can:
        raise CannotTry("the smallest model can think")
    reply = lab.post("/api/chat", {"model": lab.model, "think": True, "stream": False, **_CHAT})
    wanted = {"error": f'"{lab.model}" does not support thinking'}
    require_equal((reply.status_code, reply.json()), (400, wanted), "answered")
