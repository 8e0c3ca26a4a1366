"""A lesson holds whatever was clicked, with cells run twice, and beside others on one server."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server
from tests.notebooks.test_notebooks import NOTEBOOKS, ROOT, begun, cells, run

Cells = list[dict[str, Any]]
Change = Callable[[Cells], Cells]
LONG = os.environ.get("LIFECYCLE_LONG") == "1"
EXCUSED = "so this cannot be checked"

pytestmark = pytest.mark.slow


def twice(lesson: Cells) -> Cells:
    """Each code cell is run again at once."""
    pairs = [[c] if c["cell_type"] == "markdown" else [c, {**c, "id": c["id"] + "-again"}]
             for c in lesson]  # fmt: skip
    return [cell for both in pairs for cell in both]


def clicked(seed: int) -> Change:
    """Between its code cells somebody presses and types what is there."""

    def changed(lesson: Cells) -> Cells:
        chance, all_cells = random.Random(seed), []
        for cell in lesson:
            all_cells.append(cell)
            if cell["cell_type"] == "code" and chance.random() < 0.5:
                code = "from tests.notebooks.clicking import click\n"
                code += f"click(globals(), {chance.randrange(10**6)}, times={chance.randrange(8)})"
                name = f"click-{len(all_cells)}"
                all_cells.append({**cell, "id": name, "metadata": {}, "source": [code]})
        return all_cells

    return changed


def copied(lesson: Path, folder: Path, *changes: Change) -> Path:
    """The lesson, changed, beside what it links to."""
    notebook = json.loads(lesson.read_text())
    for change in changes:
        notebook["cells"] = change(notebook["cells"])
    folder.mkdir(exist_ok=True)
    shutil.copytree(lesson.parent / "saved", folder / "saved", dirs_exist_ok=True)
    copy = folder / lesson.name
    copy.write_text(json.dumps(notebook))
    return copy


def on(sandbox: str) -> dict[str, str]:
    """As the kernels of one lab: all of them have its sandbox."""
    return {"OLLAMA_HOST": sandbox, SANDBOX_URL_VARIABLE: sandbox, "PYTHONPATH": str(ROOT)}


def all_end_well(copies: Sequence[Path], env: dict[str, str]) -> None:
    """Started one after the other, two seconds apart, on one server."""
    running: list[subprocess.Popen[str]] = []
    try:
        for copy in copies:
            running.append(begun(copy, limit_s=600, **env))
            time.sleep(2)
        said = [process.communicate(timeout=900)[0] for process in running]
    finally:
        for process in running:
            process.kill()
    ended_well = [process.returncode == 0 for process in running]
    assert all(ended_well), "\n".join(t for t, w in zip(said, ended_well, strict=True) if not w)


@pytest.mark.parametrize("number", range(len(NOTEBOOKS)) if LONG else [0])
def test_cells_run_twice_after_clicks(number: int, sandbox: Sandbox, tmp_path: Path) -> None:
    """By itself on its server: no claim of it is left unchecked because of that."""
    copy = copied(NOTEBOOKS[number], tmp_path / "class", clicked(number), twice)
    run(copy, "--overwrite", limit_s=300, **on(sandbox.url))
    assert EXCUSED not in copy.read_text()


@pytest.mark.skipif(not LONG, reason="needs LIFECYCLE_LONG=1")
@pytest.mark.parametrize("number", range(len(NOTEBOOKS)))
def test_beside_two_others_on_one_server(number: int, tmp_path: Path) -> None:
    with Sandbox() as shared:
        copies = [copied(NOTEBOOKS[number], tmp_path / str(who)) for who in range(3)]
        all_end_well(copies, on(shared.url))
        time.sleep(1)
        left = {one.name for one in Server(shared.url).residents() if one.is_forever}
        assert not left, "nothing stays for ever when a lesson has ended"


@pytest.mark.skipif(not LONG, reason="needs LIFECYCLE_LONG=1")
@pytest.mark.parametrize("number", range(len(NOTEBOOKS)))
def test_whatever_was_clicked(number: int, sandbox: Sandbox, tmp_path: Path) -> None:
    """Clicks that hypothesis finds; each try is a whole lesson, so there are few."""
    tries: Iterator[int] = iter(range(1000))

    @settings(
        max_examples=3,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**32 - 1))
    def each(seed: int) -> None:
        [count] = islice(tries, 1)
        copy = copied(NOTEBOOKS[number], tmp_path / f"try{count}", clicked(seed))
        print(f"{copy.name}: clicks {seed}", flush=True)
        run(copy, limit_s=300, **on(sandbox.url))

    each()


def test_a_lesson_begins_with_nothing_of_the_widgets() -> None:
    """Values are passed: no code cell reads what was chosen in a widget, to go on with it."""
    read = (".panel.model", "lab.model)", ".keep_alive_picker.value", "block.text", "slider.value")
    for notebook in NOTEBOOKS:
        for cell in cells(notebook):
            if cell["cell_type"] == "code":
                source = "".join(cell["source"])
                assert not [name for name in read if name in source], (notebook.name, cell["id"])
                assert "assert " not in source, "lesson.expect says what was expected, and seen"
