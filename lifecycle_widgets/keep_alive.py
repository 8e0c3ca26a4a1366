"""keep_alive: what a person types, what it means, and what goes on the wire.

Ollama keeps a model in memory for ``keep_alive`` after a request. The API's grammar is Go's
``time.ParseDuration`` for strings and seconds for numbers, with a few surprises; this module is
that grammar and nothing else. Source: ``api/types.go`` (``Duration.UnmarshalJSON``) of Ollama
0.32.15, and the answers of a running server.
"""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Any

_FOREVER_NS = 2**63 - 1  # Go's math.MaxInt64: how Ollama itself stores "forever"
_NS_PER_S = 1_000_000_000
_UNITS_NS = {
    b"ns": 1,
    b"us": 1_000,
    "µs".encode(): 1_000,  # U+00B5, micro sign
    "μs".encode(): 1_000,  # U+03BC, Greek mu
    b"ms": 1_000_000,
    b"s": _NS_PER_S,
    b"m": 60 * _NS_PER_S,
    b"h": 3600 * _NS_PER_S,
}
_LONG_UNITS = {"d": 86_400, "day": 86_400, "days": 86_400, "w": 604_800, "week": 604_800}
_LONG_UNITS |= {"weeks": 604_800, "y": 31_536_000, "year": 31_536_000, "years": 31_536_000}
_SPELT_UNITS = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m"}
_SPELT_UNITS |= {"minute": "m", "minutes": "m", "hr": "h", "hrs": "h", "hour": "h", "hours": "h"}


class KeepAlive:
    """How long a model stays in memory after a request: a value, checked before it is sent.

    One of four things: the *server default* (the field is left out), *unload at once* (0), a
    *duration*, or *forever*.

    Parameters
    ----------
    value:
        What a person types: ``"5m"``, ``"1h30m"``, ``"forever"``, ``"default"``, a number of
        seconds (negative: forever, as in Ollama's API), a ``datetime.timedelta``, another
        ``KeepAlive``, or None for the server default.

    Raises
    ------
    ValueError
        For what Ollama would reject or read differently from what was meant; the message names
        the mistake and the likely meaning.

    Examples
    --------
    >>> KeepAlive("1h30m").to_json()
    5400
    >>> KeepAlive(0).explain()
    'Ollama unloads the model as soon as the answer is complete.'
    >>> KeepAlive("5")
    Traceback (most recent call last):
    ValueError: keep_alive '5' has no unit. Ollama rejects it. Did you mean '5s' or '5m'?
    """

    __slots__ = ("_ns",)
    _ns: int | None

    def __init__(self, value: KeepAlive | str | float | timedelta | None = None) -> None:
        self._ns = _from_person(value)

    @classmethod
    def from_json(cls, value: Any) -> KeepAlive:
        """Read a JSON value exactly as Ollama's API reads it.

        Parameters
        ----------
        value:
            What ``json.loads`` gives for the field: None, a number (seconds; negative: forever),
            a Go duration string, or something that Ollama refuses.

        Returns
        -------
        KeepAlive
            A number of 9223372037 or more overflows in Ollama on x86-64 and unloads at once; so
            it does here.

        Raises
        ------
        ValueError
            With the server's own text, for what it answers with HTTP 400.

        Examples
        --------
        >>> KeepAlive.from_json("1.5h") == KeepAlive(5400)
        True
        >>> KeepAlive.from_json("1d")
        Traceback (most recent call last):
        ValueError: time: unknown unit "d" in duration "1d"
        """
        made = cls.__new__(cls)
        made._ns = _from_json(value)
        return made

    def to_json(self) -> int | float | None:
        """What is sent: a number of seconds, -1 for forever, None when the field is left out.

        Numbers, because every version of Ollama accepts them (strings such as ``"-1"`` it does
        not).

        Examples
        --------
        >>> [KeepAlive(v).to_json() for v in (None, "500ms", "5m", "forever")]
        [None, 0.5, 300, -1]
        """
        if self._ns is None:
            return None
        if self.is_forever:
            return -1
        whole, rest = divmod(self._ns, _NS_PER_S)
        return whole if rest == 0 else self._ns / _NS_PER_S

    @property
    def seconds(self) -> float | None:
        """The duration in seconds; ``math.inf`` for forever, None for the server default."""
        if self._ns is None:
            return None
        return math.inf if self.is_forever else self._ns / _NS_PER_S

    @property
    def is_default(self) -> bool:
        """True when nothing is sent and the server decides."""
        return self._ns is None

    @property
    def is_zero(self) -> bool:
        """True when the model is unloaded as soon as the answer is complete."""
        return self._ns == 0

    @property
    def is_forever(self) -> bool:
        """True when no time limit is set (the model can still be evicted)."""
        return self._ns == _FOREVER_NS

    def explain(self) -> str:
        """One sentence: what the server will do with this value.

        Examples
        --------
        >>> KeepAlive("90s").explain()
        'Ollama unloads the model 1 minute 30 seconds after the last request has ended.'
        """
        if self.is_default:
            return (
                "keep_alive is not sent: a model in memory keeps the value it has; a newly loaded "
                "one gets the server's default (5 minutes, unless OLLAMA_KEEP_ALIVE says "
                "otherwise)."
            )
        if self.is_zero:
            return "Ollama unloads the model as soon as the answer is complete."
        if self.is_forever:
            return (
                "The model stays in memory until it is unloaded, or evicted when another model "
                "needs its place."
            )
        return (
            f"Ollama unloads the model {_in_words(self._ns or 0)} after the last request has ended."
        )

    def __str__(self) -> str:
        if self._ns is None:
            return "server default"
        if self.is_forever:
            return "forever"
        return _go_style(self._ns)

    def __repr__(self) -> str:
        return "KeepAlive(None)" if self._ns is None else f"KeepAlive({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeepAlive) and self._ns == other._ns

    def __hash__(self) -> int:
        return hash(("KeepAlive", self._ns))


# --- what a person types ------------------------------------------------------------------------


def _from_person(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, KeepAlive):
        return value._ns
    if isinstance(value, bool):
        raise ValueError(
            f"keep_alive {value} is a truth value, not a time. Use 'forever' or 0 (unload at once)."
        )
    if isinstance(value, timedelta):
        if value < timedelta(0):
            raise ValueError("keep_alive is a negative timedelta. Did you mean 'forever'?")
        return _checked(value.total_seconds())
    if isinstance(value, (int, float)):
        return _checked(value)
    if isinstance(value, str):
        return _from_typed(value)
    raise ValueError(
        f"keep_alive is a {type(value).__name__}. Give a text such as '5m', a number of seconds, "
        "a timedelta, or None for the server default."
    )


def _checked(seconds: float) -> int:
    if math.isnan(seconds):
        raise ValueError("keep_alive is not a number (NaN). Give seconds, or a text such as '5m'.")
    if seconds < 0 or seconds == math.inf:
        return _FOREVER_NS
    if seconds >= _FOREVER_NS / _NS_PER_S:
        raise ValueError(
            f"keep_alive {seconds:g} s is more than Ollama can count (292 years; it would unload "
            "at once). Did you mean 'forever'?"
        )
    return int(seconds * _NS_PER_S)


def _from_typed(text: str) -> int | None:
    if text in ("forever", "default", "server default"):
        return _FOREVER_NS if text == "forever" else None
    try:
        return _from_json(text)
    except ValueError as fault:
        raise ValueError(_advice(text, str(fault))) from None


def _advice(text: str, fault: str) -> str:
    """Name the mistake and the likely meaning."""
    said = f"keep_alive {text!r}"
    bare = "".join(text.split())
    if not bare:
        return f"{said} is empty. Did you mean 'default' (leave it to the server), '0' or '5m'?"
    if bare.lower() in ("forever", "inf", "infinite", "infinity", "always", "never"):
        return f"{said} is not known to Ollama. Did you mean 'forever'?"
    if bare.lower() in ("default", "serverdefault", "none", "null"):
        return f"{said} is not known to Ollama. Did you mean 'default' (leave it to the server)?"
    if re.fullmatch(r"-\d+(\.\d*)?", bare):
        return f"{said} has no unit. Ollama rejects it. Did you mean 'forever' (the number {bare})?"
    if re.fullmatch(r"\+?(\d+\.?\d*|\.\d+)", bare):
        number = bare.lstrip("+")
        return f"{said} has no unit. Ollama rejects it. Did you mean '{number}s' or '{number}m'?"
    meant = _likely(bare)
    if meant is not None:
        why = "has a space in it" if _accepted(bare) else "is not a duration that Ollama knows"
        return f"{said} {why}. Did you mean {meant!r}?"
    return (
        f"{said} is not a duration ({fault}). Write a number and a unit (ms, s, m, h), such as "
        "'30s' or '1h30m', or 'forever', or '0'."
    )


def _accepted(text: str) -> bool:
    try:
        return _from_json(text) is not None
    except ValueError:
        return False


def _likely(bare: str) -> str | None:
    """The text with long, spelt-out and upper-case units put into Go's; None if no guess."""
    if _accepted(bare):
        return bare
    parts = re.findall(r"(\d+\.?\d*)([A-Za-z]+)", bare)
    if not parts or "".join(n + u for n, u in parts) != bare:
        return None
    out = ""
    for number, unit in parts:
        unit = unit.lower()
        if unit in _LONG_UNITS:
            out += f"{float(number) * _LONG_UNITS[unit] / 3600:g}h"
        else:
            out += number + _SPELT_UNITS.get(unit, unit)
    return out if _accepted(out) else None


# --- Ollama's own grammar -----------------------------------------------------------------------


def _from_json(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool):
        raise ValueError("Unsupported type: 'bool'")
    if isinstance(value, list):
        raise ValueError("Unsupported type: '[]interface {}'")
    if isinstance(value, dict):
        raise ValueError("Unsupported type: 'map[string]interface {}'")
    if isinstance(value, (int, float)):
        return _number_ns(value)
    if isinstance(value, str):
        # Go's decoder turns a lone surrogate into U+FFFD
        text = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ns = _parse_duration(text.encode())
        return _FOREVER_NS if ns < 0 else ns
    raise ValueError(f"{type(value).__name__} is not a JSON value")


def _number_ns(value: float) -> int:
    try:
        seconds = float(value)
    except OverflowError:
        seconds = math.inf
    if not math.isfinite(seconds):
        raise ValueError("json: cannot unmarshal number into a value of type float64")
    if seconds < 0:
        return _FOREVER_NS
    ns = seconds * _NS_PER_S
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
    if total > _FOREVER_NS:
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
        if number > _FOREVER_NS // 10 or number * 10 + digit - 48 > 2**63:
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


# --- words --------------------------------------------------------------------------------------


def _go_style(ns: int) -> str:
    if ns == 0:
        return "0"
    hours, rest = divmod(ns, 3600 * _NS_PER_S)
    minutes, rest = divmod(rest, 60 * _NS_PER_S)
    text = (f"{hours}h" if hours else "") + (f"{minutes}m" if minutes else "")
    if rest and rest < _NS_PER_S and not text:
        for unit, size in (("ms", 1_000_000), ("us", 1_000), ("ns", 1)):
            if rest >= size:
                return _decimal(rest, size) + unit
    return text + (_decimal(rest, _NS_PER_S) + "s" if rest else "")


def _decimal(ns: int, unit_ns: int) -> str:
    """How many units, exactly, without trailing zeros."""
    whole, rest = divmod(ns, unit_ns)
    digits = len(str(unit_ns)) - 1
    return f"{whole}.{rest:0{digits}d}".rstrip("0").rstrip(".") if rest else str(whole)


def _in_words(ns: int) -> str:
    hours, rest = divmod(ns, 3600 * _NS_PER_S)
    minutes, rest = divmod(rest, 60 * _NS_PER_S)
    seconds = _decimal(rest, _NS_PER_S)
    counted = ((str(hours), "hour"), (str(minutes), "minute"), (seconds, "second"))
    return " ".join(f"{n} {unit}{'' if n == '1' else 's'}" for n, unit in counted if n != "0")
