"""How the values of a run are written: durations, options, hosts, tokens."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit


def seconds_text(seconds: float | None) -> str:
    """A duration, with as many digits as help.

    Examples
    --------
    >>> [seconds_text(s) for s in (0.0234, 1.0621, 12.34, 125, None)]
    ['23 ms', '1.06 s', '12.3 s', '2 min 5 s', 'not known']
    """
    if seconds is None or not math.isfinite(seconds):  # a saved run can have what JSON has not
        return "not known"
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 9.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def options_text(options: Mapping[str, Any]) -> str:
    """Ollama's options in a line; empty for none.

    Examples
    --------
    >>> options_text({"num_ctx": 8192, "stop": ["\\n"]})
    'num_ctx 8192, stop ["\\\\n"]'
    """
    return ", ".join(f"{name} {_value_text(value)}" for name, value in options.items())


def _value_text(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        return str(value)


def counted(number: int, what: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "load"), counted(3, "load")
    ('1 load', '3 loads')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def about_text(tokens: int) -> str:
    """An estimated number of tokens, in as many digits as an estimate has.

    Examples
    --------
    >>> about_text(40_024), about_text(618), about_text(12_345)
    ('40,000', '620', '12,000')
    """
    return f"{int(float(f'{tokens:.2g}')):,}"


def host_name(url: str) -> str:
    """The host alone, of an address that may have a user and a password in it.

    Examples
    --------
    >>> host_name("https://ollama.com:443"), host_name("ollama.com")
    ('ollama.com', 'ollama.com')
    """
    try:
        return urlsplit(url if "//" in url else f"//{url}").hostname or "another machine"
    except ValueError:
        return "another machine"


def rounded_repr(name: str, values: Mapping[str, Any]) -> str:
    """What a value's ``repr`` says: what is known of it, numbers in four digits.

    Examples
    --------
    >>> rounded_repr("Timings", {"total_s": 2.478923720002058, "ttft_s": None})
    'Timings(total_s=2.479)'
    """
    known = (f"{k}={_rounded(v)!r}" for k, v in values.items() if v is not None)
    return f"{name}({', '.join(known)})"


def _rounded(value: Any) -> Any:
    return float(f"{value:.4g}") if isinstance(value, float) else value
