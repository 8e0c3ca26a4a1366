"""What was witnessed is joined: the log's lines, busy times, and what we have asked ourselves."""

from __future__ import annotations

import pytest

from lifecycle_widgets.monitor import OTHERS, OURS, Request
from lifecycle_widgets.monitor.traffic.busy import Busy
from lifecycle_widgets.monitor.traffic.gaps import gaps
from lifecycle_widgets.monitor.traffic.join import (
    Own,
    Theirs,
    give_lines_to_busy,
    give_lines_to_own,
    note_witnesses,
    of_line_alone,
    of_lines,
    of_work,
)
from lifecycle_widgets.monitor.traffic.records import Records
from lifecycle_widgets.monitor.traffic.witnesses.log import Line
from lifecycle_widgets.server import OwnRequest
from tests.monitor.stay_samples import sample

A, B = "a:latest", "b:latest"
NOW = sample(100.0, {})


def busy(began_s: float | None, ended_s: float | None, model: str = A) -> Busy:
    """As its deadline and its runner tell it."""
    return Busy(
        model,
        began_s,
        0.1,
        ended_s,
        0.02,
        is_exact=ended_s is not None,
        keep_alive_s=300.0,
        witnesses={"deadline", "runner"},
    )


def line(end_s: float, duration_s: float, status: int = 200, kind: str = "chat") -> Line:
    """Read up to a quarter of a second after it was written."""
    return Line(end_s - 0.25, end_s + 0.25, duration_s, status, kind)


def own(
    began_s: float,
    ended_s: float | None,
    kind: str = "chat",
    *,
    model: str = A,
    is_broken_off: bool = False,
) -> Own:
    told = OwnRequest(1, model, kind, 60.0, began_s=began_s, began_at=0.0, ended_s=ended_s)
    told.is_broken_off = is_broken_off
    return Own(told, model)


def times(found: list[Theirs]) -> list[tuple[float | None, float | None]]:
    return [(one.began_s, one.ended_s) for one in found]


# --- lines and busy times -------------------------------------------------------------------------


def test_the_log_has_the_duration_and_the_deadline_the_end() -> None:
    one, written = busy(10.3, 14.0), line(14.1, 3.5)
    given, left = give_lines_to_busy([written], [one])
    assert (given, left) == ({one: [written]}, [])
    [found] = of_lines(one, [written])
    assert (found.began_s, found.ended_s, found.end_within_s) == (10.5, 14.0, 0.02)
    request = Records().of(found.key, found, NOW)
    assert request.witnesses == ("deadline", "runner", "log")
    assert (request.kind, request.status, request.keep_alive_s) == ("chat", 200, 300.0)


def test_requests_that_overlap_are_told_apart_by_the_log() -> None:
    one = busy(10.0, 16.0)
    lines = [line(12.0, 2.0), line(15.0, 4.5), line(16.0, 3.0)]
    given, left = give_lines_to_busy(lines, [one])
    assert (given, left) == ({one: lines}, [])
    found = of_lines(one, lines)
    assert times(found)[1:] == [(10.5, 15.0), (13.0, 16.0)]
    assert len({id(each.key) for each in found}) == 3


def test_each_line_goes_to_the_model_that_was_busy_for_so_long() -> None:
    one, other = busy(10.0, 14.0), busy(12.0, 14.1, B)
    long, short = line(14.0, 4.0), line(14.1, 2.1)
    given, _ = give_lines_to_busy([short, long], [other, one])
    assert given == {one: [long], other: [short]}


def test_a_line_of_a_busy_time_that_goes_on() -> None:
    one, written = busy(10.0, None), line(12.0, 1.9)
    given, _ = give_lines_to_busy([written], [one])
    [found] = of_lines(one, given[one])
    assert times([found]) == [(10.0, 11.9)]  # the first one began with it
    assert (found.end_within_s, found.key) == (0.1, written)


def test_what_waited_for_another_models_load_has_waited() -> None:
    one, other = busy(10.0, 16.5), busy(11.7, 16.1, B)
    one.has_load = other.has_load = True
    first, second = line(16.5, 6.5), line(16.1, 5.8)
    given, _ = give_lines_to_busy([second, first], [one, other])
    assert given == {one: [first], other: [second]}
    [found] = of_lines(other, [second])
    request = Records().of(found.key, found, NOW)
    assert request.queued_s == pytest.approx(1.4)
    assert request.began_s == pytest.approx(10.3)
    assert request.ended_s == 16.1


def test_the_next_busy_time_does_not_take_the_last_ones_line() -> None:
    one, after = busy(63.56, 66.3), busy(66.3, 66.68)
    long, short, last = line(65.98, 2.6), line(66.3, 0.28), line(66.68, 0.31)
    given, _ = give_lines_to_busy([long, short, last], [after, one])
    assert given == {one: [long, short], after: [last]}


def test_a_line_without_anything_else_is_a_request_if_it_took_long() -> None:
    found = of_line_alone(line(12.0, 0.4), A)
    assert found is not None
    assert (found.model, found.began_s, found.ended_s) == (A, 11.6, 12.0)
    request = Records().of(found.key, found, NOW)
    assert (request.witnesses, request.is_broken_off) == (("log",), None)
    assert of_line_alone(line(12.0, 0.002), A) is None  # an unloading
    assert of_line_alone(line(12.0, 0.4, status=404), A) is None


def test_an_aborted_load_has_its_status() -> None:
    found = of_line_alone(line(12.0, 2.0, status=499), "")
    assert found is not None
    request = Records().of(found.key, found, NOW)
    assert (request.status, request.is_broken_off, request.model) == (499, True, "")


# --- ours -----------------------------------------------------------------------------------------


def test_what_ours_explain_is_not_anothers() -> None:
    one, ours = busy(10.1, 14.0), own(10.0, 14.01)
    assert of_work(one, [ours], is_log_heard=False) == []
    note_witnesses([ours], [one])
    request = Records().of(1, ours, NOW)
    assert (request.whose, request.witnesses) == (OURS, ("own", "deadline", "runner"))
    assert (request.began_s, request.ended_s, request.end_within_s) == (10.0, 14.01, 0.0)
    assert request.keep_alive_s == 60.0


def test_ours_take_their_line() -> None:
    ours, theirs = own(10.0, 14.0), line(14.2, 1.0)
    mine = line(14.0, 3.98)
    assert give_lines_to_own([mine, theirs], [ours]) == [theirs]
    assert ours.line is mine
    assert "log" in ours.witnesses
    touched = own(20.0, 20.01, "touch")
    assert give_lines_to_own([line(20.0, 0.004, kind="generate")], [touched]) == []


def test_ours_that_were_stopped_have_their_line_all_the_same() -> None:
    ours = own(10.0, 11.0, is_broken_off=True)
    assert give_lines_to_own([line(11.3, 1.25)], [ours]) == []


def test_anothers_request_that_ends_after_ours_is_told() -> None:
    one, ours = busy(10.0, 18.0), own(10.0, 14.0)
    [found] = of_work(one, [ours], is_log_heard=False)
    assert times([found]) == [(14.0, 18.0)]
    assert found.begin_within_s == 4.0  # it began while ours went on


def test_anothers_request_that_began_before_ours_is_told() -> None:
    one, ours = busy(10.0, 18.0), own(13.0, 18.01)
    [found] = of_work(one, [ours], is_log_heard=False)
    assert times([found]) == [(10.0, 13.0)]
    assert found.end_within_s == 5.0


def test_an_unloading_or_a_renewal_of_ours_takes_nothing_from_anothers_request() -> None:
    one = busy(10.0, 18.0)
    after, amid = own(18.2, 18.21, "unload"), own(13.0, 13.01, "touch")
    for ours in ([after], [amid], [amid, after]):
        assert times(of_work(one, ours, is_log_heard=False)) == [(10.0, 18.0)]


def test_with_the_log_the_overlap_is_exact() -> None:
    one, ours = busy(10.0, 18.0), own(13.0, 15.0)
    left = give_lines_to_own([line(15.0, 1.99), line(18.0, 7.9)], [ours])
    given, alone = give_lines_to_busy(left, [one])
    assert times(of_lines(one, given[one])) == [(10.1, 18.0)]
    assert alone == []


def test_another_models_busy_time_is_not_ours() -> None:
    one, ours = busy(10.0, 14.0, B), own(10.0, 14.0)
    assert len(of_work(one, [ours], is_log_heard=False)) == 1


# --- numbers, gaps --------------------------------------------------------------------------------


def test_a_request_keeps_its_number_while_more_becomes_known() -> None:
    records, one = Records(), busy(10.0, None)
    [first] = of_work(one, [], is_log_heard=True)
    number = records.of(first.key, first, NOW).number
    one.ended_s, one.end_within_s, one.is_exact = 14.0, 0.02, True
    [then] = of_lines(one, [line(14.0, 3.9)])
    assert records.of(then.key, then, NOW).number == number


def request(model: str, began_s: float | None, ended_s: float | None, **more: object) -> Request:
    values: dict[str, object] = {"begin_within_s": 0.1, "end_within_s": 0.02, **more}
    return Request(model, None, None, began_s, ended_s, **values)  # type: ignore[arg-type]


def test_gaps_are_between_uses_of_one_model() -> None:
    found = gaps(
        [
            request(A, 10.0, 12.0),
            request(B, 11.0, 30.0),
            request(A, 11.0, 13.0),  # overlaps the first
            request(A, 20.0, 21.0),
            request(A, 22.0, 22.01, kind="touch"),  # no use
            request(A, 25.0, None),
        ]
    )
    assert [(g.model, g.seconds) for g in found] == [(A, 7.0), (A, 4.0)]
    assert [g.within_s for g in found] == [pytest.approx(0.12)] * 2


def test_a_gap_before_a_begin_that_is_not_told_is_no_more_than_a_bound() -> None:
    [gap] = gaps([request(A, 10.0, 12.0), request(A, None, 20.0)])
    assert (gap.seconds, gap.within_s) == (8.0, None)


def test_whose_words() -> None:
    assert (OURS, OTHERS) == ("ours", "another client")
