"""How well requests were found: what was found beside the truth, which the clients know."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lifecycle_widgets.monitor import Request
from tests.monitor.traffic.clients import Asked

NEAR_S = 0.5  # an end that is found may be off by a sampling interval


class Span(NamedTuple):
    """A time in which a model was asked for something; ``None``: its beginning is not known."""

    model: str
    began_s: float | None
    ended_s: float


@dataclass(frozen=True)
class Figures:
    """Of busy times (requests that overlap are one), and of the gaps between them."""

    true: int
    found: int
    hits: int
    covered: int  # found, but as part of a longer one
    missed: tuple[Span, ...]
    invented: tuple[Span, ...]
    end_errors_s: tuple[float, ...]
    gap_errors_s: tuple[float, ...]
    gaps: int

    @property
    def recall(self) -> float:
        return (self.hits + self.covered) / self.true if self.true else 1.0

    @property
    def precision(self) -> float:
        return 1 - len(self.invented) / self.found if self.found else 1.0

    def __str__(self) -> str:
        return (
            f"recall {self.hits}+{self.covered}/{self.true}, precision "
            f"{self.found - len(self.invented)}/{self.found}, gaps {len(self.gap_errors_s)} of "
            f"{self.gaps}, error {median_and_p90(self.gap_errors_s)}"
        )


def median_and_p90(errors_s: Sequence[float]) -> str:
    if not errors_s:
        return "none"
    ordered = sorted(errors_s)
    p90 = ordered[min(len(ordered) - 1, int(0.9 * len(ordered)))]
    return f"{1000 * statistics.median(ordered):.0f} ms (p90 {1000 * p90:.0f} ms)"


def figures(truth: Sequence[Span], found: Sequence[Span]) -> Figures:
    """Each true busy time has at most one that was found: the nearest by its end."""
    pairs = sorted(
        (abs(one.ended_s - other.ended_s), i, j)
        for i, one in enumerate(truth)
        for j, other in enumerate(found)
        if one.model == other.model and _are_one(one, other)
    )
    of_true: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in of_true and j not in of_true.values():
            of_true[i] = j
    lost = [one for i, one in enumerate(truth) if i not in of_true]
    missed = tuple(one for one in lost if not any(_covers(other, one) for other in found))
    taken = set(of_true.values())
    left = [one for j, one in enumerate(found) if j not in taken]
    invented = tuple(one for one in left if not any(_overlap(one, true) for true in truth))
    errors, gaps = _gap_errors(truth, found, of_true)
    return Figures(
        true=len(truth),
        found=len(found),
        hits=len(of_true),
        covered=len(lost) - len(missed),
        missed=missed,
        invented=invented,
        end_errors_s=tuple(abs(truth[i].ended_s - found[j].ended_s) for i, j in of_true.items()),
        gap_errors_s=tuple(errors),
        gaps=gaps,
    )


def _are_one(true: Span, found: Span) -> bool:
    return abs(true.ended_s - found.ended_s) <= NEAR_S


def _overlap(one: Span, true: Span) -> bool:
    begins_s = one.ended_s if one.began_s is None else one.began_s
    assert true.began_s is not None
    return (
        one.model in (true.model, "")
        and begins_s < true.ended_s + NEAR_S
        and one.ended_s > true.began_s - NEAR_S
    )


def _covers(found: Span, true: Span) -> bool:
    if found.model != true.model or found.ended_s < true.ended_s - NEAR_S:
        return False
    assert true.began_s is not None
    if found.began_s is None:  # the next one has ended before the next sample
        return found.ended_s <= true.ended_s + NEAR_S
    return found.began_s <= true.began_s + NEAR_S


def _gap_errors(
    truth: Sequence[Span], found: Sequence[Span], of_true: dict[int, int]
) -> tuple[list[float], int]:
    """Of each gap of which both ends were found, with nothing between."""
    errors, gaps = [], 0
    for model in {one.model for one in truth}:
        mine = [i for i, one in enumerate(truth) if one.model == model]
        theirs = [j for j, one in enumerate(found) if one.model == model]
        for i, after in itertools.pairwise(mine):
            begin_s = truth[after].began_s
            assert begin_s is not None
            gaps += 1
            if i not in of_true or after not in of_true:
                continue
            j, next_one = of_true[i], of_true[after]
            if theirs.index(next_one) != theirs.index(j) + 1:
                continue
            began_s = found[next_one].began_s
            # where no begin is known, the end bounds the gap
            until_s = found[next_one].ended_s if began_s is None else began_s
            true_s = begin_s - truth[i].ended_s
            errors.append(abs((until_s - found[j].ended_s) - true_s))
    return errors, gaps


def shown(requests: Iterable[Request], asked: Sequence[Asked] = ()) -> str:
    """Both, one a line, for whoever has to find out what is wrong."""
    zero_s = min([one.began_s for one in asked], default=0.0)
    lines = [
        f"true  {one.model:18} {one.began_s - zero_s:8.3f} {one.ended_s - zero_s:8.3f} {one.by}"
        for one in asked
    ]
    for one in requests:
        began, ended = (
            "   ...  " if t_s is None else f"{t_s - zero_s:8.3f}"
            for t_s in (one.began_s, one.ended_s)
        )
        lines.append(f"found {one.model:18} {began} {ended} {one.whose} {one.kind} {one.witnesses}")
    return "\n" + "\n".join(lines)


# --- busy times -----------------------------------------------------------------------------------


def spans_of_truth(asked: Iterable[Asked], names: dict[str, str] | None = None) -> list[Span]:
    """The busy times of what clients have asked."""
    return merged([Span((names or {}).get(a.model, a.model), a.began_s, a.ended_s) for a in asked])


def spans_of_requests(requests: Iterable[Request]) -> list[Span]:
    """The busy times of what was found, that have ended."""
    return merged(
        [
            Span(one.model, one.began_s, one.ended_s)
            for one in requests
            if one.ended_s is not None and one.is_work
        ]
    )


def merged(spans: Sequence[Span]) -> list[Span]:
    """Those that overlap are one."""
    found: list[Span] = []
    for model in sorted({one.model for one in spans}):
        of_model = [one for one in spans if one.model == model]
        last: Span | None = None
        for one in sorted(of_model, key=_begin):
            if last is not None and _begin(one) < last.ended_s:
                last = Span(model, last.began_s, max(last.ended_s, one.ended_s))
            else:
                found += [last] if last is not None else []
                last = one
        found += [last] if last is not None else []
    return found


def _begin(one: Span) -> float:
    return one.ended_s if one.began_s is None else one.began_s
