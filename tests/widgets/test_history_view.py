"""HistoryView and the lab's drawers: what is shown, and that nothing goes without a yes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pytest

from lifecycle_widgets.history import History
from lifecycle_widgets.widgets.history_view import HistoryView
from lifecycle_widgets.widgets.tuning_lab.drawers import Drawers
from lifecycle_widgets.widgets.tuning_lab.lab_history import LabHistory
from tests.history.history_tools import SERVER, Watching, request, stay

Shut = Callable[[Any], Any]


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Three requests, the first of them two days old."""
    history = History(tmp_path / "history.sqlite")
    watching = Watching()
    watching.stays = (stay(300.0, 10.0),)
    with history.keep(watching):
        watching.see(request(200_000.0), request(90.0), request(60.0, model="<b>:latest"))
    return history


def until(is_so: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 10.0
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.02)


def button(view: HistoryView, text: str) -> widgets.Button:
    rows = [part for part in view.children if isinstance(part, widgets.HBox)]
    found = [b for row in rows for b in row.children if getattr(b, "description", "") == text]
    assert len(found) == 1
    return found[0]


def test_what_was_kept_is_shown_with_where_it_lies(shut: Shut, history: History) -> None:
    view = shut(HistoryView(history, server=SERVER))
    until(lambda: "3 requests" in view._about.value)
    assert str(history.path) in view._about.value
    assert "no prompt and no answer is ever stored" in view._about.value
    assert "&lt;b&gt;:latest" in view._table.value
    view.since = "1 day"
    until(lambda: "2 requests" in view._about.value)
    assert list(view.frame["model"]) == ["a:latest", "<b>:latest"]
    view.what = "residencies"
    until(lambda: "1 residencies" in view._about.value)
    assert list(view.frame["why"]) == ["expired"]


def test_it_is_written_beside_the_notebook(
    shut: Shut, history: History, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    view = shut(HistoryView(history))
    button(view, "Export CSV").click()
    until(lambda: "history-requests.csv" in view._done.value)
    assert len((tmp_path / "history-requests.csv").read_text().splitlines()) == 4


def test_nothing_is_deleted_without_a_yes(shut: Shut, history: History) -> None:
    view = shut(HistoryView(history))
    view.since = "1 day"
    button(view, "Delete what is old…").click()
    assert view._ask_row.layout.display is None
    button(view, "Keep").click()
    assert view._ask_row.layout.display == "none"
    assert len(history.requests()) == 3
    button(view, "Delete what is old…").click()
    button(view, "Delete").click()
    until(lambda: "gone" in view._done.value)
    assert len(history.requests()) == 2
    button(view, "Delete all…").click()
    button(view, "Delete").click()
    until(lambda: len(history.requests()) == 0)


def test_a_damaged_history_is_one_sentence(shut: Shut, history: History) -> None:
    view = shut(HistoryView(history))
    until(lambda: "3 requests" in view._about.value)
    history.path.write_bytes(b"no database at all, but as long as one" * 200)
    view.look()
    until(lambda: "damaged" in view.error)


def test_a_drawer_is_made_when_it_is_opened_and_closed_when_it_is_shut(shut: Shut) -> None:
    made: list[widgets.HTML] = []

    def make() -> widgets.HTML:
        made.append(widgets.HTML(f"number {len(made)}"))
        return made[-1]

    drawers = shut(Drawers({"One": make, "Two": lambda: widgets.HTML("two")}, {}))
    assert made == []
    one, two = drawers._row.children
    one.value = True
    assert drawers.opened == "One"
    assert drawers.part.value == "number 0"
    two.value = True
    assert drawers.part.value == "two"
    assert not one.value
    assert made[0].comm is None, "it is closed"
    two.value = False
    assert drawers.opened == ""
    assert drawers.part is None
    with pytest.raises(ValueError, match="no 'Three' to open"):
        drawers.opened = "Three"


def test_a_lab_without_a_history_says_nothing_and_one_that_cannot_be_used_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", "off")
    none = LabHistory()
    none.keep(Watching())
    assert (none.history, none.told) == (None, "")
    none.close()
    file = tmp_path / "history.sqlite"
    file.write_bytes(b"no database at all, but as long as one" * 200)
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", str(file))
    damaged, watching = LabHistory(), Watching()
    damaged.keep(watching)
    watching.see(request(5.0))
    until(lambda: "damaged" in damaged.told)
    damaged.close()
