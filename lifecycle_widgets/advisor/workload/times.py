"""What a file says of a time or a duration, as seconds; or why that is none, in words."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.short_texts import one_line

LATEST_S = 1e11
"""The year 5138: what is later was not meant as seconds."""
LONGEST_S = 7 * 86_400.0
"""A week: no request takes longer."""

_ISO = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?"
    r" ?(Z|UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
_UNITS = {"milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
_MOST = 40


def moment(value: object, name: str) -> tuple[float, bool | None]:
    """A time as seconds, and whether it says its zone; None: it is a plain number.

    Parameters
    ----------
    value:
        A number of seconds, the text of one, a date and time, or its text (ISO 8601). One without
        a zone is taken as it is written.
    name:
        The column, for a fault.

    Raises
    ------
    WorkloadError

    Examples
    --------
    >>> moment("12.5", "start_s"), moment("1970-01-01T01:00:05+01:00", "start_s")
    ((12.5, None), (5.0, True))
    """
    if isinstance(value, datetime):
        at = value if value.tzinfo else value.replace(tzinfo=timezone.utc)
        return at.timestamp(), value.tzinfo is not None
    match = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return number(value, name), None
    *parts, fraction, zone = match.groups()
    year, month, day, hour, minute, second = (int(part or 0) for part in parts)
    micro = int(f"{fraction or ''}000000"[:6])
    try:
        at = datetime(year, month, day, hour, minute, second, micro, timezone.utc)
    except ValueError:
        raise WorkloadError(f"{name} is {shown(value)}, which no calendar and clock has.") from None
    return at.timestamp() - _ahead_s(zone), zone is not None


def _ahead_s(zone: str | None) -> float:
    """
    >>> _ahead_s("-03:30"), _ahead_s("Z")
    (-12600.0, 0.0)
    """
    if zone is None or zone[0] not in "+-":
        return 0.0
    seconds = int(zone[1:3]) * 3600.0 + int(zone[-2:]) * 60.0
    return -seconds if zone[0] == "-" else seconds


def number(value: object, name: str) -> float:
    """A number, the text of one, or a duration's seconds. It may be infinite, or no number.

    Raises
    ------
    WorkloadError
    """
    if isinstance(value, str):
        try:
            if "_" not in value:  # Python's grammar has it, no file's
                return float(value)
        except ValueError:
            pass
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            return float("inf")
    elif isinstance(value, timedelta):
        return value.total_seconds()
    if value is None or (isinstance(value, str) and not value.strip()):
        raise WorkloadError(f"{name} is empty.")
    more = ""
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d+,\d+\s*", value):
        more = " Write a decimal point."
    raise WorkloadError(f"{name} is {shown(value)}, which is no number of seconds.{more}")


def why_no_time(value_s: float, name: str) -> str:
    """Why a number is no time that a request can have begun at, with what it may have meant.

    Examples
    --------
    >>> why_no_time(1764000000000.0, "start_s")
    'start_s is 1764000000000, which is no time in seconds: it looks like milliseconds since 1970 \
(2025-11-24), so divide it by 1,000.'
    """
    for unit, per_s in _UNITS.items():
        if 9e8 <= value_s / per_s <= 4.2e9:  # 1998 to 2103
            day = datetime.fromtimestamp(value_s / per_s, timezone.utc).date()
            return (
                f"{name} is {plain(value_s)}, which is no time in seconds: it looks like {unit} "
                f"since 1970 ({day}), so divide it by {per_s:,.0f}."
            )
    if value_s < 0:
        return f"{name} is {plain(value_s)}: a time before 0. Let the trace begin at 0 or later."
    return f"{name} is {plain(value_s)}, which is no time in seconds."


def why_no_duration(value_s: float, name: str) -> str:
    """Why a number is no duration that a request can have, with what it may have meant.

    Examples
    --------
    >>> why_no_duration(-1.0, "service_s")
    'service_s is -1: a request cannot take less than 0 s.'
    """
    if value_s < 0:
        return f"{name} is {plain(value_s)}: a request cannot take less than 0 s."
    if LONGEST_S < value_s < float("inf"):
        unit = next((unit for unit, per_s in _UNITS.items() if value_s / per_s < 3600), None)
        meant = f"; is it in {unit}?" if unit else "."
        return f"{name} is {plain(value_s)}: no request takes longer than a week{meant}"
    return f"{name} is {plain(value_s)}, which is no duration in seconds."


def plain(value: float) -> str:
    """A number as a person would write it.

    Examples
    --------
    >>> plain(20.0), plain(0.25), plain(float("nan"))
    ('20', '0.25', 'nan')
    """
    return f"{value:.0f}" if value % 1 == 0 and abs(value) < 1e20 else f"{value:.15g}"


def shown(value: object) -> str:
    """Somebody's text in quotation marks, short enough for a sentence."""
    return repr(one_line(str(value), _MOST))
