"""Sheet: what is written on it is escaped, cut, and reads well as HTML and as plain text."""

from __future__ import annotations

from datetime import datetime

import pandas as pd
import pytest

from lifecycle_widgets.widgets.still import page
from lifecycle_widgets.widgets.still.sheet import Sheet

HOSTILE = "<script>alert(1)</script>"


def test_all_of_it_is_escaped() -> None:
    sheet = Sheet()
    for write in (sheet.head, sheet.say, sheet.quote, sheet.code, lambda t: sheet.items([t])):
        write(HOSTILE)
    sheet.table(pd.DataFrame({HOSTILE: [HOSTILE]}, index=pd.Index([HOSTILE])), index=True)
    assert "<script" not in sheet.html
    assert sheet.html.count("&lt;script&gt;") == 8
    assert sheet.text.count(HOSTILE) == 8, "plain text is as it is"
    words, _ = page.words(HOSTILE, HOSTILE, sheet, datetime.now(), is_pictured=False)
    assert "<script" not in str(words["text/html"])


def test_nothing_is_written_of_nothing() -> None:
    sheet = Sheet()
    for write in (sheet.head, sheet.say, sheet.quote, sheet.code, lambda t: sheet.items([t])):
        write("")
    sheet.table(pd.DataFrame())
    assert (sheet.html, sheet.text) == ("", "")


@pytest.mark.parametrize(("is_last", "first"), [(False, 0), (True, 23)])
def test_a_long_table_says_how_many_rows_there_were(is_last: bool, first: int) -> None:
    sheet = Sheet()
    sheet.table(pd.DataFrame({"run": range(73)}), rows="runs", is_last=is_last)
    assert sheet.html.count("<tr>") == 51
    assert f'<td align="right">{first}</td>' in sheet.html
    assert f"The {'last' if is_last else 'first'} 50 of 73 runs." in sheet.text


def test_a_table_of_text_has_columns() -> None:
    sheet = Sheet()
    sheet.table(pd.DataFrame({"model": ["a", "longer"], "load, s": [1.234, float("nan")]}))
    assert sheet.text.splitlines() == ["model   load, s", "a       1.23", "longer  –"]


def test_a_long_text_is_cut_and_says_so() -> None:
    sheet = Sheet()
    sheet.quote("x" * 10_000)
    assert "(and 6,000 more characters)" in sheet.html
    assert len(sheet.html) < 4_200


def test_one_that_folds_has_the_picture_in_it_and_no_style() -> None:
    sheet = Sheet()
    sheet.say("the verdict")
    sheet.draw(lambda: pytest.fail("it is drawn already"), "what is seen", 1)
    data, _ = page.folded("RunTable", "", sheet, datetime.now(), b"png")
    html = str(data["text/html"])
    assert html.startswith("<details><summary>RunTable, as it was at ")
    assert '<img alt="what is seen" width="900" src="data:image/png;base64,cG5n">' in html
    assert "<style" not in html
