"""Facts: the forms of OLLAMA_KEEP_ALIVE, which differ from those of the API."""

from __future__ import annotations

import math
from functools import partial

from lifecycle_widgets.facts.fact import Fact, add, fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import require

TOPIC = "OLLAMA_KEEP_ALIVE, in the server's environment"
_SOURCE = "envconfig/config.go, KeepAlive"
_DEFAULT_S = 300.0

# the variable's value, and the seconds that it means
FORMS: tuple[tuple[str, float], ...] = (
    ("90s", 90),
    ("90", 90),
    ("-1", math.inf),
    ("-1m", math.inf),
    (' "90s" ', 90),
    ("1.5", _DEFAULT_S),
    ("1d", _DEFAULT_S),
    ("forever", _DEFAULT_S),
    ("", _DEFAULT_S),
)


def _trial(text: str, seconds: float, lab: Lab) -> None:
    with lab.private(OLLAMA_KEEP_ALIVE=text) as other:
        other.load(other.model, ...)
        other.require_left(other.model, seconds)


def _sentence(text: str, seconds: float) -> str:
    if math.isinf(seconds):
        return f"OLLAMA_KEEP_ALIVE={text!r} means forever."
    if seconds == _DEFAULT_S:
        return f"OLLAMA_KEEP_ALIVE={text!r} is ignored without a word: 5 minutes."
    return f"OLLAMA_KEEP_ALIVE={text!r} means {seconds:g} s."


for _text, _seconds in FORMS:
    add(
        Fact(
            name=f"OLLAMA_KEEP_ALIVE={_text!r}",
            sentence=_sentence(_text, _seconds),
            topic=TOPIC,
            trial=partial(_trial, _text, _seconds),
            source=_SOURCE,
            is_slow=_text not in ("90", "1.5"),
        )
    )


@fact(TOPIC, "OLLAMA_KEEP_ALIVE=0 unloads after each request that carries no keep_alive.",
      source=_SOURCE, slow=True)  # fmt: skip
def zero_in_the_environment_unloads(lab: Lab) -> None:
    with lab.private(OLLAMA_KEEP_ALIVE="0") as other:
        require(other.answer(other.model)["response"], "no answer")
        require(other.gone(other.model), "still in memory after 3 s")
        other.answer(other.model, keep_alive=100)
        other.require_left(other.model, 100)


@fact(TOPIC, "It is the server's environment that counts; an invalid whole number in one of "
      "the other settings is ignored with a warning in the log.",
      source="envconfig/config.go, Uint", slow=True)  # fmt: skip
def invalid_settings_are_ignored(lab: Lab) -> None:
    with lab.private(OLLAMA_NUM_PARALLEL="two", OLLAMA_MAX_LOADED_MODELS="-3") as other:
        other.load(other.model)
        log = other.require_private().log_tail(10_000)
    for name in ("OLLAMA_NUM_PARALLEL", "OLLAMA_MAX_LOADED_MODELS"):
        warned = any("invalid environment variable" in li and name in li for li in log.splitlines())
        require(warned, f"no warning about {name}")
