"""A DataFrame as a plain HTML table: everything escaped, numbers with as many digits as help."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import pandas as pd

from lifecycle_widgets.experiments.statistics import digits
from lifecycle_widgets.widgets.formats import clock_text, escaped
from lifecycle_widgets.widgets.terms_html import meanings_html, titled

_MOST_ROWS = 200
_NOTHING = "–"


def frame_html(frame: pd.DataFrame, *, index: bool = False, most_rows: int = _MOST_ROWS) -> str:
    """The table; of a long one the first ``most_rows`` rows, and it says so.

    What its columns mean is in their tooltips, and folded away below it.

    Examples
    --------
    >>> "<td>&lt;b&gt;</td>" in frame_html(pd.DataFrame({"model": ["<b>"]}))
    True
    """
    shown = frame.head(most_rows)
    names = ([frame.index.name or ""] if index else []) + [str(name) for name in frame.columns]
    labels = [str(label) for label in shown.index] if index else []
    rows = ["".join(map(_cell, row)) for row in shown.itertuples(index=False, name=None)]
    if index:
        firsts = [_cell(label, titled(str(label))) for label in shown.index]
        rows = [first + row for first, row in zip(firsts, rows, strict=True)]
    head = "".join(
        f"<th scope='col'{titled(name)}>{escaped(name)}</th>" if name else "<td></td>"
        for name in names
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    left = len(frame) - len(shown)
    more = f"<p class='lw-muted'>and {left} more rows, in the frame.</p>" if left else ""
    return (
        f"<div class='lw-table'><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{more}{meanings_html([*names, *labels])}"
    )


def value_text(value: Any) -> str:
    """One value, as a person reads it.

    Examples
    --------
    >>> [value_text(v) for v in (1.23456, 12345.6, 7, True, None, float("nan"), "5m")]
    ['1.23', '12346', '7', 'yes', '–', '–', '5m']
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return _NOTHING
    if isinstance(value, (bool,)) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return clock_text(value.to_pydatetime(warn=False))
    if isinstance(value, datetime):
        return clock_text(value)
    if isinstance(value, float):
        return _NOTHING if math.isnan(value) else digits(value)
    return str(value)


def _cell(value: Any, more: str = "") -> str:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    kind = " class='lw-number'" if is_number else ""
    return f"<td{kind}{more}>{escaped(value_text(value))}</td>"
