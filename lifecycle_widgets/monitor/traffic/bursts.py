"""Bursts: many short requests that one reading of the log has, told as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from lifecycle_widgets.monitor.traffic.witnesses.log import Line

_MOST = 8  # of a kind in a reading; a program that makes embeddings asks a hundred times a second
_SHORT_S = 0.5
_AGE_S = 1.5  # by then requests of ours have taken theirs


def bursts(lines: Sequence[Line], now_s: float) -> list[Line]:
    """The lines, with those of a burst put together: nobody looks at them one by one.

    Examples
    --------
    >>> lines = [Line(10.0, 10.5, 0.01, 200, "embed") for _ in range(40)]
    >>> [(line.count, round(line.duration_s, 2)) for line in bursts(lines, now_s=20.0)]
    [(40, 0.4)]
    """
    if len(lines) <= _MOST:
        return list(lines)
    alike: dict[tuple[float, str, int], list[Line]] = defaultdict(list)
    for line in lines:
        if line.duration_s < _SHORT_S and line.high_s < now_s - _AGE_S and line.count == 1:
            alike[line.high_s, line.kind, line.status].append(line)
    many = [group for group in alike.values() if len(group) > _MOST]
    if not many:
        return list(lines)
    gone = {line for group in many for line in group}
    made = [line for line in lines if line not in gone] + [_together(group) for group in many]
    return sorted(made, key=lambda line: line.high_s)


def _together(lines: Sequence[Line]) -> Line:
    first = lines[0]
    low_s = min(line.low_s for line in lines)
    duration_s = min(sum(line.duration_s for line in lines), first.high_s - low_s)
    count = sum(line.count for line in lines)
    return Line(low_s, first.high_s, duration_s, first.status, first.kind, count)
