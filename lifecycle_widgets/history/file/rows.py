"""Values as rows, and rows as values: whole numbers, and bits for what is yes or no."""

from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

from lifecycle_widgets.monitor import Request, Residency
from lifecycle_widgets.monitor.traffic import OTHERS, OURS

US = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_FOREVER_MS = -1

# bits of `about` in requests
IS_OURS = 1
IS_MATCHED = 2  # another process has seen it, too; it is not taken for a second one
IS_BROKEN, IS_WHOLE = 4, 8  # neither: not told
IS_WORK = 16
WITNESS_BITS = {"own": 32, "deadline": 64, "runner": 128, "log": 256}

# bits of `about` in residencies
IS_FOREVER, IS_TOLD = 1, 2


# --- numbers -------------------------------------------------------------------------------------


def us(value: float | None) -> int | None:
    """Seconds as whole microseconds."""
    return None if value is None or not math.isfinite(value) else round(value * US)


def seconds(value: int | None) -> float | None:
    return None if value is None else value / US


def time_us(at: datetime) -> int:
    """A time as microseconds since 1970.

    Examples
    --------
    >>> time_us(datetime(2026, 1, 1, tzinfo=timezone.utc))
    1767225600000000
    """
    since = at - _EPOCH
    return (since.days * 86_400 + since.seconds) * US + since.microseconds


def time_of(value: int) -> datetime:
    """The time again, in this machine's time zone."""
    return (_EPOCH + timedelta(microseconds=value)).astimezone()


def keep_alive_ms(value: float | None) -> int | None:
    if value is None or math.isnan(value):
        return None
    return _FOREVER_MS if math.isinf(value) else round(value * 1000)


def keep_alive_s(value: int | None) -> float | None:
    return math.inf if value == _FOREVER_MS else None if value is None else value / 1000


# --- requests ------------------------------------------------------------------------------------


def about_request(request: Request) -> int:
    bits = sum(WITNESS_BITS.get(name, 0) for name in request.witnesses)
    bits |= IS_OURS if request.whose == OURS else 0
    bits |= IS_WORK if request.is_work else 0
    if request.is_broken_off is not None:
        bits |= IS_BROKEN if request.is_broken_off else IS_WHOLE
    return bits


def whose(about: int) -> str:
    return OURS if about & IS_OURS else OTHERS


def witnesses(about: int) -> tuple[str, ...]:
    return tuple(name for name, bit in WITNESS_BITS.items() if about & bit)


def is_broken_off(about: int) -> bool | None:
    return True if about & IS_BROKEN else False if about & IS_WHOLE else None


# --- residencies ---------------------------------------------------------------------------------


def about_stay(stay: Residency) -> int:
    return (IS_FOREVER if stay.is_forever else 0) | (IS_TOLD if stay.is_told else 0)
