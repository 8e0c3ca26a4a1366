"""Which variables are set where, and which of them do not do what was meant."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping

from lifecycle_widgets.doctor.diagnosis import GOOD, NOTE, WARNING, Diagnosis, unseen
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.monitor.in_force.environment import KEEP_ALIVE, duration_s

SERVERS_OWN = (
    "OLLAMA_CONTEXT_LENGTH",
    "OLLAMA_FLASH_ATTENTION",
    "OLLAMA_GPU_OVERHEAD",
    "OLLAMA_KEEP_ALIVE",
    "OLLAMA_KV_CACHE_TYPE",
    "OLLAMA_LOAD_TIMEOUT",
    "OLLAMA_MAX_LOADED_MODELS",
    "OLLAMA_MAX_QUEUE",
    "OLLAMA_MODELS",
    "OLLAMA_NEW_ENGINE",
    "OLLAMA_NUM_PARALLEL",
    "OLLAMA_ORIGINS",
    "OLLAMA_SCHED_SPREAD",
)
"""What only the server reads: in a client's shell it does nothing."""
_MAX_QUEUE = "OLLAMA_MAX_QUEUE"
_DURATIONS = {KEEP_ALIVE: "5 minutes", "OLLAMA_LOAD_TIMEOUT": "5 minutes"}
_COUNTS = ("OLLAMA_CONTEXT_LENGTH", "OLLAMA_GPU_OVERHEAD", "OLLAMA_MAX_LOADED_MODELS",
           _MAX_QUEUE, "OLLAMA_NUM_PARALLEL")  # fmt: skip
_UNIT = "a unit that was changed"
_ITS_OWN = "invalid settings are ignored"
_SET_IT = (
    "Set it where the server is started, and start the server anew: in the systemd unit "
    "(systemctl edit ollama; Environment=...), with docker run -e, with launchctl setenv on a "
    "Mac, in the user's variables on Windows, or in the shell of `ollama serve`."
)


def where(seen: Seen) -> Iterator[Diagnosis]:
    """Every variable that is set, and where."""
    here = [f"{name}={value} (this process)" for name, value in seen.here.items()]
    environment = seen.in_force.environment
    if environment is None:
        why = seen.in_force.unseen or "Its process cannot be seen."
        yield unseen("variables", "the variables of the server's process", why)
    else:
        whose = f"the server's {seen.in_force.environment_from or 'process'}"
        here += [f"{name}={value} ({whose})" for name, value in sorted(environment.items())]
    if here:
        yield Diagnosis("variables", "These variables of Ollama are set.", tuple(here))
    elif environment is not None:
        yield Diagnosis("variables", "No variable of Ollama is set, here or there.", severity=GOOD)


def only_here(seen: Seen) -> Iterator[Diagnosis]:
    """The folklore fault: a server's variable in the shell of the client."""
    mine = {name: value for name, value in seen.here.items() if name in SERVERS_OWN}
    environment = seen.in_force.environment
    if environment is None:
        yield from map(_maybe_only_here, mine.items())
    others = {n: v for n, v in mine.items() if environment is not None and environment.get(n) != v}
    for name, value in others.items():
        theirs = (environment or {}).get(name)
        yield Diagnosis(
            "variable set in the wrong place",
            f"{name}={value} is set in this process, where it does nothing; the server has "
            f"{'no such variable' if theirs is None else theirs}.",
            (f"{name}={value} (this process)", f"{name} in the server's process: "
             f"{'not set' if theirs is None else theirs}"),
            f"{_SET_IT} For single requests give the value with the request.",
            WARNING,
            (_ITS_OWN,),
        )  # fmt: skip
    if environment is not None and not others:
        yield Diagnosis(
            "variable set in the wrong place",
            "No variable that only the server reads is set here alone.",
            severity=GOOD,
        )


def _maybe_only_here(pair: tuple[str, str]) -> Diagnosis:
    name, value = pair
    return Diagnosis(
        "variable set in the wrong place",
        f"{name}={value} is set in this process, where it does nothing; whether the server has it "
        "cannot be seen.",
        (f"{name}={value} (this process)",),
        _SET_IT,
        NOTE,
        (_ITS_OWN,),
    )


def unit_later(seen: Seen) -> Iterator[Diagnosis]:
    """The unit was changed, and the server was not started anew."""
    environment = seen.in_force.environment
    if seen.unit is None or environment is None or seen.in_force.environment_from != "process":
        return
    differ = {name: value for name, value in seen.unit.items() if environment.get(name) != value}
    if not differ:
        yield Diagnosis(_UNIT, "The server runs with what its systemd unit says.", severity=GOOD)
    for name, value in differ.items():
        theirs = environment.get(name)
        yield Diagnosis(
            _UNIT,
            f"The systemd unit says {name}={value}, but the server runs "
            f"{'without it' if theirs is None else f'with {theirs}'}.",
            (
                f"{name}={value} (the systemd unit)",
                f"{name} in the server's process: {'not set' if theirs is None else theirs}",
            ),
            "Start the server anew: systemctl daemon-reload, then systemctl restart ollama. It "
            "unloads all models.",
            WARNING,
            (_ITS_OWN,),
        )


def ignored(seen: Seen) -> Iterator[Diagnosis]:
    """Values in the server's environment that Ollama cannot read, or does not use."""
    environment = seen.in_force.environment
    if environment is None:
        return
    found = [*_unreadable(environment), *_other_default(seen)]
    yield from found
    if not found:
        yield Diagnosis("ignored values", "The server can read what it was set.", severity=GOOD)


def _unreadable(environment: Mapping[str, str]) -> Iterator[Diagnosis]:
    for name, default in _DURATIONS.items():
        if name in environment and duration_s(environment[name]) is None:
            yield Diagnosis(
                "ignored values",
                f"{name}={environment[name]} is ignored without a word: {default}.",
                (f"{name}={environment[name]} (the server's process)",),
                "Write it with a unit that Ollama knows (30s, 20m, 24h), as whole seconds, or -1 "
                "for ever; then start the server anew.",
                WARNING,
                (_fact_of(environment[name]),) if name == KEEP_ALIVE else (),
            )
    for name in _COUNTS:
        if (value := _told(environment, name)) and not re.fullmatch(r"\d{1,20}", value, re.ASCII):
            yield Diagnosis(
                "ignored values",
                f"{name}={value} is no whole number, and is ignored.",
                (f"{name}={value} (the server's process)",),
                "Write a whole number, and start the server anew.",
                WARNING,
                (_ITS_OWN,),
            )


def _other_default(seen: Seen) -> Iterator[Diagnosis]:
    """The keep_alive as it is set is not what was measured: the process is not the one meant."""
    value = _told(seen.in_force.environment or {}, KEEP_ALIVE)
    measured_s, set_s = seen.in_force.default_keep_alive_s, duration_s(value)
    if seen.in_force.default_keep_alive_from != "measured":
        return
    if measured_s is None or set_s is None:
        return
    if not math.isclose(measured_s, set_s, rel_tol=0.02, abs_tol=2.0):
        yield Diagnosis(
            "ignored values",
            f"{KEEP_ALIVE}={value} is set, but a model that was loaded without a keep_alive was "
            f"given {measured_s:g} s.",
            (f"set: {set_s:g} s", f"measured: {measured_s:g} s"),
            "Start the server anew: what was set after its start does not count.",
            WARNING,
            ("the default counts at load", _ITS_OWN),
        )


def costly(seen: Seen) -> Iterator[Diagnosis]:
    """Values that do what they say, at a price that is easily overlooked."""
    environment = seen.in_force.environment or {}
    if _told(environment, KEEP_ALIVE) and duration_s(environment[KEEP_ALIVE]) == 0:
        yield _priced(
            environment, KEEP_ALIVE,
            "each model leaves after each request that carries no keep_alive, and is loaded anew "
            "for the next",
            "Leave it out, or give a time that reaches from one request to the next.",
            "zero in the environment unloads",
        )  # fmt: skip
    if _told(environment, _MAX_QUEUE) == "0":
        yield _priced(
            environment, _MAX_QUEUE,
            "requests are served one at a time; another that has to wait for a load is refused",
            "Leave it out: the default is 512.",
            "no queue at all",
        )  # fmt: skip
    parallel = _told(environment, "OLLAMA_NUM_PARALLEL")
    if parallel.isdigit() and int(parallel) > 1:
        yield _priced(
            environment, "OLLAMA_NUM_PARALLEL",
            f"each model's context takes {int(parallel)} times the memory",
            "Keep it where requests do come at once.",
            "two requests at a time",
            NOTE,
        )  # fmt: skip
    host = _told(environment, "OLLAMA_HOST")
    if re.match(r"(\w+://)?(0\.0\.0\.0|\[::\])", host):
        yield _priced(
            environment, "OLLAMA_HOST",
            "whoever reaches this machine may use it, and unload what others use",
            "If that is not meant, listen on 127.0.0.1, or put a gateway with a key before it.",
            "without an origin",
            NOTE,
        )  # fmt: skip


def _priced(
    environment: Mapping[str, str], name: str, price: str, advice: str, fact: str,
    severity: str = WARNING,
) -> Diagnosis:  # fmt: skip
    said = f"{name}={environment[name]}"
    return Diagnosis(
        "settings with a price",
        f"{said}: {price}.",
        (f"{said} (the server's process)",),
        advice,
        severity,
        (fact,),
    )


# --- how Ollama reads them -----------------------------------------------------------------------


def _told(environment: Mapping[str, str], name: str) -> str:
    """A variable's value as Ollama reads it; empty where it is not set."""
    return environment.get(name, "").strip().strip("\"'").strip()


def _fact_of(value: str) -> str:
    """The fact that was tried with that value, or with one like it."""
    return f"OLLAMA_KEEP_ALIVE={'1.5' if re.fullmatch(r'[0-9.]+', value) else '1d'!r}"
