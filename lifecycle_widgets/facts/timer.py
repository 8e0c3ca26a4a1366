"""Facts: when a resident model leaves, and whose keep_alive counts."""

from __future__ import annotations

import math
import time
from datetime import datetime, timedelta, timezone

from lifecycle_widgets.facts.fact import fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.open_requests import until
from lifecycle_widgets.facts.outcomes import require, require_equal

TOPIC = "When a model leaves, and whose keep_alive counts"
_USE = "server/sched.go, useLoadedRunner"
_DONE = "server/sched.go, processCompleted"


@fact(TOPIC, "Each request that ends starts the whole time anew.", source=_DONE,
      taught=(("notebooks/00_start_here", "each request starts the clock anew"),
              ("lifecycle_widgets/keep_alive", "after the last request has ended")))  # fmt: skip
def each_request_starts_the_clock_anew(lab: Lab) -> None:
    lab.load(lab.model, 60)
    lab.require_left(lab.model, 60)
    first = lab.deadline(lab.model)
    time.sleep(0.5)
    lab.answer(lab.model)
    moved = until(lambda: lab.deadline(lab.model) >= first + timedelta(seconds=0.5), 1.0)
    require(moved, f"the deadline was {first}, and is {lab.deadline(lab.model)}")
    lab.require_left(lab.model, 60)


@fact(TOPIC, "A request without keep_alive keeps the value that is in force.", source=_USE,
      taught=(("notebooks/02_many_models_in_turn",
               "Leaving `keep_alive` out keeps the value in force"),
              ("notebooks/05_agents_with_tools", "none, which leaves the lease in force"),
              ("lifecycle_widgets/keep_alive", "a model in memory keeps the value it has"))
      )  # fmt: skip
def absent_keeps_the_value(lab: Lab) -> None:
    lab.load(lab.model, 1000)
    lab.load(lab.model, ...)
    lab.require_left(lab.model, 1000)


@fact(TOPIC, "The server's default counts only when a model is loaded.", source=_USE,
      taught=(("notebooks/00_start_here", "A newly loaded model gets the server's default"),)
      )  # fmt: skip
def the_default_counts_at_load(lab: Lab) -> None:
    with lab.private(OLLAMA_KEEP_ALIVE="100s") as other:
        other.load(other.model, ...)
        other.require_left(other.model, 100)
        other.load(other.model, 1000)
        other.load(other.model, ...)
        other.require_left(other.model, 1000)


@fact(TOPIC, "Of two requests that overlap, the keep_alive of the one that started last counts, "
      "whichever ends last.", source=_USE,
      taught=(("notebooks/04_watch_and_tune", "the latest request counts"),))  # fmt: skip
def the_latest_to_start_counts(lab: Lab) -> None:
    lab.load(lab.model)
    with lab.busy(lab.model, keep_alive=900, tokens=40) as first:
        lab.load(lab.model, 90)  # starts later, ends sooner
        first.rest()
    lab.require_left(lab.model, 90)


@fact(TOPIC, "While a request is in flight no clock runs: a model outlives its keep_alive, and "
      "/api/ps shows the old deadline, also when it has passed.", source=_DONE)  # fmt: skip
def no_clock_runs_while_it_is_busy(lab: Lab) -> None:
    model = lab.model
    lab.load(model, 1)
    lab.require_left(model, 1)
    with lab.busy(model) as answer:
        old = lab.deadline(model)
        time.sleep(1.5)
        answer.next()
        require_equal(lab.deadline(model), old, "the deadline while it is busy")
        require(lab.left_s(model) < 0, f"{lab.left_s(model):.1f} s are left")
    lab.load(model)


@fact(TOPIC, "The time starts also when the client has gone away in the middle of the answer.",
      source=_DONE)  # fmt: skip
def the_time_starts_when_the_client_has_gone(lab: Lab) -> None:
    lab.load(lab.model, 60)
    lab.require_left(lab.model, 60)
    before = lab.deadline(lab.model)
    with lab.busy(lab.model):
        time.sleep(0.3)
    moved = until(lambda: lab.deadline(lab.model) > before, 3.0)
    require(moved, "the deadline did not move within 3 s")
    lab.require_left(lab.model, 60)


@fact(TOPIC, "It starts with the end of the last of several requests.", source=_DONE)
def it_starts_with_the_last_of_several(lab: Lab) -> None:
    lab.load(lab.model, 50)
    with lab.busy(lab.model):
        old = lab.deadline(lab.model)
        lab.load(lab.model, 50)
        require_equal(lab.deadline(lab.model), old, "the deadline after one of two")
    until(lambda: lab.deadline(lab.model) > old, 3.0)
    lab.require_left(lab.model, 50)


@fact(TOPIC, "Before a model's first request has ended, /api/ps shows a deadline that runs ahead: "
      "now and the keep_alive.", source="server/routes.go, PsHandler", slow=True)  # fmt: skip
def before_the_first_end_the_deadline_runs_ahead(lab: Lab) -> None:
    with lab.busy(lab.cold(lab.model), keep_alive=77):
        for _ in range(2):
            left_s = lab.left_s(lab.model)
            require(76 < left_s <= 77.1, f"{left_s:.2f} s are left")
            time.sleep(1.2)


@fact(TOPIC, "keep_alive 0 with a prompt: the model leaves when the answer has ended.",
      source=_DONE,
      taught=(("notebooks/00_start_here", "the model leaves when the answer is complete"),
              ("notebooks/05_agents_with_tools", "it leaves as soon as *an* answer is complete"),
              ("lifecycle_widgets/keep_alive", "as soon as the answer is complete")))  # fmt: skip
def zero_leaves_after_the_answer(lab: Lab) -> None:
    answer = lab.answer(lab.model, keep_alive=0)
    require(answer["response"], "no answer")
    require(lab.gone(lab.model), "still in memory after 3 s")


@fact(TOPIC, "A pending 0 stays when a later request carries none, and is lifted by one that "
      "carries another value.", source=_USE)  # fmt: skip
def a_pending_zero_can_be_lifted(lab: Lab) -> None:
    model = lab.model
    lab.load(model)
    with lab.busy(model, keep_alive=0, tokens=40) as answer:
        lab.load(model, ...)
        answer.rest()
    require(lab.gone(model), "with none: still in memory after 3 s")
    lab.load(model)
    with lab.busy(model, keep_alive=0, tokens=40) as answer:
        lab.load(model, 100)
        answer.rest()
    time.sleep(0.5)
    lab.require_left(model, 100)


@fact(TOPIC, "Forever is a deadline about 292 years ahead.", source="server/routes.go, PsHandler")
def forever_is_292_years_ahead(lab: Lab) -> None:
    lab.load(lab.model, -1)
    lab.require_left(lab.model, math.inf)
    entry = next(e for e in lab.ps() if e["name"] == lab.model)
    years = int(entry["expires_at"][:4]) - datetime.now(timezone.utc).year
    require(291 <= years <= 293, f"{years} years ahead")
    lab.load(lab.model, ...)
    require(int(lab.ps()[0]["expires_at"][:4]) > 2300, "a request without keep_alive ended it")
    lab.load(lab.model)


@fact(TOPIC, "Asking /api/ps, tags, show and version keeps no model alive.",
      source="server/routes.go")  # fmt: skip
def asking_keeps_nothing_alive(lab: Lab) -> None:
    model = lab.model
    lab.load(model, 2)
    lab.require_left(model, 2)
    deadline = lab.deadline(model)

    def asked() -> bool:
        lab.server.models()
        lab.server.weights_digest(model)
        lab.server.answers()
        entry = lab.server.resident(model)
        require(entry is None or entry.expires_at == deadline, "the deadline moved")
        return entry is None

    require(until(asked, 5.0), "still in memory 3 s after its deadline")


@fact(TOPIC, "/v1/chat/completions ignores keep_alive: it neither sets nor resets it.",
      source="openai/openai.go")  # fmt: skip
def v1_ignores_keep_alive(lab: Lab) -> None:
    lab.load(lab.model, 1000)
    messages = [{"role": "user", "content": "Hi"}]
    body = {"model": lab.model, "messages": messages, "max_tokens": 2, "keep_alive": 5}
    reply = lab.post("/v1/chat/completions", body)
    require_equal(reply.status_code, 200, f"{reply.text[:200]}: status")
    lab.require_left(lab.model, 1000)
    require_equal(lab.post("/v1/chat/completions", {**body, "keep_alive": "1d"}).status_code, 200)


@fact(TOPIC, "The memory is given back: when a model has left /api/ps, its runner's process has "
      "ended.", source="llm/llama_server.go, Close",
      taught=(("notebooks/01_the_slow_downstream_task", "Both give all of the memory back"),)
      )  # fmt: skip
def its_process_has_ended_when_it_is_gone(lab: Lab) -> None:
    lab.clear()
    lab.load(lab.model)
    require(lab.runners(), "no runner was found while it was resident")
    lab.cold(lab.model)
    require_equal(lab.runners(), set(), "the runners left")
