"""Facts: what answers look like: streams, fields, units."""

from __future__ import annotations

import json
import os
import signal
import time
from typing import Any

from lifecycle_widgets.facts.fact import fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.open_requests import until
from lifecycle_widgets.facts.outcomes import require, require_equal

TOPIC = "Answers"
_STREAM = "server/routes.go, streamResponse"
_METRICS = "api/types.go, Metrics"
_DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
_COUNTS = ("prompt_eval_count", "eval_count")
_NS = 1_000_000_000


def _stream(lab: Lab, door: str, **body: Any) -> list[dict[str, Any]]:
    """The pieces of a streamed answer; each must be a line of its own."""
    asked = {"messages": [{"role": "user", "content": "Name three rivers."}]}
    if door == "generate":
        asked = {"prompt": "Name three rivers."}  # type: ignore[dict-item]
    options = {"num_predict": 6, "temperature": 0}
    reply = lab.post(f"/api/{door}", {"model": lab.model, "options": options, **asked, **body})
    require_equal(reply.status_code, 200, f"{reply.text[:200]}: status")
    require_equal(reply.headers["Content-Type"], "application/x-ndjson", "Content-Type")
    require(reply.text.endswith("}\n"), f"it ends with {reply.text[-5:]!r}")
    return [json.loads(line) for line in reply.text.splitlines()]


@fact(TOPIC, "generate and chat stream unless told otherwise: application/x-ndjson, one object a "
      "line, done only in the last.", source=_STREAM)  # fmt: skip
def answers_are_streamed(lab: Lab) -> None:
    for door in ("generate", "chat"):
        pieces = _stream(lab, door)
        require(len(pieces) > 2, f"{door}: {len(pieces)} pieces")
        require_equal([p["done"] for p in pieces], [False] * (len(pieces) - 1) + [True], door)
        key = "response" if door == "generate" else "message"
        require(all(key in piece for piece in pieces), f"{door}: a piece without {key}")


@fact(TOPIC, "With stream=false the answer is one object.", source=_STREAM)
def stream_false_gives_one_object(lab: Lab) -> None:
    body = {"model": lab.model, "prompt": "Hi", "stream": False, "options": {"num_predict": 2}}
    reply = lab.post("/api/generate", body)
    kind = reply.headers["Content-Type"]
    require_equal(kind, "application/json; charset=utf-8", "Content-Type")
    require(reply.json()["done"], reply.text)


@fact(TOPIC, "The last piece has durations in whole nanoseconds, and counts of tokens; load, "
      "prompt eval and eval together are not more than the total.", source=_METRICS)  # fmt: skip
def durations_are_in_nanoseconds(lab: Lab) -> None:
    lab.load(lab.model)
    began = time.monotonic()
    last = _stream(lab, "generate")[-1]
    took_ns = (time.monotonic() - began) * _NS
    missing = [key for key in (*_DURATIONS, *_COUNTS) if key not in last]
    require(not missing, f"missing: {missing}")
    require(all(isinstance(last[key], int) for key in (*_DURATIONS, *_COUNTS)), last)
    total = last["total_duration"]
    require(0.3 * took_ns < total <= took_ns, f"total_duration {total}, our clock {took_ns:.0f}")
    parts = sum(last[key] for key in _DURATIONS[1:])
    require(parts <= total, f"parts {parts}, total {total}")
    require_equal(last["eval_count"], 6, "eval_count with num_predict 6")


@fact(TOPIC, "load_duration is the time until the runner was handed over: all of the load and the "
      "waiting for it; small, not 0, when the model is in memory.", source=_METRICS)  # fmt: skip
def load_duration_is_the_wait_for_the_runner(lab: Lab) -> None:
    lab.cold(lab.model)
    cold = lab.answer(lab.model, keep_alive=600)
    warm = lab.answer(lab.model)
    ratio = cold["load_duration"] / warm["load_duration"]
    require(ratio > 2, f"cold {cold['load_duration']} ns, warm {warm['load_duration']} ns")
    parts = cold["load_duration"] + cold["eval_duration"] + cold["prompt_eval_duration"]
    require(parts <= cold["total_duration"], f"parts {parts}, total {cold['total_duration']}")


@fact(TOPIC, "A metric that is 0 is left out.", source=_METRICS)
def zeros_are_left_out(lab: Lab) -> None:
    loaded = lab.load(lab.model)
    present = [key for key in (*_DURATIONS, *_COUNTS) if key in loaded]
    require(not present, f"a preload has {present}")


@fact(TOPIC, "done_reason is stop at the end of an answer, length at num_predict.",
      source="llm/server.go, DoneReason")  # fmt: skip
def done_reason_tells_why(lab: Lab) -> None:
    require_equal(lab.answer(lab.model, tokens=2)["done_reason"], "length", "at num_predict")
    ended = lab.ask("/api/generate", {
        "model": lab.model, "prompt": "one two one two one two", "raw": True,
        "options": {"stop": ["e", "o", "1"], "num_predict": 200, "temperature": 0},
    })  # fmt: skip
    require_equal(ended["done_reason"], "stop", "at a stop word")


@fact(TOPIC, "generate gives a context back, unless raw; chat gives none.",
      source="server/routes.go, GenerateHandler")  # fmt: skip
def generate_gives_a_context(lab: Lab) -> None:
    context = _stream(lab, "generate")[-1].get("context")
    require(context and all(isinstance(n, int) for n in context), f"context {context!r}")
    require("context" not in _stream(lab, "generate", raw=True)[-1], "raw has one")
    require("context" not in _stream(lab, "chat")[-1], "chat has one")


@fact(TOPIC, "created_at is in UTC (Z); expires_at is in the server's own time zone.",
      source="server/routes.go")  # fmt: skip
def created_at_is_utc(lab: Lab) -> None:
    piece = _stream(lab, "generate", keep_alive=600)[0]
    require(piece["created_at"].endswith("Z"), piece["created_at"])
    with lab.private(OLLAMA_KEEP_ALIVE="10m") as own:
        own.load(own.model)
        shown = own.ps()[0]["expires_at"]
        require(shown[-6:] == _offset() or (shown.endswith("Z") and _offset() == "+00:00"), shown)


def _offset() -> str:
    text = time.strftime("%z")
    return f"{text[:3]}:{text[3:]}"


@fact(TOPIC, "<, > and & come as \\u003c, \\u003e and \\u0026, which JSON readers undo.",
      source="encoding/json")  # fmt: skip
def angle_brackets_are_escaped(lab: Lab) -> None:
    reply = lab.post("/api/generate", '{"model": "x", "keep_alive": "<&>"}')
    require("\\u003c\\u0026\\u003e" in reply.text, reply.text)


@fact(TOPIC, "A runner that ends in the middle of an answer: the status stays 200, and one last "
      "line has an error in place of done.", source=_STREAM)  # fmt: skip
def an_error_in_the_middle_is_a_last_line(lab: Lab) -> None:
    with lab.private() as own:
        own.load(own.model)
        with own.busy(own.model) as answer:
            for runner in own.children():
                os.kill(runner, signal.SIGKILL)
            pieces = answer.rest()
        require("error" in pieces[-1], f"the last line is {pieces[-1]}")
        require("done" not in pieces[-1], f"the last line is {pieces[-1]}")
        require(all("error" not in piece for piece in pieces[:-1]), "more than one error")
        own.answer(own.model, keep_alive=600)  # and the next request loads it anew


@fact(TOPIC, "A runner that ends while its model is idle: /api/ps lists it still, and the next "
      "request loads it anew.", source="server/sched.go, needsReload", slow=True)  # fmt: skip
def a_runner_that_ended_idle_stays_listed(lab: Lab) -> None:
    with lab.private() as own:
        own.clear()
        own.load(own.model)
        runners = own.children()
        for runner in runners:
            os.kill(runner, signal.SIGKILL)
        time.sleep(1.0)
        require_equal(own.names(), [own.model], "/api/ps")
        own.answer(own.model, keep_alive=600)
        require(until(lambda: own.children() - runners, 1.0), "no new runner")


@fact(TOPIC, "When the client goes away the runner stops generating.",
      source="llm/llama_server.go, Completion",
      taught=(("README", "*Stop* stops the server's generating too"),
              ("notebooks/05_agents_with_tools", "the request ends, Ollama stops generating"))
      )  # fmt: skip
def a_client_that_goes_stops_the_runner(lab: Lab) -> None:
    import psutil

    with lab.private() as own:
        own.load(own.model)
        with own.busy(own.model):
            time.sleep(0.3)
        runner = psutil.Process(min(own.children()))
        time.sleep(0.3)
        before = sum(runner.cpu_times()[:2])
        time.sleep(1.0)
        used_s = sum(runner.cpu_times()[:2]) - before
        require(used_s < 0.3, f"the runner used {used_s:.2f} s of processor in the next second")
