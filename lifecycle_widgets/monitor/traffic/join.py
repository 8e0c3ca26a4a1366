"""Joins what was witnessed: busy times, lines of the log, and what we have asked ourselves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import inf

from lifecycle_widgets.monitor.traffic.busy import Busy
from lifecycle_widgets.monitor.traffic.witnesses.log import Line
from lifecycle_widgets.server import OwnRequest

_END_S = 0.35  # an end of ours, or of a line, is one of a busy time if it is as near as this
_LATE_S = 1.0  # who waits for an answer may hear its end so much later
_BEGIN_S = 0.7  # a begin known by work may be off by an interval
_SHARE_S = 0.05  # and times of two clocks by so much of themselves
_JUST_NOW_S = 0.1  # what of ours began so short before an end has not made it wait
_LEAST_OF_OTHERS_S = 0.4  # less beside a request of ours is how far begins may be off
_WAITED = 0.2  # of a misfit, what waiting may explain counts so much
_LEAST_LINE_S = 0.01  # a line of less, without any other witness, is an unloading, or a refusal
_KINDS = {
    "chat": {"chat"},
    "embed": {"embed"},
    "load": {"generate", "chat", "embed"},
    "touch": {"generate", "chat", "embed"},
    "unload": {"generate"},
}


@dataclass(eq=False)
class Own:
    """A request of ours, with the model's name as /api/ps has it, and the line that it has."""

    request: OwnRequest
    model: str
    line: Line | None = None
    witnesses: set[str] = field(default_factory=lambda: {"own"})
    keep_alive_s: float | None = None

    @property
    def began_s(self) -> float:
        return self.request.began_s

    @property
    def end_s(self) -> float:
        """Its end; endless while it goes on."""
        return inf if self.request.ended_s is None else self.request.ended_s


@dataclass(frozen=True)
class Theirs:
    """A request of another client, or several that overlap: of a busy time, a line, or both.

    ``key`` is the thing that it stays the same request by, while more of it becomes known.
    """

    key: Busy | Line
    busy: Busy | None
    line: Line | None
    model: str
    began_s: float | None
    begin_within_s: float | None
    ended_s: float | None
    end_within_s: float | None
    all_ended_s: float | None = None  # with those that it shares a busy time with

    @property
    def queued_s(self) -> float | None:
        """How long it waited before its model's load began; None: not told."""
        if self.line is None or self.busy is None or not self.busy.has_load:
            return None
        if self.key is not self.busy or None in (self.began_s, self.busy.began_s):
            return None
        return max(0.0, (self.busy.began_s or 0.0) - (self.began_s or 0.0))


def give_lines_to_own(lines: Iterable[Line], own: Sequence[Own]) -> list[Line]:
    """Each request of ours has its line; those of other clients are left."""
    left = []
    without = [one for one in own if one.line is None and one.end_s < inf]
    for line in lines:
        fits = [one for one in without if _is_of(line, one)]
        if fits:
            took = min(fits, key=lambda one: abs(one.end_s - one.began_s - line.duration_s))
            took.line = line
            took.witnesses.add("log")
            without.remove(took)
        else:
            left.append(line)
    return left


def _is_of(line: Line, own: Own) -> bool:
    if line.kind not in _KINDS.get(own.request.kind, ()):
        return False
    if line.high_s - line.duration_s < own.began_s - _END_S:
        return False
    total_s = own.end_s - own.began_s
    if own.request.is_broken_off:  # the server goes on until it notices
        return own.end_s - _END_S <= line.high_s and line.low_s <= own.end_s + _LATE_S
    is_as_long = line.duration_s <= total_s + _END_S and (
        line.duration_s >= total_s * (1 - _SHARE_S) - _LATE_S
    )
    return is_as_long and line.low_s <= own.end_s + 0.1


def give_lines_to_busy(
    lines: Sequence[Line], busy: Sequence[Busy]
) -> tuple[dict[Busy, list[Line]], list[Line]]:
    """The lines of each busy time, and those that are of none.

    First those that fit a busy time at both of its ends, the best fits first; then those that lie
    within one: requests that overlapped.
    """
    whole = [
        (cost_s, number, one)
        for number, line in enumerate(lines)
        for one in busy
        if (cost_s := _misfit_s(line, one)) is not None
    ]
    given: dict[int, Busy] = {}
    taken: set[Busy] = set()
    for _, number, one in sorted(whole, key=lambda fit: fit[:2]):
        if number not in given and one not in taken:
            given[number] = one
            taken.add(one)
    left = []
    for number, line in enumerate(lines):
        if number not in given:
            within = [
                (out_s, n) for n, one in enumerate(busy) if (out_s := _out_s(line, one)) < inf
            ]
            if within:
                given[number] = busy[min(within)[1]]
            else:
                left.append(line)
    by_busy: dict[Busy, list[Line]] = {}
    for number, one in sorted(given.items()):
        by_busy.setdefault(one, []).append(lines[number])
    return by_busy, left


def _misfit_s(line: Line, busy: Busy) -> float | None:
    """By how much the line misses the busy time's ends; None: it is not all of it."""
    if busy.ended_s is None:
        return None
    slack_s = _END_S + (busy.end_within_s or 0.0)
    end_s = _distance(busy.ended_s, line.low_s, line.high_s)
    if end_s > slack_s:
        return None
    if busy.began_s is None:
        return end_s + _BEGIN_S
    began_s = busy.ended_s - line.duration_s
    if busy.has_load and began_s < busy.began_s:  # it has waited for another model's load
        return end_s + _WAITED * (busy.began_s - began_s)
    begin_s = abs(began_s - busy.began_s)
    allowed_s = max(_BEGIN_S, busy.begin_within_s or 0.0) + _SHARE_S * line.duration_s
    return end_s + begin_s if begin_s <= allowed_s else None


def _out_s(line: Line, busy: Busy) -> float:
    """How much of the line lies outside of the busy time; endless: too much."""
    busy_end_s = inf if busy.ended_s is None else busy.ended_s
    end_s = min(max(busy_end_s, line.low_s), line.high_s)
    late_s = max(end_s - busy_end_s, 0.0)
    began_s = -inf if busy.began_s is None else busy.began_s
    early_s = max(began_s - (end_s - line.duration_s), 0.0)
    allowed_s = max(_BEGIN_S, busy.begin_within_s or 0.0) + _SHARE_S * line.duration_s
    is_within = late_s <= _END_S and early_s <= allowed_s and line.high_s >= began_s
    return late_s + early_s if is_within else inf


def _distance(at_s: float, low_s: float, high_s: float) -> float:
    return max(low_s - at_s, at_s - high_s, 0.0)


# --- requests of other clients --------------------------------------------------------------------


def of_lines(busy: Busy, lines: Sequence[Line]) -> list[Theirs]:
    """One request for each line of a busy time; the last one's end is the busy time's own.

    Those that one reading has are in order, and may have ended at any time in it: they are put one
    after another, as those of one client are; none has ended after one that follows in the log.
    """
    first = None if busy.is_told else lines[0]  # else the one that it began with is told already
    last = lines[-1] if busy.ended_s is not None else None
    found: list[Theirs] = []
    next_s = until_s = inf
    for line in reversed(lines):
        ends = line.low_s, max(line.low_s, min(line.high_s, until_s))
        one = _of_line(line, busy, ends, next_s, is_first=line is first, is_last=line is last)
        assert one.began_s is not None
        assert one.ended_s is not None
        next_s, until_s = one.began_s, one.ended_s + (one.end_within_s or 0.0)
        found.insert(0, one)
    if busy.ended_s is None:
        return found
    all_ended_s = max(busy.ended_s, *(one.ended_s or 0.0 for one in found))
    return [replace(one, all_ended_s=all_ended_s) for one in found]


def of_line_alone(line: Line, model: str) -> Theirs | None:
    """One that nothing else tells of: it came and went between two samples, or was refused."""
    is_refused = 400 <= line.status < 499
    if is_refused or line.duration_s < _LEAST_LINE_S:
        return None
    return _of_line(line, None, (line.low_s, line.high_s), model=model)


def _of_line(
    line: Line,
    busy: Busy | None,
    ends: tuple[float, float],
    next_s: float = inf,
    *,
    is_first: bool = False,
    is_last: bool = False,
    model: str = "",
) -> Theirs:
    """``ends``: between which times it has ended; ``next_s``: when the next one began."""
    low_s, high_s = ends
    ended_s, within_s = (low_s + high_s) / 2, (high_s - low_s) / 2
    if low_s <= next_s < ended_s:
        ended_s, within_s = next_s, max(next_s - low_s, high_s - next_s)
    if busy is None:
        pass
    elif is_last and busy.ended_s is not None and busy.is_exact:
        ended_s, within_s = busy.ended_s, busy.end_within_s or 0.0
    elif is_first and busy.began_s is not None and busy.begin_within_s is not None:
        by_begin_s = busy.began_s + line.duration_s
        ended_s = min(max(by_begin_s, low_s), high_s)
        most_s = max(ended_s - low_s, high_s - ended_s)
        within_s = min(most_s, busy.begin_within_s + abs(by_begin_s - ended_s))
    return Theirs(
        key=line if busy is None or not is_last else busy,
        busy=busy,
        line=line,
        model=model if busy is None else busy.model,
        began_s=ended_s - line.duration_s,
        begin_within_s=within_s,
        ended_s=ended_s,
        end_within_s=within_s,
    )


def of_work(busy: Busy, own: Sequence[Own], *, is_log_heard: bool) -> list[Theirs]:
    """What of a busy time without lines is another client's: all of it, or what ours leave."""
    ours = [one for one in own if one.model == busy.model and _has_part(one, busy)]
    whole = Theirs(
        key=busy,
        busy=busy,
        line=None,
        model=busy.model,
        began_s=busy.began_s,
        begin_within_s=busy.begin_within_s,
        ended_s=busy.ended_s,
        end_within_s=busy.end_within_s,
    )
    if not ours:
        return [] if busy.is_told else [whole]
    if is_log_heard or busy.is_told:
        return []
    return _beside(whole, ours)


def _beside(whole: Theirs, ours: Sequence[Own]) -> list[Theirs]:
    """What lies before ours and after it: there a request of another client overlapped it."""
    busy = whole.busy
    assert busy is not None
    first, last_s = min(ours, key=lambda one: one.began_s), max(one.end_s for one in ours)
    began_s, ended_s = whole.began_s, busy.ended_s
    is_before = began_s is not None and began_s < first.began_s - _LEAST_OF_OTHERS_S
    is_after = ended_s is not None and busy.is_exact and ended_s > last_s + _LEAST_OF_OTHERS_S
    if is_before and is_after:
        return [whole]
    found = []
    if is_before:  # it ended while ours went on
        until_s = None if ended_s is None else first.began_s
        within_s = None if ended_s is None else ended_s - first.began_s
        found.append(replace(whole, ended_s=until_s, end_within_s=within_s))
    if is_after:  # it began while ours went on
        within_s = last_s - (first.began_s if began_s is None else began_s)
        found.append(replace(whole, began_s=last_s, begin_within_s=within_s))
    return found


def _has_part(own: Own, busy: Busy) -> bool:
    """Whether the busy time may be, or hold, the request."""
    if busy.began_s is not None and busy.ended_s is not None:
        is_later = own.began_s > busy.ended_s - _JUST_NOW_S
        if is_later and busy.began_s < own.began_s - _LEAST_OF_OTHERS_S:
            return False
    return _overlap(own, busy)


def _overlap(own: Own, busy: Busy) -> bool:
    end_s = inf if busy.ended_s is None else busy.ended_s
    begins_s = -inf if busy.began_s is None else busy.began_s
    if begins_s == -inf:  # all that is known is when it ended
        return own.began_s < end_s and own.end_s > end_s - _LATE_S - _END_S
    return own.began_s < end_s + _END_S and own.end_s > begins_s - _END_S


def note_witnesses(own: Sequence[Own], busy: Iterable[Busy]) -> None:
    """What was seen of requests of ours, beside that we have sent them."""
    for one in busy:
        for ours in own:
            if ours.model != one.model or not _overlap(ours, one):
                continue
            if "runner" in one.witnesses:
                ours.witnesses.add("runner")
            if one.is_exact and _is_near(ours.end_s, one.ended_s):
                ours.witnesses.add("deadline")
                ours.keep_alive_s = one.keep_alive_s


def _is_near(own_end_s: float, ended_s: float | None) -> bool:
    return ended_s is not None and ended_s - _END_S <= own_end_s <= ended_s + _LATE_S
