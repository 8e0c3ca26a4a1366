"""Strategies for hypothesis: JSON texts for a keep_alive, most of them nearly right."""

from __future__ import annotations

import json
import re

from hypothesis import strategies as st

EDGES = (0, 1, 2**31, 2**53, 2**63 // 10**9, 2**63, 2**64, 10**308, 2**1024 - 2**970, 10**309)
NUMBERS = st.one_of(
    st.from_regex(r"\A-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?\Z"),
    st.floats(allow_nan=False, allow_infinity=False).map(json.dumps),
    st.integers(-(2**70), 2**70).map(str),
    st.builds(lambda edge, more: str(edge + more), st.sampled_from(EDGES), st.integers(-2, 2)),
    st.builds(lambda edge, more: f"-{edge}.{more}", st.sampled_from(EDGES), st.integers(0, 10**9)),
    st.builds(
        lambda digits, zeros: digits + "0" * zeros, st.sampled_from("19"), st.integers(1, 400)
    ),
)

UNITS = ("ns", "us", "µs", "μs", "ms", "s", "m", "h")
# near misses: other cases, other languages, white space of every kind, what needs escaping
PIECES = (
    *UNITS,
    *"0123456789.+-eE_,:dwyMSH",
    *' \xa0\u2003\t\n\0\x1f\x7f"\\/é∞٣１',
    "\u2028",
    "\ufeff",
    "\ud800",
    "\udc00",
)
DIGITS = st.from_regex(r"\A[0-9]{1,22}\Z")
AMOUNTS = st.builds(
    lambda whole, point, part: whole + point + part,
    st.integers(0, 99_999).map(str) | DIGITS | st.just(""),
    st.sampled_from(("", ".")),
    st.just("") | DIGITS,
)
TERMS = st.builds(lambda amount, unit: amount + unit, AMOUNTS, st.sampled_from(UNITS))
DURATIONS = st.builds(
    lambda sign, terms: sign + "".join(terms),
    st.sampled_from(("", "", "-", "+")),
    st.lists(TERMS, min_size=1, max_size=4),
)
NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


@st.composite
def nearly_too_long(draw: st.DrawFn) -> str:
    """A duration within some units of the 2**63 nanoseconds that Go can count."""
    unit = draw(st.sampled_from(sorted(NANOSECONDS)))
    most, rest = divmod(2**63, NANOSECONDS[unit])
    text = draw(st.sampled_from(("", "-", "+"))) + f"{most + draw(st.integers(-2, 2))}{unit}"
    return text + draw(st.just("") | st.integers(-2, 2).map(lambda more: f"{rest + more}ns"))


@st.composite
def mistyped(draw: st.DrawFn) -> str:
    """A duration with one place changed."""
    text = draw(DURATIONS)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(start + 1, len(text))))
    piece = draw(st.sampled_from(("", *PIECES)) | st.characters(exclude_categories=()))
    return text[:start] + piece + text[end:]


def escaped(text: str) -> str:
    """A string with every character as its number; surrogates stay as they are."""
    pairs = text.encode("utf-16-be", "surrogatepass").hex()
    return '"' + "".join(f"\\u{pairs[i : i + 4]}" for i in range(0, len(pairs), 4)) + '"'


def as_it_is(text: str) -> str:
    """A string with nothing escaped that need not be; a lone surrogate cannot be sent so."""
    return json.dumps(re.sub("[\ud800-\udfff]", "�", text), ensure_ascii=False)


STRINGS = st.builds(
    lambda text, write: write(text),
    st.one_of(
        DURATIONS,
        mistyped(),
        nearly_too_long(),
        st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
        st.text(st.characters(exclude_categories=())),
    ),
    st.sampled_from((json.dumps, escaped, as_it_is)),
)
SCALARS = NUMBERS | STRINGS | st.sampled_from(("null", "true", "false", "NaN"))


def _containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(inner, max_size=4).map(lambda parts: f"[{','.join(parts)}]") | st.dictionaries(
        st.text(max_size=3).map(json.dumps), inner, max_size=4
    ).map(lambda parts: "{" + ",".join(f"{k}:{v}" for k, v in parts.items()) + "}")


JSON_TEXTS = st.one_of(NUMBERS, STRINGS, STRINGS, SCALARS, st.recursive(SCALARS, _containers))
