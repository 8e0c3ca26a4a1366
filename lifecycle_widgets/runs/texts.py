"""How the values of a run are written: durations, sizes, times, options, hosts, tokens."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
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


def duration_text(seconds: float) -> str:
    """A time to come or gone by, in whole seconds, at least one.

    Examples
    --------
    >>> [duration_text(s) for s in (23.4, 272, 3900, 90000)]
    ['23 s', '4 min 32 s', '1 h 05 min', '1 d 1 h']
    """
    whole = max(round(seconds), 1)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def size_text(size_bytes: float | None) -> str:
    """A size in the decimal units that `ollama list` uses.

    Examples
    --------
    >>> size_text(144_811_385), size_text(1_300_000_000), size_text(999_999_999), size_text(None)
    ('145 MB', '1.3 GB', '1.0 GB', 'size not told')
    """
    if size_bytes is None:
        return "size not told"
    for unit, unit_bytes in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if round(size_bytes / unit_bytes, 1 if unit == "GB" else 0) >= 1:
            return f"{size_bytes / unit_bytes:.{1 if unit == 'GB' else 0}f} {unit}"
    return f"{size_bytes:.0f} B"


def clock_text(at: datetime, now: datetime | None = None) -> str:
    """A wall-clock time in the machine's own time zone, with the day where it is not today's.

    Examples
    --------
    >>> noon = datetime(2026, 3, 1, 12, 30, 5).astimezone()
    >>> clock_text(noon, now=noon), clock_text(noon, now=noon.replace(day=2))
    ('12:30:05', '1 Mar 12:30:05')
    """
    local, today = at.astimezone(), (now or datetime.now().astimezone()).date()
    day = "" if local.date() == today else f"{local.day} {local:%b} "
    return f"{day}{local:%H:%M:%S}"


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
