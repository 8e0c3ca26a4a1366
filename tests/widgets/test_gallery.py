"""The page of the widgets says what is so: its table, its pictures, its examples."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from typing import Any

import anywidget
import ipywidgets
import pytest

import lifecycle_widgets as lw
from lifecycle_widgets import widgets
from lifecycle_widgets.sandbox import Sandbox
from tests import gallery

PAGE = gallery.PAGE.read_text(encoding="utf-8")
ROWS = gallery.rows(PAGE)
EXAMPLES = gallery.examples(PAGE)
MEASURE = ("ExperimentPanel", "BreakEven")  # the second shows what the first has measured
PLAIN = {"CodeBlock", "TextStream"}  # what needs no ipywidgets around it


def test_the_table_is_that_of_the_package() -> None:
    assert gallery.table() in PAGE, "python -m tests.gallery table writes it anew"


def test_every_public_widget_is_on_the_page_and_no_other() -> None:
    of_lw = {name for name in lw.__all__ if name in widgets.__all__}
    assert of_lw | {"Style", "TextStream"} == set(widgets.__all__)
    assert sorted(EXAMPLES) == sorted(widgets.__all__)
    assert [re.findall(r"\w+", row.name)[0] for row in ROWS] == [
        row[0] for row in gallery.rows_of_the_docstring()
    ]


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - set(gallery.WITHOUT)))
def test_its_picture_is_there_and_small(name: str) -> None:
    picture = gallery.PICTURES / f"{name}.png"
    assert 1_000 < picture.stat().st_size < gallery.MOST_BYTES


def test_what_marimo_shows_is_an_anywidget_by_itself() -> None:
    alone = {n for n in widgets.__all__ if issubclass(getattr(widgets, n), anywidget.AnyWidget)}
    assert alone - {"Style"} == PLAIN
    line = next(line for line in PAGE.splitlines() if line.startswith("| marimo"))
    assert set(re.findall(r"shows a `(\w+)` and a `(\w+)`", line)[0]) == PLAIN
    for name in PLAIN:
        assert ".lw" in getattr(widgets, name)._css, "it brings its own style"


@pytest.fixture(scope="module")
def names(sandbox: Sandbox) -> Iterator[dict[str, Any]]:
    """What the setup makes; the examples' widgets are closed at the end."""
    made: dict[str, Any] = {}
    exec(gallery.setup(PAGE), made)
    yield made
    for value in list(made.values()):
        if isinstance(value, ipywidgets.Widget):
            value.close()
    if "monitor" in made:
        made["monitor"].release()


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n not in MEASURE])
def test_an_example_runs(names: dict[str, Any], name: str) -> None:
    shown = run(EXAMPLES[name], names)
    assert name in (type(shown).__name__, "Style")
    assert not getattr(shown, "error", ""), shown.error


@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
@pytest.mark.slow
def test_the_examples_that_measure_run(names: dict[str, Any]) -> None:
    for name in MEASURE:
        shown = run(EXAMPLES[name], names)
        assert type(shown).__name__ == name
        assert shown.result is not None


def run(code: str, names: dict[str, Any]) -> Any:
    """Run it as a cell; what its last line, an expression, is."""
    *before, last = ast.parse(code).body
    assert isinstance(last, ast.Expr), "the last line shows the widget"
    exec(compile(ast.Module(before, []), "example", "exec"), names)
    return eval(compile(ast.Expression(last.value), "example", "eval"), names)
