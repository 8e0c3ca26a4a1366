"""RunTable: runs come in from a panel, are sorted by what they mean, and two are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets import AgentPanel, RunTable

MODEL = "smollm2:135m"
SHORT = {"num_predict": 8, "temperature": 0, "seed": 0}
Shut = Callable[[Any], Any]


@pytest.fixture
def runs(server: Server) -> tuple[Run, ...]:
    return tuple(
        run_agent("Hi", model=MODEL, keep_alive=k, server=server, options=SHORT)
        for k in ("forever", "5m", None)
    )


def test_two_are_compared_and_a_third_takes_the_place_of_the_first(
    runs: tuple[Run, ...], shut: Shut
) -> None:
    table = shut(RunTable(runs))
    first, second, third = runs
    assert table._comparison.value == ""
    table._grid.selected_rows = [0, 1]  # as a click does
    assert table.selected == (first, second)
    assert "run 1" in table._comparison.value
    assert "run 2" in table._comparison.value
    table._grid.selected_rows = [0, 1, 2]
    assert table.selected == (second, third)
    assert list(table._grid.selected_rows) == [1, 2]
    with pytest.raises(ValueError, match="two at most"):
        table.selected = runs
    table.runs = runs[:1]  # who is gone cannot be selected
    assert table.selected == ()
    assert table._comparison.value == ""


def test_a_run_of_another_table_cannot_be_selected(runs: tuple[Run, ...], shut: Shut) -> None:
    table = shut(RunTable(runs[:2]))
    with pytest.raises(ValueError, match="not in the table"):
        table.selected = (runs[2],)


def test_runs_of_a_panel_come_in_by_themselves(server: Server, shut: Shut) -> None:
    panel = shut(AgentPanel(server=server, model=MODEL, keep_alive=0, prompt="Hi", options=SHORT))
    panel.start().wait()
    table = shut(RunTable(panel=panel))
    assert len(table.runs) == 1
    panel.start().wait()
    assert table.runs == panel.runs
    assert table.frame["keep_alive"].tolist() == ["0", "0"]
    table.close()
    panel.start().wait()
    assert len(table.runs) == 2


def test_keep_alives_are_sorted_by_their_length(runs: tuple[Run, ...], shut: Shut) -> None:
    from lifecycle_widgets.widgets.run_table import _by_length

    assert list(_by_length(runs).categories) == ["server default", "5m", "forever"]
    assert len(shut(RunTable()).frame) == 0


def test_mistakes_are_refused() -> None:
    with pytest.raises(TypeError, match="Give an AgentPanel or a TuningLab"):
        RunTable(panel="lab")  # type: ignore[arg-type]
