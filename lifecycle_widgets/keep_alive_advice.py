"""What a person most likely meant by a keep_alive that Ollama does not read."""

from __future__ import annotations

import re

from lifecycle_widgets.go_duration import from_json

_LONG_UNITS = {"d": 86_400, "day": 86_400, "days": 86_400, "w": 604_800, "week": 604_800}
_LONG_UNITS |= {"weeks": 604_800, "y": 31_536_000, "year": 31_536_000, "years": 31_536_000}
_SPELT_UNITS = {"sec": "s", "secs": "s", "second": "s", "seconds": "s", "min": "m", "mins": "m"}
_SPELT_UNITS |= {"minute": "m", "minutes": "m", "hr": "h", "hrs": "h", "hour": "h", "hours": "h"}


def advice(text: str, fault: str) -> str:
    """Name the mistake and the likely meaning.

    Parameters
    ----------
    text:
        What was typed, and is no duration.
    fault:
        What Ollama says of it.

    Examples
    --------
    >>> advice("2 days", "")
    "keep_alive '2 days' is not a duration that Ollama knows. Did you mean '48h'?"
    """
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
        return from_json(text) is not None
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
