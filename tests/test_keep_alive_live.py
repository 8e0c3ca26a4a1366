"""KeepAlive.from_json against the server, for any JSON value: what is refused, how, what it means.

An unknown model loads nothing: 400 is a refused keep_alive, 404 an accepted one. `LIFECYCLE_LONG=1`
tries 20,000 values instead of 500, and reads the meaning of 300 instead of 25.
"""

from __future__ import annotations

import http.client
import json
import math
import os
import platform
import re
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Resident, Server
from tests.json_texts import DURATIONS, JSON_TEXTS, NUMBERS, nearly_too_long
from tests.test_keep_alive import ACCEPTED, REFUSED

LONG = bool(os.environ.get("LIFECYCLE_LONG"))
MODEL = "smollm2:135m"
DEFAULT_S = 300.0
DOORS = {
    "/api/generate": "GenerateRequest",
    "/api/chat": "ChatRequest",
    "/api/embed": "EmbedRequest",
    "/api/embeddings": "EmbeddingRequest",
}
Ask = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def ask(sandbox: Sandbox) -> Iterator[Ask]:
    """Send one body; get the status and the error's text. One connection, as it is thousands."""
    connection = http.client.HTTPConnection("127.0.0.1", sandbox.port, timeout=60)

    def send(body: str, door: str = "/api/generate") -> tuple[int, str]:
        connection.request("POST", door, body.encode())
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read().splitlines()[0]).get("error", "")

    yield send
    connection.close()


def with_unknown_model(text: str) -> str:
    return f'{{"model": "no-such-model", "keep_alive": {text}}}'


def refusal(text: str) -> str | None:
    """What we say against a JSON text; None when we accept it."""
    try:
        KeepAlive.from_json(json.loads(text))
    except ValueError as refused:
        return str(refused)
    return None


# --- what is refused, and how -------------------------------------------------------------------


@pytest.mark.parametrize("value", [v for v, _ in (*ACCEPTED, *REFUSED)], ids=ascii)
def test_the_server_agrees_with_the_table(ask: Ask, value: object) -> None:
    assert_same(ask, json.dumps(value))


@settings(
    max_examples=20_000 if LONG else 500,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@example("NaN")  # Python reads it, Go does not; we said something about float64
@example("[NaN]")  # we complained about the list
@example("[1e400]")  # likewise: Go reads the list to its end first, and stumbles over the number
@example('{"a": [1, {"b": -1e999}]}')
@example('["5", 1e400, true]')
@example("1e400")
@example("-0")
@example("1E5")
@example("1e-400")
@example(str(2**1024 - 2**970 - 1))  # the last integer that rounds to a float64 ...
@example(str(2**1024 - 2**970))  # ... and the first that does not
@example("9223372036.854775")
@example("[" * 200 + "]" * 200)
@example('"5m+5m"')
@example('"9223372036854775807ns"')
@example('"9223372036854775808ns"')
@example('"-9223372036854775808ns"')
@example('"-9223372036854775809ns"')
@example('"-2562047h2837s"')  # each is small enough, the sum is not
@example('"0.9223372036854775808s"')  # a fraction may have as many digits as fit ...
@example('"0.92233720368547758089s"')  # ... and is cut off where they do not
@given(JSON_TEXTS)
def test_what_the_server_refuses_we_refuse_with_its_text(ask: Ask, text: str) -> None:
    assert_same(ask, text)


def assert_same(ask: Ask, text: str) -> None:
    status, said = ask(with_unknown_model(text))
    ours = refusal(text)
    assert status == (404 if ours is None else 400), (said, ours)
    if ours is not None and ours.startswith("json:"):
        # the number as it was written is gone when Python has read it
        number = r"json: cannot unmarshal number \S+ into Go struct field \S+ of type float64"
        assert re.fullmatch(number, said), (said, ours)
    elif ours is not None:
        assert said == ours


# --- what a Python value no longer shows --------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Infinity", "invalid character 'I' looking for beginning of value"),
        ("-Infinity", "invalid character 'I' in numeric literal"),
        ('{"a": 1e400, "a": 1}', "json: cannot unmarshal number 1e400 into Go struct field "),
    ],
)
def test_some_texts_are_refused_by_both_in_other_words(ask: Ask, text: str, said: str) -> None:
    status, theirs = ask(with_unknown_model(text))
    assert status == 400
    assert theirs.startswith(said)
    assert refusal(text) is not None


@pytest.mark.parametrize("text", ["1" * 5000, "01", ".5", "1.", "+5", "True", "nul", '"5m', "'5m'"])
def test_what_python_cannot_read_the_server_cannot_either(ask: Ask, text: str) -> None:
    assert ask(with_unknown_model(text))[0] == 400
    with pytest.raises(ValueError, match=r"JSON|line 1|integer string"):
        json.loads(text)


# --- the body around it -------------------------------------------------------------------------


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "text", ['"5m"', "-1", "null", '"5"', '"1d"', "true", "[1]", "{}", "1e400"]
)
def test_the_four_doors_read_it_alike(ask: Ask, door: str, text: str) -> None:
    status, said = ask(with_unknown_model(text), door)
    ours = refusal(text)
    assert status == (404 if ours is None else 400)
    if ours is not None and text == "1e400":
        assert said.startswith(
            f"json: cannot unmarshal number 1e400 into Go struct field {DOORS[door]}"
        )
    elif ours is not None:
        assert said == ours


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ('{"model": "x", "Keep_Alive": "5"}', 400),
        ('{"model": "x", "KEEP_ALIVE": "5"}', 400),
        ('{"model": "x", "\\u006beep_alive": "5"}', 400),
        ('{"model": "x", "\u212aeep_alive": "5"}', 400),  # the Kelvin sign is a K to Go
        ('{"model": "x", "keepalive": "5"}', 404),
        ('{"model": "x", "keep_alive ": "5"}', 404),
        ('{"model": "x", "options": {"keep_alive": "5"}}', 404),
        ('{"keep_alive": "5"}', 400),
        ('{"keep_alive": "5", "model": 5}', 400),
        # what follows the first value is not looked at
        ('{"model": "x", "keep_alive": "5m"} {"keep_alive": "5"}', 404),
        ('{"model": "x", "keep_alive": "5m"}, no JSON', 404),
        ('\ufeff{"model": "x", "keep_alive": "5m"}', 400),
        # given twice, both are read
        ('{"model": "x", "keep_alive": "5", "keep_alive": "5m"}', 400),
        ('{"model": "x", "keep_alive": "5m", "keep_alive": "5"}', 400),
        ('{"model": "x", "keep_alive": "5m", "KEEP_ALIVE": "6m"}', 404),
    ],
)
def test_where_the_server_looks_for_it(ask: Ask, body: str, status: int) -> None:
    assert ask(body)[0] == status


# --- what it means ------------------------------------------------------------------------------


class Meaning:
    """Sends a keep_alive to a real model, and sees from /api/ps what became of it."""

    def __init__(self, server: Server, ask: Ask) -> None:
        self.server = server
        self.ask = ask
        self.held_s = DEFAULT_S  # what a request without a value leaves in force

    def check(self, keep_alive: str, read: KeepAlive) -> None:
        """Assert that this part of a body, such as `"keep_alive": 5`, means what we read."""
        before = self._resident()
        if before is None:
            self.held_s = DEFAULT_S
        sent = datetime.now(timezone.utc)
        status, said = self.ask(f'{{"model": "{MODEL}", {keep_alive}}}')
        assert (status, said) == (200, "")
        if not read.is_default:
            assert read.seconds is not None
            self.held_s = read.seconds
        if self.held_s < 1:
            assert self._eventually(lambda: self._resident() is None), f"{self._resident()} stays"
            return
        # the clock starts when the request is over, a moment after its answer
        stale = before and before.expires_at
        assert self._eventually(lambda: self._expires_at() not in (None, stale))
        resident = self._resident()
        assert resident is not None
        if math.isinf(self.held_s):
            assert resident.is_forever
            return
        since_s = (resident.expires_at - sent).total_seconds() - self.held_s
        until_now_s = (datetime.now(timezone.utc) - sent).total_seconds()
        assert -0.001 <= since_s <= until_now_s + 0.001, (keep_alive, read)

    def _resident(self) -> Resident | None:
        return self.server.resident(MODEL)

    def _expires_at(self) -> datetime | None:
        resident = self._resident()
        return resident and resident.expires_at

    @staticmethod
    def _eventually(condition: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + 20
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.002)
        return True


@pytest.fixture(scope="module")
def meaning(sandbox: Sandbox, ask: Ask) -> Iterator[Meaning]:
    server = Server(sandbox.url)
    server.unload(MODEL)
    yield Meaning(server, ask)
    server.unload(MODEL)
    server.close()


SECONDS = st.floats(1.5, 9.2e9) | st.floats(1.5, 1e5) | st.integers(2, 10**7)
MEANT = st.one_of(
    SECONDS.map(json.dumps),
    SECONDS.map(json.dumps),
    (DURATIONS | nearly_too_long()).map(json.dumps),
    NUMBERS,
    st.just("null"),
)


@pytest.mark.slow
@settings(
    max_examples=300 if LONG else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@example("0")
@example("null")
@example("9223372037")
@example("9223372036.854774")
@example('"-1ns"')
@example('"-0.5ns"')
@example("-1e-300")
@example("1e-400")
@example('"1ns"')
@example('"2562047h47m16.854775806s"')
@example('"1.99999999999999999999s"')
@given(MEANT)
def test_what_the_server_accepts_it_means_as_we_do(meaning: Meaning, text: str) -> None:
    assume(refusal(text) is None)
    value = json.loads(text)
    read = KeepAlive.from_json(value)
    # what becomes of too many seconds is a matter of the processor; from_json says x86-64's
    overflows = not isinstance(value, str | None) and value >= 2**63 / 1e9
    assume(platform.machine() in ("x86_64", "AMD64") or not overflows)
    # so short that it may be gone, or not yet, whenever one looks
    assume(read.seconds is None or not 0.5 < read.seconds < 1.5)
    meaning.check(f'"keep_alive": {text}', read)


@pytest.mark.parametrize(
    ("given_twice", "means"),
    [
        ('"keep_alive": 600, "keep_alive": 900', 900),
        ('"keep_alive": 900, "KEEP_ALIVE": 600', 600),
        ('"KEEP_ALIVE": 600, "keep_alive": 900', 900),
        ('"keep_alive": 600, "keep_alive": null', None),
        ('"keep_alive": null, "keep_alive": 600', 600),
    ],
)
def test_given_twice_the_last_one_counts(
    meaning: Meaning, given_twice: str, means: float | None
) -> None:
    meaning.check(given_twice, KeepAlive(means))
