"""Facts: how the API reads keep_alive. One row, one fact."""

from __future__ import annotations

import json
import math
import platform
from datetime import datetime, timedelta
from functools import partial

from lifecycle_widgets.facts.fact import Fact, add, fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.open_requests import until
from lifecycle_widgets.facts.outcomes import CannotTry, require, require_equal
from lifecycle_widgets.server import FOREVER

TOPIC = "How keep_alive is read"
_SOURCE = "api/types.go, Duration.UnmarshalJSON"
_LESSON = (("notebooks/00_start_here", "A bare number is **seconds**"),)
UNKNOWN = "no-such-model:latest"  # loads nothing: 400 is a refused keep_alive, 404 an accepted one

# JSON text, and the seconds that it means (None: as if it were absent)
MEANS: tuple[tuple[str, float | None], ...] = (
    ("null", None),
    ("5", 5),
    ("300", 300),
    ("0.5", 0.5),
    ("1.5", 1.5),
    ("1E2", 100),
    ("-1", math.inf),
    ("-0.001", math.inf),
    ('"-1s"', math.inf),
    ('"-1m"', math.inf),
    ('"5m"', 300),
    ('"1h30m"', 5400),
    ('"1.5h"', 5400),
    ('"2.5s"', 2.5),
    ('".5s"', 0.5),
    ('"5.s"', 5),
    ('"+5m"', 300),
    ('"900ms"', 0.9),
    ('"1s1h"', 3601),
    ('"1m1m"', 120),
    ('"9000000us"', 9),
    ('"9000000µs"', 9),
    ('"9000000μs"', 9),
    ('"9000000000ns"', 9),
    ("9223372036", math.inf),  # 292 years: what is more than 20 counts as forever
    ('"2562047h47m16.854775807s"', math.inf),
)

# JSON text that unloads at once
UNLOADS = ("0", "-0.0", '"0"', '"+0"', '"-0"', '"0s"', '"-0s"', '"0h0m"', '"-0.5ns"')

# JSON text that overflows; how is a matter of the processor
OVERFLOWS = ("9223372037", "1e300")

# JSON text, and the text of the error 400
REFUSED: tuple[tuple[str, str], ...] = (
    ('"5"', 'time: missing unit in duration "5"'),
    ('"-1"', 'time: missing unit in duration "-1"'),
    ('"300"', 'time: missing unit in duration "300"'),
    ('"1d"', 'time: unknown unit "d" in duration "1d"'),
    ('"5M"', 'time: unknown unit "M" in duration "5M"'),
    ('"5m "', 'time: unknown unit "m " in duration "5m "'),
    ('"5 m"', 'time: unknown unit " m" in duration "5 m"'),
    ('""', 'time: invalid duration ""'),
    ('"-"', 'time: invalid duration "-"'),
    ('"."', 'time: invalid duration "."'),
    ('".s"', 'time: invalid duration ".s"'),
    ('"forever"', 'time: invalid duration "forever"'),
    ('"inf"', 'time: invalid duration "inf"'),
    ('" 5m"', 'time: invalid duration " 5m"'),
    ('"9999999h"', 'time: invalid duration "9999999h"'),
    ("true", "Unsupported type: 'bool'"),
    ("false", "Unsupported type: 'bool'"),
    ("[]", "Unsupported type: '[]interface {}'"),
    ("{}", "Unsupported type: 'map[string]interface {}'"),
)


def _in_words(seconds: float | None) -> str:
    if seconds is None:
        return "counts as not given"
    return "means forever" if math.isinf(seconds) else f"means {seconds:.15g} s"


def _body(text: str, model: str = UNKNOWN) -> str:
    """A request with a keep_alive in its very letters."""
    return f'{{"model": {json.dumps(model)}, "keep_alive": {text}}}'


def _means(text: str, seconds: float | None, lab: Lab) -> None:
    model = lab.model
    lab.load(model, 700)
    reply = lab.post("/api/generate", _body(text, model))
    require_equal(reply.status_code, 200, f"{reply.text[:200]}: status")
    wanted_s = 700 if seconds is None else seconds
    began = _time(reply.json()["created_at"])  # both by the server's clock

    def meant_s() -> float:
        expires_at = lab.deadline(model) + timedelta(seconds=lab.server.clock_offset_s)
        return math.inf if expires_at - began > FOREVER else (expires_at - began).total_seconds()

    close = until(lambda: meant_s() == wanted_s or -0.01 < meant_s() - wanted_s < 0.4, 0.3)
    seen_s = meant_s()
    lab.load(model, 700)  # before it leaves
    require(close, f"it leaves {seen_s:.3f} s after the request")


def _time(text: str) -> datetime:
    """A time of the API's, to the microsecond: more Python 3.10 does not read."""
    whole, _, rest = text.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{rest[:6]:0<6}+00:00")


def _unloads(text: str, lab: Lab) -> None:
    model = lab.model
    lab.load(model)
    reply = lab.post("/api/generate", _body(text, model))
    require_equal(reply.json().get("done_reason"), "unload", "done_reason")
    require(lab.gone(model), "it is still in memory after 3 s")


def _refused(text: str, error: str, lab: Lab) -> None:
    reply = lab.post("/api/generate", _body(text))
    require_equal((reply.status_code, reply.json()), (400, {"error": error}), "answered")


for _text, _seconds in MEANS:
    add(
        Fact(
            name=f"keep_alive {_text}",
            sentence=f"keep_alive {_text} {_in_words(_seconds)}.",
            topic=TOPIC,
            trial=partial(_means, _text, _seconds),
            source=_SOURCE,
            taught=_LESSON if _text == "300" else (),
        )
    )
for _text in UNLOADS:
    add(
        Fact(
            name=f"keep_alive {_text}",
            sentence=f"keep_alive {_text} means: unload at once.",
            topic=TOPIC,
            trial=partial(_unloads, _text),
            source=_SOURCE,
        )
    )
for _text, _error in REFUSED:
    add(
        Fact(
            name=f"keep_alive {_text}",
            sentence=f"keep_alive {_text} is refused before the model is looked up: 400, {_error}",
            topic=TOPIC,
            trial=partial(_refused, _text, _error),
            source=_SOURCE,
            taught=(("notebooks/00_start_here", 'As a text it needs a unit: `"5m"`, not `"5"`'),)
            if _text == '"5"'
            else (),
        )
    )


@fact(TOPIC, "keep_alive of 9223372037 (more than 292 years) overflows, and unloads at once "
      "(on x86-64).", source=_SOURCE)  # fmt: skip
def too_large_a_number_unloads(lab: Lab) -> None:
    if not lab.server.is_local or platform.machine() not in ("x86_64", "AMD64"):
        raise CannotTry("differs between processors; known for x86-64")
    for text in OVERFLOWS:
        lab.load(lab.model)
        reply = lab.post("/api/generate", _body(text, lab.model))
        require_equal(reply.status_code, 200, f"{text}: status")
        require(lab.gone(lab.model), f"{text}: it is still in memory after 3 s")


@fact(TOPIC, "A number that no floating-point number can hold is refused: 400.", source=_SOURCE)
def a_number_beyond_floating_point_is_refused(lab: Lab) -> None:
    reply = lab.post("/api/generate", _body("1e400"))
    require_equal(reply.status_code, 400, "status")
    require("cannot unmarshal number 1e400 into Go" in reply.json()["error"], reply.text)


@fact(TOPIC, "generate, chat, embed and embeddings read keep_alive alike.", source=_SOURCE)
def four_doors_read_it_alike(lab: Lab) -> None:
    for door in ("generate", "chat", "embed", "embeddings"):
        refused = lab.post(f"/api/{door}", _body('"1d"'))
        require_equal(refused.status_code, 400, f"{door}, a wrong one: status")
        require('unknown unit "d"' in refused.json()["error"], f"{door}: {refused.text}")
        require_equal(lab.post(f"/api/{door}", _body('"5m"')).status_code, 404, door)


@fact(TOPIC, "Inside options it is ignored: it is a field of the request itself.",
      source="api/types.go, Options.FromMap")  # fmt: skip
def in_options_it_is_ignored(lab: Lab) -> None:
    lab.load(lab.model, 700)
    lab.load(lab.model, ..., options={"keep_alive": 5})
    lab.require_left(lab.model, 700)


@fact(TOPIC, "The name of the field may be in capitals, and the last of two counts.",
      source="encoding/json")  # fmt: skip
def the_fields_name_may_be_in_capitals(lab: Lab) -> None:
    body = '{"model": "%s", "keep_alive": %s, "Keep_Alive": %s}'
    reply = lab.post("/api/generate", body % (UNKNOWN, '"5m"', '"1d"'))
    require_equal(reply.status_code, 400, "a wrong one in capitals: status")
    lab.load(lab.model, 700)
    lab.post("/api/generate", body % (lab.model, "100", "200"))
    lab.require_left(lab.model, 200)


@fact(TOPIC, "Whatever follows the first JSON value is ignored.", source="encoding/json")
def what_follows_is_ignored(lab: Lab) -> None:
    reply = lab.post("/api/generate", _body('"5m"') + ' {"keep_alive": "1d"} rubbish')
    require_equal(reply.status_code, 404, f"{reply.text}: status")
