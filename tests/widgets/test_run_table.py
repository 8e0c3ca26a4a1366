"""RunTable: runs come in from a panel, are sorted by what they mean, and two are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets import AgentPanel, RunTable
from lifecycle_widgets.widgets.comparison_html import comparison_html
from tests.recorded import RecordedServer, chat, chunk, final, ollama

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


def thought(answer: str = "42", thinking: str = "hm", **keywords: Any) -> Run:
    """A run of recorded shapes."""
    pieces = [chunk(thinking=thinking)] if thinking else []
    pieces += [chunk(answer)] if answer else []
    reason = "stop" if answer else "length"
    with RecordedServer(ollama(chat=chat(*pieces, final(done_reason=reason)))) as recorded:
        return run_agent("hi", model="tiny:1b", server=recorded.url, **keywords)


def test_thinking_has_columns_when_a_run_thought(runs: tuple[Run, ...], shut: Shut) -> None:
    from lifecycle_widgets.widgets.run_table import _shown

    def columns(*given: Run) -> str:
        return " ".join(_shown(given).columns)

    assert "think" not in columns(*runs)
    assert "think" in columns(*runs, thought())
    assert "think" in columns(thought(thinking="", think=False))
    table = _shown([thought(think="low"), thought(answer=""), *runs])
    assert table["think"].tolist() == ["low", "–", "–", "–", "–"]
    assert table["ended"].tolist() == ["done", "only thought", "cut off", "cut off", "cut off"]


def test_runs_that_thought_are_compared(runs: tuple[Run, ...]) -> None:
    both = comparison_html(thought(think=True), runs[0], (1, 2))
    for words in ("thinking_s", "first_text_s", "thought for", "done_reason"):
        assert words in both
    neither = comparison_html(runs[0], runs[1], (1, 2))
    assert "thinking_s" not in neither
    assert "first_text_s" not in neither


def test_frames_have_thinking(runs: tuple[Run, ...]) -> None:
    frame = RunTable([thought(think="low"), thought(answer=""), runs[0]]).frame
    assert frame["think"].tolist() == ["low", None, None]
    assert frame["done_reason"].tolist() == ["stop", "length", "length"]
    assert frame["first_text_s"].isna().tolist() == [False, True, False]
    assert frame["thinking_s"].isna().tolist() == [False, False, True]
    assert frame["ttft_s"].notna().all()
