"""BreakEven: the price moves T* and the costs, and the slider moves the price."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import traitlets

from lifecycle_widgets.experiments import ColdAndWarm, InARowResult
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets import BreakEven, ExperimentPanel

Shut = Callable[[Any], Any]


@pytest.mark.slow
def test_the_price_moves_t_star(in_a_row_result: InARowResult, shut: Shut) -> None:
    widget = shut(BreakEven(in_a_row_result))
    assert widget._slider.value == 1.0, "the experiment's own price"
    assert widget.break_even_s == in_a_row_result.break_even(1.0).median
    assert "Break-even T*" in widget._sentence.value
    widget._slider.value = 10.0
    assert widget.price_s_per_gb_min == 10.0
    assert widget.break_even_s == pytest.approx(in_a_row_result.break_even(1.0).median / 10)
    widget._slider.value = 10.3  # the page puts a value on a step of its own: nobody has moved it
    assert widget.price_s_per_gb_min == 10.0
    costs = in_a_row_result.costs(10.0)
    waiting, memory = (part for part in widget._figure.data if part.type == "bar")
    assert list(waiting.x) == costs["waiting_s"].tolist()
    assert list(memory.x) == costs["memory_s"].tolist()
    ends_s = costs["cost_s"] + list(memory.error_x.array)
    assert ends_s.tolist() == pytest.approx(costs["high_s"].tolist()), "intervals are drawn"
    assert widget._table.value.count("<td>yes</td>") == int(costs["is_best"].sum())


@pytest.mark.slow
def test_a_price_beyond_the_slider_holds_all_the_same(
    in_a_row_result: InARowResult, shut: Shut
) -> None:
    widget = shut(BreakEven(in_a_row_result, price_s_per_gb_min=1000))
    assert widget.price_s_per_gb_min == 1000
    widget.price_s_per_gb_min = 0
    assert widget.break_even_s == math.inf
    assert "Holding costs nothing" in widget._sentence.value
    for price in (-1.0, math.nan, math.inf):
        with pytest.raises((ValueError, traitlets.TraitError)):
            widget.price_s_per_gb_min = price
    assert widget.price_s_per_gb_min == 0


@pytest.mark.slow
def test_it_can_be_linked_to_a_panel(
    in_a_row_result: InARowResult, server: Server, shut: Shut
) -> None:
    panel = shut(ExperimentPanel(ColdAndWarm("smollm2:135m", rounds=1, server=server)))
    widget = shut(BreakEven())
    assert "Nothing is measured yet" in widget._message.value
    assert math.isnan(widget.break_even_s)
    traitlets.dlink((panel, "result"), (widget, "result"))
    panel.result = in_a_row_result
    assert widget.break_even_s == in_a_row_result.break_even(1.0).median
    panel.result = None
    assert math.isnan(widget.break_even_s)
    assert widget._table.value == ""


@pytest.mark.slow
def test_too_little_for_a_t_star(in_a_row_result: InARowResult, shut: Shut) -> None:
    only_loads = in_a_row_result.frame[in_a_row_result.frame["arm"].astype(str) == "0"]
    arms = [a for a in in_a_row_result.facts["arms"] if a["arm"] == "0"]
    some = InARowResult(only_loads, {**in_a_row_result.facts, "arms": arms})
    widget = shut(BreakEven(some))
    assert "No call found the model in memory" in widget._message.value
    assert "Nothing is compared: only 0 has had all of its calls" in widget._message.value
    assert widget._table.value == ""


@pytest.mark.slow
def test_without_a_price_it_asks(in_a_row_result: InARowResult, shut: Shut) -> None:
    facts = {**in_a_row_result.facts, "price_s_per_gb_min": None}
    widget = shut(BreakEven(InARowResult(in_a_row_result.frame, facts)))
    assert "worth to you? Move the slider, or type it" in widget._message.value
    assert widget._sentence.value == widget._table.value == ""
    assert math.isnan(widget.break_even_s)
    widget._slider.value = 2.0
    assert widget.price_s_per_gb_min == 2.0
    assert widget.break_even_s == in_a_row_result.break_even(2.0).median


@pytest.mark.slow
def test_the_length_of_the_conversation_moves_t_star(
    in_a_row_result: InARowResult, server: Server, shut: Shut
) -> None:
    reloads = ColdAndWarm("smollm2:135m", rounds=2, history=(0, 200), server=server).run()
    widget = shut(BreakEven(in_a_row_result, 1.0, reloads=reloads))
    assert [tokens for _, tokens in widget._history.options] == [-1, 0, 200]
    assert widget._history.label == "as in the calls that were measured"
    assert widget.break_even_s == in_a_row_result.break_even(1.0).median
    widget._history.value = 200
    assert widget.history_tokens == 200
    longer = in_a_row_result.break_even(1.0, reload_s=reloads.reload_s(200))
    assert widget.break_even_s == longer.median
    with pytest.raises(ValueError, match="history_tokens is 7; measured with reloads: 0, 200"):
        widget.history_tokens = 7
    chosen = shut(BreakEven(in_a_row_result, 1.0, reloads=reloads, history_tokens=200))
    assert (chosen.history_tokens, chosen._history.value) == (200, 200)
    assert chosen.break_even_s == longer.median
    widget.reloads = None
    assert widget.history_tokens is None
    assert widget.break_even_s == in_a_row_result.break_even(1.0).median


def test_the_price_that_was_set_stays(shut: Shut) -> None:
    """On the page the slider stands on a step beside it; the number is what was set."""
    widget = shut(BreakEven(price_s_per_gb_min=60))
    assert (widget._field.value, widget._slider.readout) == (60, False)
    widget._slider.value = 63.0957  # as the page sends it back
    assert (widget.price_s_per_gb_min, widget._field.value) == (60, 60)
    widget._slider.value = 70.7946  # moved by hand
    assert (widget.price_s_per_gb_min, widget._field.value) == (71, 71)
    widget._field.value = 300  # typed: more than the slider has
    assert widget.price_s_per_gb_min == 300
    widget._field.value = -1
    assert "give seconds of waiting per GB-minute" in widget._message.value
    assert widget.price_s_per_gb_min == 300
    widget.price_s_per_gb_min = 300  # set in code, it takes the mistake's place
    assert widget._field.value == 300
    assert "give seconds" not in widget._message.value


def test_only_the_result_that_it_is_for() -> None:
    with pytest.raises(TypeError, match="result is a str"):
        BreakEven("result")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Did you mean 'price_s_per_gb_min'"):
        BreakEven(price_s_per_gb=1)
