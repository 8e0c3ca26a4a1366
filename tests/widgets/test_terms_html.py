"""Heads of tables say what they mean, by a tooltip and, for who has none, folded away below."""

from __future__ import annotations

import re
from datetime import datetime

import pandas as pd
import pytest

from lifecycle_widgets import KeepAlive, Run, Timings
from lifecycle_widgets.experiments import compare_runs
from lifecycle_widgets.terms import term_of, tip
from lifecycle_widgets.widgets.frame_html import frame_html
from lifecycle_widgets.widgets.result_view import ResultView
from lifecycle_widgets.widgets.run_table import RunTable, _shown
from lifecycle_widgets.widgets.split import split_html
from lifecycle_widgets.widgets.terms_html import meanings_html, reading_html

TIMINGS = Timings(
    3.0, ttft_s=1.0, load_s=0.5, prompt_eval_s=0.4, eval_s=2.0, prompt_tokens=9, output_tokens=5,
    cached_tokens=3,
)  # fmt: skip
RUN = Run("a:latest", KeepAlive("5m"), "Hi", "Hello", datetime.now().astimezone(), TIMINGS)


def test_a_frames_head_says_what_it_means() -> None:
    shown = frame_html(pd.DataFrame({"late_s": [1.0], "model": ["a"]}))
    assert f"<th scope='col' title='{tip('late_s')}'>late_s</th>" in shown
    assert "<th scope='col'>model</th>" in shown
    assert shown.count("<dt>") == 1
    assert "What the columns mean" not in frame_html(pd.DataFrame({"model": ["a"]}))


def test_so_does_a_row_of_a_comparison() -> None:
    shown = frame_html(compare_runs(RUN, RUN), index=True)
    assert "Unit: seconds.'>prompt_eval_s</td>" in shown
    assert shown.count("<table>") == 1


def test_a_name_that_is_no_term_of_ours_is_only_escaped() -> None:
    assert meanings_html(["<b>", "model"]) == ""


def test_the_run_tables_columns_are_explained() -> None:
    table = RunTable([RUN])
    names = [str(name) for name in _shown([RUN]).columns]
    assert {n for n in names if term_of(n) is None} <= {"started", "model", "options", "prompt"}
    assert table._meanings.value.count("<dt>") >= 8
    table.close()
    empty = RunTable()
    assert empty._meanings.value == ""
    empty.close()


def test_the_numbers_under_an_answer_are_explained() -> None:
    names = re.findall(r"<dt([^>]*)>(?:<i[^>]*></i>)?([^<]+)</dt>", split_html(RUN))
    assert {"TTFT", "load", "prompt eval", "eval", "tokens/s"} <= {name for _, name in names}
    assert [name for title, name in names if "title=" not in title] == []


@pytest.mark.parametrize("verdict", ["It takes 2.67 (2.66 to 2.67, n=3) s.", "Nothing yet."])
def test_an_interval_is_explained_under_the_verdict(verdict: str) -> None:
    assert ("95 % bootstrap interval" in reading_html(verdict)) == ("n=3" in verdict)


def test_in_a_result_it_stands_below_the_verdict() -> None:
    from tests.experiments.face.test_enough import SLOW, downstream, times

    view = ResultView()
    view.show(downstream(SLOW, times(1.1)))
    shown = [getattr(child, "value", "") for child in view.children]
    assert "lw-verdict" in shown[0]
    assert "How to read" in shown[1]
    view.close()
    assert "<small>How to read" in downstream(SLOW, times(1.1))._repr_markdown_()
