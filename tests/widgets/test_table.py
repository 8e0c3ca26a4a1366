"""The table in the docstring of lifecycle_widgets.widgets is true."""

from __future__ import annotations

import inspect

import pytest

from lifecycle_widgets import widgets

ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (widgets.__doc__ or "").splitlines()
    if line.startswith("|") and not line.startswith("|-")
][1:]


def test_every_widget_is_in_the_table() -> None:
    assert sorted(row[0] for row in ROWS) == sorted(widgets.__all__) == dir(widgets)
    with pytest.raises(AttributeError, match="no attribute 'Nonsense'"):
        _ = widgets.Nonsense


@pytest.mark.parametrize(("name", "traits", "line"), ROWS, ids=lambda cell: cell[:20])
def test_a_row_says_what_the_class_says(name: str, traits: str, line: str) -> None:
    widget = getattr(widgets, name)
    has = set(widget.class_trait_names())
    assert {t.strip() for t in traits.split(",") if t.strip()} <= has
    assert (inspect.getdoc(widget) or "").splitlines()[0] == line
