"""Durations as Ollama reads them from JSON and as Go writes them, in nanoseconds.

The grammar is Go's ``time.ParseDuration`` for strings and seconds for numbers, with a few
surprises. Source: ``api/types.go`` (``Duration.UnmarshalJSON``) of Ollama 0.32.15, and the answers
of a running server, which ``tests/test_keep_alive_live.py`` compares with this file.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

FOREVER_NS = 2**63 - 1  # Go's math.MaxInt64: how Ollama itself stores "forever"
NS_PER_S = 1_000_000_000
_UNITS_NS = {
    b"ns": 1,
    b"us": 1_000,
    "µs".encode(): 1_000,  # U+00B5, micro sign
    "μs".encode(): 1_000,  # U+03BC, Greek mu
    b"ms": 1_000_000,
    b"s": NS_PER_S,
    b"m": 60 * NS_PER_S,
    b"h": 3600 * NS_PER_S,
}


# --- reading --------------------------------------------------------------------------------------


def from_json(value: Any) -> int | None:
    """Read a JSON value, as ``json.loads`` gives it, as Ollama reads a ``keep_alive``.

    Returns
    -------
    int or None
        Nanoseconds (``FOREVER_NS`` for any negative time); None for null.

    Raises
    ------
    ValueError
        For what Ollama refuses, with its text.

    Examples
    --------
    >>> from_json("1h30m"), from_json(0.5), from_json(-1) == FOREVER_NS
    (5400000000000, 500000000, True)
    """
    _require_numbers_that_fit(value)
    if value is None:
        return None
    if isinstance(value, bool):
        raise ValueError("Unsupported type: 'bool'")
    if isinstance(value, list):
        raise ValueError("Unsupported type: '[]interface {}'")
    if isinstance(value, dict):
        raise ValueError("Unsupported type: 'map[string]interface {}'")
    if isinstance(value, (int, float)):
        return _number_ns(float(value))
    if isinstance(value, str):
        # Go's decoder turns a lone surrogate into U+FFFD
        text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ns = _parse_duration(text.encode())
        return FOREVER_NS if ns < 0 else ns
    raise ValueError(f"{type(value).__name__} is not a JSON value")


def _require_numbers_that_fit(value: Any) -> None:
    """Go reads a list or an object to its end before it says that it wants neither."""
    numbers = list(_numbers(value))
    if any(map(math.isnan, numbers)):
        raise ValueError("invalid character 'N' looking for beginning of value")
    if any(map(math.isinf, numbers)):
        # the server's text also names the number as it was written, and the kind of request
        raise ValueError("json: cannot unmarshal number into a value of type float64")


def _numbers(value: Any) -> Iterator[float]:
    """Every number in a JSON value, infinite where Go's float64 cannot hold it."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, (int, float)):
            try:
                yield float(item)
            except OverflowError:
                yield math.inf


def _number_ns(seconds: float) -> int:
    if seconds < 0:
        return FOREVER_NS
    ns = seconds * NS_PER_S
    # x86-64 turns an overflowing float into the smallest integer, which unloads at once
    return int(ns) if ns < 2**63 else 0


def _parse_duration(text: bytes) -> int:
    """Go's ``time.ParseDuration``, in nanoseconds, with its error texts."""
    rest, negative = text, False
    if rest[:1] in (b"-", b"+"):
        negative, rest = rest[:1] == b"-", rest[1:]
    if rest == b"0":
        return 0
    if not rest:
        raise _invalid(text)
    total = 0
    while rest:
        amount, rest = _one_term(rest, text)
        total += amount
        if total > 2**63:
            raise _invalid(text)
    if negative:
        return -total
    if total > FOREVER_NS:
        raise _invalid(text)
    return total


def _one_term(rest: bytes, whole: bytes) -> tuple[int, bytes]:
    """One number with its unit, such as ``1.5h``: nanoseconds, and what follows."""
    match = re.match(rb"([0-9]*)\.?([0-9]*)", rest)
    assert match is not None  # every part may be empty
    digits, fraction = match.groups()
    if not (digits or fraction):
        raise _invalid(whole)
    digits = digits.lstrip(b"0") or b"0"
    if len(digits) > 19 or int(digits) > 2**63:
        raise _invalid(whole)
    rest = rest[match.end() :]
    unit_match = re.match(rb"[^0-9.]+", rest)
    if unit_match is None:
        raise ValueError(f"time: missing unit in duration {_quote(whole)}")
    unit = unit_match.group()
    if unit not in _UNITS_NS:
        raise ValueError(f"time: unknown unit {_quote(unit)} in duration {_quote(whole)}")
    value = int(digits) * _UNITS_NS[unit]
    if value > 2**63:
        raise _invalid(whole)
    return value + _fraction_ns(fraction, _UNITS_NS[unit]), rest[unit_match.end() :]


def _fraction_ns(digits: bytes, unit_ns: int) -> int:
    """The part after the point, in Go's own floating-point steps."""
    number, scale = 0, 1.0
    for digit in digits:
        if number * 10 + digit - 48 > 2**63:
            break  # Go ignores the digits that no longer fit
        number, scale = number * 10 + digit - 48, scale * 10
    return int(float(number) * (float(unit_ns) / scale)) if number else 0


def _invalid(text: bytes) -> ValueError:
    return ValueError(f"time: invalid duration {_quote(text)}")


def _quote(text: bytes) -> str:
    out = ""
    for byte in text:
        if byte in b'"\\':
            out += "\\" + chr(byte)
        else:
            out += chr(byte) if 32 <= byte < 128 else f"\\x{byte:02x}"
    return f'"{out}"'


# --- writing --------------------------------------------------------------------------------------


def go_style(ns: int) -> str:
    """A duration as Go would accept it: ``"1h30m"``, ``"1.5s"``, ``"300ms"``."""
    if ns == 0:
        return "0"
    hours, rest = divmod(ns, 3600 * NS_PER_S)
    minutes, rest = divmod(rest, 60 * NS_PER_S)
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    if rest and rest < NS_PER_S and not text:
        for unit, size in (("ms", 1_000_000), ("us", 1_000), ("ns", 1)):
            if rest >= size:
                return _decimal(rest, size) + unit
    return text + (_decimal(rest, NS_PER_S) + "s" if rest else "")


def _decimal(ns: int, unit_ns: int) -> str:
    """How many units, exactly, without trailing zeros."""
    whole, rest = divmod(ns, unit_ns)
    digits = len(str(unit_ns)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".") if rest else str(whole)


def in_words(ns: int) -> str:
    """A duration for a sentence: ``"1 minute 30 seconds"``."""
    hours, rest = divmod(ns, 3600 * NS_PER_S)
    minutes, rest = divmod(rest, 60 * NS_PER_S)
    seconds = _decimal(rest, NS_PER_S)
    counted = ((str(hours), "hour"), (str(minutes), "minute"), (seconds, "second"))
    return " ".join(f"{n} {unit}{'' if n == '1' else 's'}" for n, unit in counted if n != "0")
