"""Which stretch of time the chart shows: the present, or one that is held."""

from __future__ import annotations

from datetime import datetime, timedelta

LEAST_WINDOW_S, MOST_WINDOW_S = 10.0, 100 * 366 * 86_400.0
LEAST_VIEW_S = 1.0
WINDOWS = {
    "1 min": 60.0,
    "2": 120.0,
    "5": 300.0,
    "15": 900.0,
    "1 h": 3600.0,
    "6": 21_600.0,
    "1 d": 86_400.0,
    "1 w": 604_800.0,
}
"""The choices, in seconds; beside them there is ``ALL``."""

ALL = "all"

View = tuple[datetime, datetime]


def checked_window(window_s: float) -> float:
    """A width of the chart in seconds.

    Raises
    ------
    ValueError
        For less than 10 s, more than a hundred years, and what is no number.

    Examples
    --------
    >>> checked_window(90)
    90.0
    """
    seconds = float(window_s)
    if not LEAST_WINDOW_S <= seconds <= MOST_WINDOW_S:
        raise ValueError(
            f"window_s is {seconds:g}; give {LEAST_WINDOW_S:g} seconds or more, up to 100 years."
        )
    return seconds


def checked_view(view: object) -> View | None:
    """A held view: from when to when. A time without zone is in the machine's own.

    Raises
    ------
    ValueError
        For anything but None and two times, the second at least 1 s after the first.

    Examples
    --------
    >>> noon = datetime(2026, 1, 1, 12)
    >>> start, end = checked_view((noon, noon + timedelta(minutes=2)))
    >>> (end - start).total_seconds()
    120.0
    """
    if view is None:
        return None
    if not (
        isinstance(view, (tuple, list))
        and len(view) == 2
        and all(isinstance(at, datetime) for at in view)
    ):
        raise ValueError(f"view is {view!r}; give None (live), or two times: (start, end).")
    start, end = (at if at.tzinfo else at.astimezone() for at in view)
    if (end - start).total_seconds() < LEAST_VIEW_S:
        raise ValueError("view is empty; its end is to lie at least 1 s after its start.")
    return start, end


def zoomed(view: View, factor: float) -> View:
    """A view made wider (more than 1) or narrower about its middle, down to 1 s."""
    start, end = view
    width = max((end - start) * factor, timedelta(seconds=LEAST_VIEW_S))
    middle = start + (end - start) / 2
    return middle - width / 2, middle + width / 2


def shown_whole(view: View, start: datetime, end: datetime) -> View:
    """The view, moved (and made wider if need be) until all from ``start`` to ``end`` is in it."""
    first, last = view
    if first <= start and end <= last:
        return view
    width = max(last - first, (end - start) * 1.2)
    middle = start + (end - start) / 2
    return middle - width / 2, middle + width / 2


def view_text(view: View | None, is_paused: bool) -> str:
    """What is said of a view that does not follow; empty for one that does."""
    if is_paused:
        return "paused"
    return "" if view is None else "held; live goes on"
