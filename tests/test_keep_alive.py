"""KeepAlive against the grammar table of Ollama's API, by table and by property.

The same table and any other value against the server: `test_keep_alive_live.py`.
"""

from __future__ import annotations

import math
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.keep_alive import KeepAlive

FOREVER = math.inf

# what Ollama 0.32.15 accepts, and the seconds it means
ACCEPTED = [
    (None, None),
    (5, 5),
    (300, 300),
    (0.5, 0.5),
    (1.5, 1.5),
    (0, 0),
    (-0.0, 0),
    ("0", 0),
    ("+0", 0),
    ("-0", 0),
    ("0s", 0),
    ("-0s", 0),
    (-1, FOREVER),
    (-0.001, FOREVER),
    ("-1s", FOREVER),
    ("-1m", FOREVER),
    ("-0.5ns", 0),
    ("5m", 300),
    ("1h30m", 5400),
    ("1.5h", 5400),
    (".5s", 0.5),
    ("5.s", 5),
    ("+5m", 300),
    ("300ms", 0.3),
    ("1us", 1e-6),
    ("1µs", 1e-6),
    ("1μs", 1e-6),
    ("1ns", 1e-9),
    ("1m1m", 120),
    ("1s1h", 3601),
    ("2562047h47m16.854775807s", FOREVER),
    (9223372036, 9223372036),
    (9223372037, 0),
    (1e300, 0),
]

# what it answers with HTTP 400, and the text
REFUSED = [
    ("5", 'time: missing unit in duration "5"'),
    ("-1", 'time: missing unit in duration "-1"'),
    ("300", 'time: missing unit in duration "300"'),
    ("1d", 'time: unknown unit "d" in duration "1d"'),
    ("5M", 'time: unknown unit "M" in duration "5M"'),
    ("5m ", 'time: unknown unit "m " in duration "5m "'),
    ("5 m", 'time: unknown unit " m" in duration "5 m"'),
    ("", 'time: invalid duration ""'),
    ("-", 'time: invalid duration "-"'),
    (".", 'time: invalid duration "."'),
    (".s", 'time: invalid duration ".s"'),
    ("forever", 'time: invalid duration "forever"'),
    ("inf", 'time: invalid duration "inf"'),
    (" 5m", 'time: invalid duration " 5m"'),
    ("9999999h", 'time: invalid duration "9999999h"'),
    ("1" * 5000 + "s", None),
    ('5"m', None),
    ("5\\m", None),
    ("5é", None),
    ("5\ud800", None),
    (True, "Unsupported type: 'bool'"),
    (False, "Unsupported type: 'bool'"),
    ([], "Unsupported type: '[]interface {}'"),
    ({}, "Unsupported type: 'map[string]interface {}'"),
    ([[5], {"a": ["5m"]}], "Unsupported type: '[]interface {}'"),
    # a list or an object is read to its end first
    ([math.nan], "invalid character 'N' looking for beginning of value"),
    ({"a": [10**400, math.nan]}, "invalid character 'N' looking for beginning of value"),
    (math.nan, "invalid character 'N' looking for beginning of value"),
]


@pytest.mark.parametrize(("value", "seconds"), ACCEPTED)
def test_from_json_accepts(value: object, seconds: float | None) -> None:
    read = KeepAlive.from_json(value)
    assert read.seconds == (seconds if seconds is None else pytest.approx(seconds, abs=1e-9))


@pytest.mark.parametrize(("value", "text"), REFUSED)
def test_from_json_refuses_with_the_servers_text(value: object, text: str | None) -> None:
    with pytest.raises(ValueError, match=r"time:|Unsupported|invalid") as refused:
        KeepAlive.from_json(value)
    if text is not None:
        assert str(refused.value) == text


@pytest.mark.parametrize("value", [math.inf, [-math.inf], 10**400, {"a": 10**400}, b"5m", object()])
def test_from_json_refuses_what_json_cannot_hold(value: object) -> None:
    with pytest.raises(ValueError, match=r"json|JSON"):
        KeepAlive.from_json(value)


EXACT = {"ns": Fraction(1, 10**9), "us": Fraction(1, 10**6), "µs": Fraction(1, 10**6)}
EXACT |= {"ms": Fraction(1, 1000), "s": Fraction(1), "m": Fraction(60), "h": Fraction(3600)}
NUMBERS = st.builds(
    lambda whole, part: f"{whole}.{part}" if part is not None else str(whole),
    st.integers(0, 99_999),
    st.none() | st.from_regex(r"\A[0-9]{1,6}\Z"),
)
TERMS = st.lists(st.tuples(NUMBERS, st.sampled_from(sorted(EXACT))), min_size=1, max_size=4)


@given(TERMS)
def test_durations_mean_their_sum(terms: list[tuple[str, str]]) -> None:
    text = "".join(number + unit for number, unit in terms)
    expected = sum(Fraction(number) * EXACT[unit] for number, unit in terms)
    for read in (KeepAlive(text), KeepAlive.from_json(text)):
        assert read.seconds == pytest.approx(float(expected), rel=1e-12, abs=len(terms) * 2e-9)
    assert KeepAlive.from_json("-" + text).is_forever == (KeepAlive(text).seconds != 0)


@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans())
def test_what_a_person_may_type_is_what_ollama_accepts(value: object) -> None:
    """Never a value that the server refuses, and never another meaning."""
    try:
        typed = KeepAlive(value)  # type: ignore[arg-type]
    except ValueError as refused:
        assert "keep_alive" in str(refused)
        return
    sent = KeepAlive.from_json(typed.to_json())
    assert sent == typed or sent.seconds == pytest.approx(typed.seconds, rel=1e-9, abs=1e-9)


@given(st.integers(0, 2**63 - 2))
def test_the_written_form_reads_back(ns: int) -> None:
    value = KeepAlive.from_json(f"{ns}ns")
    assert KeepAlive.from_json(str(value)).seconds == pytest.approx(value.seconds, rel=1e-15)
    assert value.explain().startswith(("Ollama", "The model"))


@given(st.text())
def test_from_json_ends_in_a_value_or_in_one_error(text: str) -> None:
    try:
        KeepAlive.from_json(text)
    except ValueError as refused:
        assert str(refused).startswith("time: ")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("5", "'5s' or '5m'"),
        ("1d", "'24h'"),
        ("2 days", "'48h'"),
        ("5 m", "'5m'"),
        ("5M", "'5m'"),
        (" 5m", "'5m'"),
        ("10 minutes", "'10m'"),
        ("-1", "'forever'"),
        ("infinite", "'forever'"),
        ("none", "'default'"),
        ("", "'default'"),
        ("gibberish", "'30s'"),
        (True, "'forever'"),
        (math.nan, "'5m'"),
        (1e10, "'forever'"),
        (10**400, "'forever'"),
        (timedelta(seconds=-1), "'forever'"),
        ([5], "'5m'"),
    ],
)
def test_a_mistake_names_the_likely_meaning(typed: object, meant: str) -> None:
    with pytest.raises(ValueError, match="keep_alive") as refused:
        KeepAlive(typed)  # type: ignore[arg-type]
    assert meant in str(refused.value)


def test_the_four_kinds() -> None:
    assert KeepAlive(None).is_default
    assert KeepAlive("default") == KeepAlive()
    assert KeepAlive("0").is_zero
    assert KeepAlive("forever").is_forever
    assert KeepAlive(-1) == KeepAlive(-(10**400)) == KeepAlive(math.inf) == KeepAlive("forever")
    assert KeepAlive(timedelta(minutes=5)) == KeepAlive("5m") == KeepAlive(KeepAlive(300))
    assert [KeepAlive(v).to_json() for v in (None, 0, 300.0, 0.5, -1)] == [None, 0, 300, 0.5, -1]
    assert [str(KeepAlive(v)) for v in (None, 0, 5400, 1.5, "300ms", -1)] == [
        "server default",
        "0",
        "1h30m",
        "1.5s",
        "300ms",
        "forever",
    ]
    assert len({KeepAlive(60), KeepAlive("1m"), KeepAlive("60s")}) == 1
    assert KeepAlive(1) != 1
