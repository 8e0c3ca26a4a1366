"""The lessons are slides, too: each heading begins one, and nbconvert makes them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.exporters import SlidesExporter

from tests.slides import LESSONS, mark, slide_type

HERE, LONG = LESSONS[:1], os.environ.get("LIFECYCLE_LONG") == "1"


def cells(lesson: Path) -> list[dict[str, Any]]:
    return list(json.loads(lesson.read_text(encoding="utf-8"))["cells"])


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_each_heading_begins_a_slide(lesson: Path) -> None:
    for cell in cells(lesson):
        marked = cell["metadata"].get("slideshow", {}).get("slide_type")
        assert marked == slide_type(cell), "python -m tests.slides marks the cells"


def test_marking_again_changes_nothing(tmp_path: Path) -> None:
    copy = Path(shutil.copy(LESSONS[0], tmp_path))
    mark(copy)
    assert not mark(copy)
    assert [c["source"] for c in cells(copy)] == [c["source"] for c in cells(LESSONS[0])]


@pytest.mark.parametrize("lesson", LESSONS if LONG else HERE, ids=lambda path: path.stem)
def test_nbconvert_makes_slides(lesson: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(lesson, tmp_path))
    mark(copy)
    headings = [c for c in cells(copy) if slide_type(c) == "slide"]
    body, _ = SlidesExporter().from_notebook_node(nbformat.read(copy, as_version=4))
    assert body.count("<section><section>") == len(headings)
