"""The requests as bars in the lanes: which stretch is which phase, ours told from others'."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from lifecycle_widgets.history.past import Busy
from lifecycle_widgets.monitor import OURS, Request
from lifecycle_widgets.runs.phases import EMBEDDINGS, EVAL, LOAD, NOT_TOLD, PROMPT_EVAL
from lifecycle_widgets.widgets.chart.requests.words import busy_text, many_text, request_text

QUEUED, REST, BUSY = "queued", "rest", "busy"
PHASE_COLORS = {
    QUEUED: "#b9b9b9",
    LOAD: "#c8660a",
    PROMPT_EVAL: "#2f80c3",
    EVAL: "#12946c",
    EMBEDDINGS: "#c2478f",
    REST: "#8c8c8c",
    NOT_TOLD: "#8c8c8c",
    BUSY: "#8c8c8c",
}
"""As the style sheet has them for the split of a run."""

TOP, BOTTOM = 0.10, 0.44  # of a lane, from its middle down
MOST_BARS = 300
_COLUMNS = 700  # pixels that a chart has, about: what is narrower than one is drawn together
_TICK = 0.003  # of the window: how wide an end without a begin is
_MOST_ROWS = 3  # requests at once that are drawn one under the other


@dataclass
class Bars:
    """Rectangles in columns: ``x0``, ``x1``, ``y0``, ``y1``, ``phase``, and whether it is hatched.

    ``of`` says which entry of ``texts`` and ``keys`` each belongs to; ``marked`` holds the numbers
    of the entries that are marked.
    """

    x0: list[float] = field(default_factory=list)
    x1: list[float] = field(default_factory=list)
    y0: list[float] = field(default_factory=list)
    y1: list[float] = field(default_factory=list)
    phase: list[str] = field(default_factory=list)
    hatched: list[bool] = field(default_factory=list)
    of: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    marked: list[int] = field(default_factory=list)

    def entry(self, key: str, text: str, *, marked: bool = False) -> None:
        """One more request (or several as one), for the rectangles that follow."""
        if marked:
            self.marked.append(len(self.keys))
        self.keys.append(key)
        self.texts.append(text)

    def add(
        self, span: tuple[float, float], place: tuple[float, float], phase: str, *, hatched: bool
    ) -> None:
        """One more rectangle of the last entry."""
        self.x0.append(round(span[0], 2))
        self.x1.append(round(span[1], 2))
        self.y0.append(round(place[0], 3))
        self.y1.append(round(place[1], 3))
        self.phase.append(phase)
        self.hatched.append(hatched)
        self.of.append(len(self.keys) - 1)


def request_key(request: Request) -> str:
    """What a request is known by: its model and its begin (or its end)."""
    at = request.began_at or request.ended_at
    stamp = "" if at is None else f"{at.timestamp():.3f}"
    return f"{request.whose} {request.model} {stamp}"


def request_bars(
    requests: Sequence[Request],
    busy: Sequence[Busy],
    lanes: dict[str, int],
    place: Callable[[datetime], float],
    *,
    now: datetime,
    window_s: float,
    marked: Collection[str] = (),
) -> Bars:
    """The bars of one picture; where there are more than `MOST_BARS`, neighbours are joined.

    Parameters
    ----------
    requests, busy:
        Those in view.
    lanes:
        Which lane each model has; what has none is not drawn.
    place:
        Where a time is on the axis, in seconds.
    now:
        How far a request reaches that goes on.
    window_s:
        How wide the picture is, in seconds.
    marked:
        The `request_key` of those that are to stand out.
    """
    made = Bars()
    for one in busy:
        if one.model in lanes:
            _add_busy(made, one, lanes[one.model], place)
    drawn = [r for r in requests if r.model in lanes and (r.began_at or r.ended_at) is not None]
    for group, row, rows in _in_rows(joined(drawn, window_s, now), window_s, now):
        lane = lanes[group[0].model]
        height = (BOTTOM - TOP) / rows
        top = lane + TOP + row * height
        keys = [request_key(request) for request in group]
        text = request_text(group[0]) if len(group) == 1 else many_text(group)
        made.entry(keys[0], text, marked=any(key in marked for key in keys))
        for begin_s, end_s, phase in _stretches(group, window_s, now, place):
            hatched = group[0].whose != OURS
            made.add((begin_s, end_s), (top, top + height), phase, hatched=hatched)
    return made


def joined(
    requests: Sequence[Request], window_s: float, now: datetime, most: int = MOST_BARS
) -> list[list[Request]]:
    """The requests as they are drawn: each alone, or with its neighbours where they are many.

    Examples
    --------
    >>> from datetime import timedelta
    >>> noon = datetime(2026, 1, 1, 12).astimezone()
    >>> ends = [noon + timedelta(seconds=0.1 * i) for i in range(5000)]
    >>> many = [Request("qwen3:4b", at, at, None, None, OURS) for at in ends]
    >>> len(joined(many, 600, ends[-1])) <= 300
    True
    >>> len(joined(many[:300], 600, ends[-1]))
    300
    """
    groups = [[request] for request in requests]
    column_s = window_s / _COLUMNS
    while len(groups) > most:
        groups = list(_by_column(requests, column_s, now))
        column_s *= 2
    return groups


def _by_column(
    requests: Sequence[Request], column_s: float, now: datetime
) -> Iterator[list[Request]]:
    """Those that begin in a column in which one of the same model and client was at work."""
    open_: dict[tuple[str, str], tuple[list[Request], int]] = {}
    for request in sorted(requests, key=lambda r: _begin_s(r)):
        whom = request.model, request.whose
        column, last = _begin_s(request) // column_s, _end_s(request, now) // column_s
        group, until = open_.get(whom, ([], -1))
        if group and column <= until:
            group.append(request)
            open_[whom] = group, max(until, int(last))
        else:
            if group:
                yield group
            open_[whom] = [request], int(last)
    for group, _ in open_.values():
        yield group


def _begin_s(request: Request) -> float:
    at = request.began_at or request.ended_at
    assert at is not None
    return at.timestamp()


def _end_s(request: Request, now: datetime) -> float:
    return max((request.ended_at or now).timestamp(), _begin_s(request))


def _in_rows(
    groups: Iterable[list[Request]], window_s: float, now: datetime
) -> Iterator[tuple[list[Request], int, int]]:
    """Each with its row in the lane, and how many rows the lane has: what overlaps is apart."""
    rows: dict[str, list[float]] = {}  # by model: until when each row is taken
    placed = []
    for group in sorted(groups, key=lambda group: _begin_s(group[0])):
        ends = rows.setdefault(group[0].model, [])
        begin_s = _begin_s(group[0])
        end_s = max(_end_s(request, now) for request in group)
        # what is exact to half a reading only may seem to overlap a little
        free = [i for i, until_s in enumerate(ends) if until_s <= begin_s + window_s / _COLUMNS]
        row = free[0] if free else min(len(ends), _MOST_ROWS - 1)
        if row == len(ends):
            ends.append(end_s)
        ends[row] = max(ends[row], end_s)
        placed.append((group, row))
    for group, row in placed:
        yield group, row, len(rows[group[0].model])


def _stretches(
    group: list[Request], window_s: float, now: datetime, place: Callable[[datetime], float]
) -> Iterator[tuple[float, float, str]]:
    """From when to when, and which phase."""
    first = group[0]
    if len(group) > 1:
        begin_s = place(first.began_at or first.ended_at or now)
        end_s = place(max(request.ended_at or now for request in group))
        yield begin_s, max(end_s, begin_s + _TICK * window_s), REST
        return
    end_s = place(first.ended_at or now)
    if first.began_at is None:  # only its end is known
        yield end_s - _TICK * window_s, end_s, NOT_TOLD
        return
    at_s = place(first.began_at)
    end_s = max(end_s, at_s)
    known = {
        QUEUED: first.queued_s,
        LOAD: first.load_s,
        PROMPT_EVAL: first.prompt_eval_s,
        EVAL: first.eval_s,
    }
    for phase, seconds in known.items():
        until_s = min(at_s + (seconds or 0.0), end_s)
        if until_s > at_s:
            yield at_s, until_s, phase
        at_s = until_s
    if at_s < end_s or not any(known.values()):
        is_told = any(seconds is not None for seconds in known.values())
        rest = EMBEDDINGS if first.kind == "embed" else REST if is_told else NOT_TOLD
        yield at_s, end_s, rest


def _add_busy(made: Bars, busy: Busy, lane: int, place: Callable[[datetime], float]) -> None:
    """A bin of the past: its height is the share of the time that the model was at work."""
    width_s = (busy.end - busy.start).total_seconds()
    if not busy.requests or width_s <= 0:
        return
    share = min(max(busy.busy_s / width_s, 0.12), 1.0)  # one that was there can be seen
    made.entry(f"busy {busy.model} {busy.start.timestamp():.0f}", busy_text(busy))
    top = lane + BOTTOM - share * (BOTTOM - TOP)
    made.add((place(busy.start), place(busy.end)), (top, lane + BOTTOM), BUSY, hatched=False)
