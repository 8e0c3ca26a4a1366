"""LightFigure: plotly's JavaScript comes when it is asked for, and is in no saved state."""

from __future__ import annotations

import gzip
import json
from typing import Any

import plotly.graph_objects as go
import pytest

from lifecycle_widgets.widgets.light import packed
from lifecycle_widgets.widgets.light_figure import LightFigure


@pytest.fixture
def figure(recorded: None, shut: Any) -> LightFigure:
    return shut(LightFigure(go.Figure(go.Bar(x=[1, 2], y=["a", "b"]))))


def test_the_state_that_is_saved_is_small(figure: LightFigure) -> None:
    assert len(json.dumps(figure.get_state(), default=str)) < 20_000


def test_a_page_that_asks_gets_plotly(figure: LightFigure) -> None:
    figure.comm.messages.clear()
    figure._handle_custom_msg({"wants": "library"}, [])
    [message] = [m for _, m in figure.comm.messages]
    assert (message["method"], message["content"]) == ("custom", {"has": "library"})
    assert "state" not in message  # what has none is saved nowhere


def test_the_picture_is_the_one_of_now(figure: LightFigure) -> None:
    with figure.batch_update():
        figure.data[0].x = [7, 8]
    figure.comm.messages.clear()
    figure._handle_custom_msg({"wants": "picture"}, [])
    state, told = [m for _, m in figure.comm.messages]
    assert state["state"]["_widget_data"][0]["x"] == [7, 8]
    assert told["content"] == {"has": "picture"}
    figure._handle_custom_msg({"wants": "the moon"}, [])  # from a page of another version


def test_what_the_browser_reports_is_dropped(figure: LightFigure) -> None:
    figure.set_state({"_js2py_relayout": {"relayout_data": {"title": "x"}, "source_view_id": "1"}})
    assert figure.layout.title.text is None


def test_it_is_plotlys_own_code() -> None:
    code = str(go.FigureWidget._esm)
    assert gzip.decompress(packed(code)).decode() == code
    assert len(packed(code)) < 2_000_000
