"""Every notebook runs from top to bottom under nbmake, on the sandbox, in under two minutes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
LIMIT_S = 120


def cells(notebook: Path) -> list[dict[str, Any]]:
    return list(json.loads(notebook.read_text())["cells"])


@pytest.fixture(params=NOTEBOOKS, ids=lambda n: n.name)
def notebook(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def begun(notebook: Path, *more: str, limit_s: int = LIMIT_S, **env: str) -> subprocess.Popen[str]:
    """Run it under nbmake, as on a command line with these options and variables."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbmake"]
    command += [f"--nbmake-timeout={limit_s}", *more, str(notebook)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **env},
    )


def run(notebook: Path, *more: str, limit_s: int = LIMIT_S, **env: str) -> None:
    """As `begun`, to its end."""
    started = time.monotonic()
    with begun(notebook, *more, limit_s=limit_s, **env) as process:
        try:
            said, _ = process.communicate(timeout=3 * limit_s)
        finally:
            process.kill()
    assert process.returncode == 0, said
    assert "1 passed" in said
    print(f"{notebook.name}: {time.monotonic() - started:.0f} s")


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 2, 3, 6, 7])
def test_it_runs(number: int, server: Server) -> None:
    """The start: test_in_a_class; watch and tune: tests/browser; that of tools: test_own_ground."""
    run(NOTEBOOKS[number])


@pytest.mark.slow
def test_on_a_persons_own_ollama_lesson_1_says_that_no_shortage_is_made() -> None:
    [lesson] = [n for n in NOTEBOOKS if n.name.startswith("01")]
    with Sandbox(models=["smollm2:135m"]) as own:  # by its address alone it is somebody's own
        run(lesson, OLLAMA_HOST=own.url, **{SANDBOX_URL_VARIABLE: ""})


def test_outputs_are_stripped(notebook: Path) -> None:
    for cell in cells(notebook):
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


def test_it_says_what_to_expect_and_which_server_it_measured(notebook: Path) -> None:
    first, code = cells(notebook)[0], [c for c in cells(notebook) if c["cell_type"] == "code"]
    text = "".join(first["source"])
    for word in ("You will learn", "Time", "Needs"):
        assert word in text
    assert "server.url" in "".join(code[0]["source"])
    assert any("lesson.expect(" in "".join(c["source"]) for c in code)


def test_it_shows_one_picture_and_says_what_is_on_it(notebook: Path) -> None:
    texts = ["".join(c["source"]) for c in cells(notebook) if c["cell_type"] == "markdown"]
    [(said, shown)] = re.findall(r"!\[([^]]+)\]\(([^)]+)\)", "\n".join(texts))
    assert shown == f"pictures/{notebook.stem}.png"
    assert len(said) > 100, "who cannot see it should know what it shows"
    picture = notebook.parent / shown
    assert picture.read_bytes().startswith(b"\x89PNG"), "make figures"
    assert picture.stat().st_size < 300_000


def test_lessons_refer_to_each_other() -> None:
    for notebook in NOTEBOOKS:
        for target in re.findall(r"\]\((\d\d_\w+\.ipynb)\)", notebook.read_text()):
            assert (notebook.parent / target).is_file(), f"{notebook.name} refers to {target}"
