"""Scales: from where to where an axis goes, and what stands at its ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from matplotlib.ticker import LogLocator, MaxNLocator

from lifecycle_widgets.widgets.still.drawn.reading import (
    CATEGORY,
    DATE,
    LOG,
    Axis,
    Read,
    listed,
    plain,
    seconds,
)

_MARGIN = 0.05  # of the axis, beside what stands on it
_TIMES_S = (
    *(1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800),
    *(3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000, 31_536_000),
)
_A_DAY_S = 86_400

Ticks = list[tuple[float, str]]


def limits(read: Read, axis: Axis) -> tuple[float, float]:
    """The values at the two ends of an axis, lower left first; those that match have the same."""
    look = axis.look
    told = listed(list(look.get("range") or ()))
    if len(told) == 2 and None not in told:
        return _told(axis, told[0]), _told(axis, told[1])
    leader = read.axes.get(look.get("matches") or "", axis)
    if leader is not axis and leader.look.get("range"):
        return limits(read, leader)
    same = [a for a in read.axes.values() if a is leader or a.look.get("matches") == leader.name]
    low, high = _ends(same, axis.kind)
    is_turned = any(a.look.get("autorange") == "reversed" for a in same)
    return (high, low) if is_turned else (low, high)


def _told(axis: Axis, end: Any) -> float:
    if axis.kind == DATE:
        return seconds(end)
    return 10.0 ** float(end) if axis.kind == LOG else float(end)


def _ends(axes: list[Axis], kind: str) -> tuple[float, float]:
    if kind == CATEGORY:
        return -0.5, max(len(axes[0].categories), 1) - 0.5
    low, high = min(a.low for a in axes), max(a.high for a in axes)
    if low > high:
        return (1.0, 10.0) if kind == LOG else (0.0, 1.0)
    if kind == LOG:
        return low / 1.2, high * 1.2
    from_zero = any(a.look.get("rangemode") == "tozero" for a in axes)
    with_bars = any(a.has_bars for a in axes)
    margin = _MARGIN * ((high - low) or abs(high) or 1.0)
    if (from_zero or with_bars) and low >= 0:
        return 0.0, (high + _MARGIN * high) or 1.0
    return low - margin, high + margin


def ticks(axis: Axis, ends: tuple[float, float], most: int) -> Ticks:
    """Where there are ticks, and what stands at each: those that are told, else round ones."""
    told = listed(list(axis.look.get("tickvals") or ()))
    low, high = sorted(ends)
    if told:
        named = [plain(text) for text in listed(list(axis.look.get("ticktext") or ()))]
        texts = named or [number_text(float(value)) for value in told]
        found: Iterable[tuple[float, str]] = zip(map(axis.number, told), texts, strict=False)
    elif axis.kind == CATEGORY:
        found = [(float(i), plain(name)) for i, name in enumerate(axis.categories)]
    elif axis.kind == DATE:
        found = _times(low, high, most)
    else:
        found = [(value, number_text(value)) for value in _round_ones(axis, low, high, most)]
    slack = 1e-9 * (high - low)
    return [(value, text) for value, text in found if low - slack <= value <= high + slack]


def _round_ones(axis: Axis, low: float, high: float, most: int) -> list[float]:
    if axis.kind == LOG:
        return [float(value) for value in LogLocator(numticks=most).tick_values(low, high)]
    step = axis.look.get("dtick")
    if isinstance(step, (int, float)) and step > 0 and (high - low) / step <= 2 * most:
        first = math.ceil(low / step)
        return [step * n for n in range(first, math.floor(high / step) + 1)]
    places = MaxNLocator(nbins=max(most, 2), steps=[1, 2, 5, 10]).tick_values(low, high)
    return [float(value) for value in places]


def number_text(value: float) -> str:
    """A number at a tick.

    Examples
    --------
    >>> number_text(0.30000000000000004), number_text(12000.0)
    ('0.3', '12,000')
    """
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


def _times(low: float, high: float, most: int) -> Ticks:
    step = next((s for s in _TIMES_S if (high - low) / s <= max(most, 2)), _TIMES_S[-1])
    form = "%d %b %Y" if step >= 30 * _A_DAY_S else "%d %b" if step >= _A_DAY_S else "%H:%M"
    form = "%H:%M:%S" if step < 60 else form
    first = math.ceil(low / step)
    places = [step * n for n in range(first, math.floor(high / step) + 1)]
    return [(s, datetime.fromtimestamp(s, timezone.utc).strftime(form)) for s in places]
