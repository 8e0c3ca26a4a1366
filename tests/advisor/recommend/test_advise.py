"""The advice, from a history or a workload: its numbers can be counted again, and it is true."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from lifecycle_widgets.advisor.price import NotMeasured, Price
from lifecycle_widgets.advisor.recommend.advise import advise
from lifecycle_widgets.advisor.recommend.choosing.rounding import NICE, nice_costs
from lifecycle_widgets.advisor.recommend.evidence.known import known
from lifecycle_widgets.advisor.recommend.evidence.newest import newest
from lifecycle_widgets.advisor.recommend.evidence.reload_cost import given
from lifecycle_widgets.advisor.recommend.one_model import advise_model
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.history import History
from lifecycle_widgets.keep_alive import KeepAlive
from tests.advisor.recommend.chats import HELD_BYTES, chat, chats, keep
from tests.advisor.recommend.workloads import stream, workload
from tests.history.history_tools import A, B

SHORT_THEN_LONG = [20.0, 30.0, 1000.0] * 20
"""A chat of three, again and again: held for 30 s it reloads after the long gap alone."""
NICE_AND_SHORT = (KeepAlive("30s"), KeepAlive("45s"))


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.sqlite") as history:
        yield history


def test_an_advice_from_a_history(history: History) -> None:
    """L and today's value as they were seen; T* follows from the price of memory."""
    keep(history, *chats(SHORT_THEN_LONG))
    advice = advise(history, price=Price(s_per_gb_min=2.0))
    one = advice.model(A)
    assert one.reload is not None
    assert one.reload.seconds == pytest.approx(11.5)
    assert one.t_star_s == pytest.approx(11.5 / (2.0 / 60 * HELD_BYTES / 1e9))
    assert (one.today, one.today_from) == (KeepAlive("5m"), "seen")
    assert one.is_enough
    assert one.keep_alive in NICE_AND_SHORT
    assert advice.keep_alives == {A: one.keep_alive}
    assert one.price_in_words.startswith("2 s for a GB-minute; for a reload of 11.5 s and 2.0 GB")


def test_its_numbers_can_be_counted_again(history: History) -> None:
    gaps_s = np.array(SHORT_THEN_LONG)
    keep(history, *chats(SHORT_THEN_LONG))
    one = advise(history, price=120).model(A)
    for figures, ttl_s in ((one.now, 300.0), (one.then, one.keep_alive.seconds or 0.0)):
        reloads = int((gaps_s > ttl_s).sum())
        held_s = float(np.minimum(gaps_s, ttl_s).sum())
        assert figures.reloads == reloads
        assert figures.cost == pytest.approx(held_s / 120 + reloads, rel=1e-4)
        best = np.minimum(gaps_s / 120, 1).sum()
        assert figures.cost_over_clairvoyant == pytest.approx(figures.cost / best, rel=1e-4)
        assert figures.waiting_s == pytest.approx(reloads * 11.5)
        assert figures.gb_h == pytest.approx(held_s / 3600 * HELD_BYTES / 1e9, rel=1e-4)
    saved = one.now.cost - one.then.cost
    assert one.saves.median == pytest.approx(saved / one.evidence.days)
    assert one.saves.low <= one.saves.median <= one.saves.high
    assert one.saves_s is not None
    assert one.saves_s.median == pytest.approx(one.saves.median * 11.5)
    assert (one.evidence.gaps, one.evidence.requests, one.evidence.witnesses) == (60, 61, ("own",))


def test_the_sentence_has_them() -> None:
    asked = workload(stream(SHORT_THEN_LONG, "llama3.2"))
    today = (KeepAlive("5m"), "given")
    reload, price = given(3.0, None), Price(t_star_s=120)
    one = advise_model(asked.streams[0], asked, 30.0, price, today=today, reload=reload)
    assert one.because == (
        "Over 5.9 h llama3.2 was asked 61 times, with 60 idle gaps: half of them up to 30 s, 20 "
        "longer than T* (2 min). With 30s: 20 reloads (60 s of waiting) and 27 min idle in memory; "
        "with today's 5m: 20 reloads (60 s of waiting) and 117 min idle in memory. That is 57 % "
        f"less at this price: 45 reloads' worth in all ({one.saves.low:.0f} to "
        f"{one.saves.high:.0f})."
    )


def test_what_has_just_been_is_the_last_hours(history: History) -> None:
    keep(history, *chats(SHORT_THEN_LONG))
    assert advise(history, price=120).model(A).because.startswith(f"In the last 5.9 h {A} was")


def test_of_few_gaps_it_says_so_and_gives_t_star() -> None:
    one = advise(workload(stream([5.0, 5.0, 5.0])), price=120).models[0]
    assert (one.keep_alive, one.is_enough) == (KeepAlive("2m"), False)
    assert "not enough evidence yet: T* is the value that never does badly" in one.because
    assert one.guarantee == "Whatever comes, it never costs more than 2 times the least possible."


def test_what_will_feel_wrong_is_said_and_can_be_capped() -> None:
    """A person who asks every 96 s, at a T* of 30 s: all of the requests reload."""
    asked = workload(stream([96.0] * 100))
    free = advise(asked, price=30).models[0]
    assert free.keep_alive == KeepAlive(0)
    assert free.warnings[0].startswith("It will feel wrong: 100 of 100 gaps end in a reload, 36 in")
    capped = advise(asked, price=30, most_reloads_per_hour=2)
    assert capped.models[0].keep_alive == KeepAlive("2m")
    assert capped.models[0].warnings == ("Without the limit of reloads an hour it would be 0.",)
    assert capped.server is not None
    assert capped.server.keep_alive == KeepAlive("2m")
    never = advise(asked, price=30, most_reloads_per_hour=0).models[0]
    assert never.then.reloads == 0


def test_what_feels_no_worse_than_today_is_not_called_wrong() -> None:
    one = advise(workload(stream([96.0] * 100)), price=30, today="1m").models[0]
    assert (one.keep_alive, one.warnings) == (KeepAlive(0), ())


def test_todays_value_is_given_for_all_or_by_model() -> None:
    asked = workload(stream([20.0] * 30, "a"), stream([20.0] * 30, "b"))
    by_model = advise(asked, price=120, today={"A": "10m"})  # however its letters are written
    assert [(str(m.today), m.today_from) for m in by_model.models] == [
        ("10m", "given"),
        ("5m", "Ollama's default"),
    ]
    assert "Today's keep_alive of b was not seen" in by_model.notes[0]
    with pytest.raises(ValueError, match="Did you mean '5s' or '5m'"):
        advise(asked, price=120, today="5")
    with pytest.raises(ValueError, match=r"^There is no 'c' in an example; there is a, b\.$"):
        advise(asked, price=120, reload_s={"c": 2.0})


def test_what_is_given_goes_before_what_was_seen(history: History) -> None:
    keep(history, *chats(SHORT_THEN_LONG))
    one = advise(history, price=120, reload_s=4.0, held_bytes=1e9).model(A)
    assert one.reload is not None
    assert (one.reload.seconds, one.reload.held_bytes) == (4.0, 1_000_000_000)


def test_where_no_stay_in_memory_was_seen_its_size_is_not_known(history: History) -> None:
    keep(history, *chats(SHORT_THEN_LONG), stays=())
    one = advise(history, price=120).model(A)
    assert one.reload is not None
    assert (one.reload.held_bytes, one.then.gb_h) == (None, None)


def test_what_is_known_is_read_once_for_many_prices(history: History) -> None:
    keep(history, *chats(SHORT_THEN_LONG))
    told = known(history, model=A)
    history.delete(everything=True)
    prices = (30.0, Price(s_per_gb_min=2.0))
    assert [advise(told, price=price).models[0].model for price in prices] == [A, A]


def test_a_history_is_known_by_its_file_and_filters_are_for_it(history: History) -> None:
    keep(history, *chats(SHORT_THEN_LONG), *chats(SHORT_THEN_LONG, B))
    advice = advise(history.path, price=120, model=B, since=timedelta(hours=1))
    assert [(one.model, one.reload is not None) for one in advice.models] == [(B, True)]
    assert advice.models[0].evidence.gaps < 20
    with pytest.raises(ValueError, match=r"^A workload is taken as a whole: since= is for a hist"):
        advise(workload(stream([5.0])), price=120, since=timedelta(hours=1))


# --- never from nothing --------------------------------------------------------------------------


def test_nothing_is_advised_from_nothing(history: History) -> None:
    with pytest.raises(WorkloadError, match="has no requests yet"):
        advise(history, price=120)
    with pytest.raises(WorkloadError, match="There is no idle gap in an example"):
        advise(workload(stream([])), price=120)
    with pytest.raises(WorkloadError, match="There is no idle gap in an example"):
        advise(workload(stream([60.0] * 20, unwatched=range(20))), price=120)


def test_a_model_without_a_gap_is_left_out_and_named(history: History) -> None:
    keep(history, *chats(SHORT_THEN_LONG), chat(9000.0, model=B))
    advice = advise(history, price=120)
    assert [one.model for one in advice.models] == [A]
    assert f"{B}: no idle gap of it was watched, so no advice for it." in advice.notes


def test_a_price_of_memory_needs_what_was_measured(history: History) -> None:
    keep(history, chat(900.0), chat(600.0))
    with pytest.raises(NotMeasured, match=r"T\* is not known.*lw.ColdAndWarm\('a:latest'\).run"):
        advise(history, price=Price(s_per_gb_min=1.0))
    with pytest.raises(NotMeasured, match="Give reload_s= and held_bytes="):
        advise(workload(stream([60.0] * 20)), price=Price(slowdown=2.0))
    assert advise(workload(stream([60.0] * 20)), price=Price(slowdown=2.0), reload_s=5.0).models


@pytest.mark.parametrize("most", [-1.0, math.nan, math.inf])
def test_a_limit_that_is_none_is_refused(most: float) -> None:
    with pytest.raises(ValueError, match="most_reloads_per_hour is"):
        advise(workload(stream([60.0] * 20)), price=120, most_reloads_per_hour=most)


# --- the server ----------------------------------------------------------------------------------


def test_one_value_for_the_server_is_the_cheapest_for_all() -> None:
    """One model needs 30 s, the other nothing: what a server's default can do lies between."""
    asked = workload(stream(SHORT_THEN_LONG, "a"), stream([3600.0] * 40, "b"))
    advice = advise(asked, price=120, reload_s={"a": 1.0, "b": 4.0})
    assert advice.server is not None
    costs = {
        value: nice_costs(asked.streams[0].gaps_s, 120)[0][place]
        + 4.0 * nice_costs(asked.streams[1].gaps_s, 120)[0][place]
        for place, value in enumerate(NICE)
    }
    assert advice.server.keep_alive == min(costs, key=lambda value: costs[value])
    assert advice.server.because.startswith("Of one value for all ")


@pytest.mark.parametrize(("t_star_s", "limit"), [(3600.0, 2), (5.0, 1)])
def test_how_many_models_a_server_should_keep(t_star_s: float, limit: int) -> None:
    """Two in turn, each 20 s after the other: it depends on what memory is worth."""
    one, other = stream([40.0] * 40, "a"), stream([40.0] * 40, "b")
    later = type(other)("b", other.busy_from_s + 20, other.busy_until_s + 20, other.watched, 41)
    advice = advise(workload(one, later), price=t_star_s, reload_s=2.0)
    assert advice.server is not None
    assert advice.server.max_loaded_models == limit
    assert advice.server.settings["OLLAMA_MAX_LOADED_MODELS"] == str(limit)


def test_of_a_long_workload_the_end_is_replayed() -> None:
    """So that an advice from a year of requests takes seconds."""
    one, other = stream([40.0] * 3000, "a"), stream([40.0] * 3000, "b")
    asked = newest(workload(one, other), 100)
    assert [len(each.busy_from_s) for each in asked.streams] == [50, 50]
    assert [each.gaps_s.tolist() for each in asked.streams] == [[40.0] * 49] * 2
    assert asked.streams[0].busy_until_s[-1] == one.busy_until_s[-1]
    assert newest(asked, 100) is asked


def test_many_streams_are_no_models() -> None:
    asked = workload(*(stream([20.0] * 12, str(number)) for number in range(20)))
    advice = advise(asked, price=120)
    assert advice.server is not None
    assert advice.server.max_loaded_models is None
    assert "and 8 more: .frame has them all." in repr(advice)
    assert len(advice.frame) == 20


# --- how it shows --------------------------------------------------------------------------------


def test_it_shows_as_text_as_a_table_and_as_json() -> None:
    name = "<b>bold</b>"
    advice = advise(workload(stream(SHORT_THEN_LONG, name), stream([5.0], "b")), price=120)
    assert advice.models[0].because in repr(advice)
    assert "For the server: OLLAMA_KEEP_ALIVE=" in repr(advice)
    assert name not in advice._repr_html_()
    assert "&lt;b&gt;bold&lt;/b&gt;" in advice._repr_html_()
    told = json.loads(json.dumps(advice.to_dict(), allow_nan=False))
    assert told["models"][0]["keep_alive"] == str(advice.models[0].keep_alive)
    assert told["models"][1]["saves"]["low"] is None  # of one gap no end is known
    assert told["price"] == {"t_star_s": 120.0, "s_per_gb_min": None, "slowdown": None}
    assert advice.frame["model"].tolist() == [name, "b"]
    with pytest.raises(KeyError, match="There is no advice for 'c'"):
        advice.model("c")
