"""lifecycle-lab class: the plan, its words, and the configuration for JupyterHub."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import Config

from lifecycle_widgets.cli import main, put_notebooks
from lifecycle_widgets.cli.classroom.command import _parser, prepare_for_all
from lifecycle_widgets.cli.classroom.lessons import LESSONS, LessonCost
from lifecycle_widgets.cli.classroom.machine import Machine, look
from lifecycle_widgets.cli.classroom.plan import plan
from lifecycle_widgets.cli.classroom.text import plan_text
from lifecycle_widgets.experiments import DownstreamResult, load_result

GB = 1_000_000_000
NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SMALL = Machine(
    memory_bytes=10 * GB,
    free_bytes=8 * GB,
    cores=2,
    disk_free_bytes=40 * GB,
    cache=Path("/srv/lifecycle_widgets"),
    cache_bytes=990_000_000,
    is_prepared=True,
    is_readable=True,
    is_writable=False,
    board=Path("/tmp/board"),
    why_no_shortage="No shortage can be made here.",
)
LESSON = LessonCost("00_start_here", (10, 15), 900_000_000, cpu_s=20, cells_s=40)


def test_the_table_has_every_lesson() -> None:
    lessons = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
    assert [one.notebook for one in LESSONS] == lessons


def test_how_many_fit_and_how_they_wait() -> None:
    (one,) = plan(25, SMALL, [LESSON]).lessons
    assert one.fit == 7  # of 1 GB each, in 8 GB less the tenth that is spared
    assert one.needed_bytes == 25 * GB
    assert one.slower == 25 * 0.5 / 2
    assert plan(3, SMALL, [LESSON]).lessons[0].slower == 1


def test_a_machine_that_is_too_small_says_so() -> None:
    assert plan(7, SMALL, [LESSON]).too_small == ()
    (memory,) = plan(25, SMALL, [LESSON]).too_small
    assert memory == "00_start_here: memory for 7 of 25 students at once."
    assert "disk has 40 GB free" in plan(100, SMALL, [LESSON]).too_small[-1]


@pytest.mark.parametrize("students", [1, 25, 10_000])
def test_the_text_fits_a_terminal(students: int) -> None:
    for line in plan_text(plan(students, SMALL)).splitlines():
        assert len(line) <= 100, line


def test_it_prints_the_plan_and_the_figures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["class", "30", "--json"]) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert said["students"] == 30
    assert len(said["lessons"]) == len(LESSONS)
    assert 0 < said["machine"]["free_bytes"] < said["machine"]["memory_bytes"]
    assert main(["class"]) == 0
    assert "A class of 25 on this machine" in capsys.readouterr().out


def test_check_fails_where_they_do_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["class", "10000", "--check"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "of 10000 students at once" in said.err


@pytest.mark.parametrize("word", ["x", "0", "-1", "2.5", "²", "10001", "9" * 5000])
def test_what_is_no_number_is_one_sentence(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["class", "--", word]) == 1
    said = capsys.readouterr().err
    assert "is no number of students. Say for example: lifecycle-lab class 25" in said
    assert len(said) < 200


def test_a_cache_for_all_is_read_by_all_and_written_by_none(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir(mode=0o700)
    (tmp_path / "in" / "program").write_text("")
    (tmp_path / "in" / "program").chmod(0o700)
    (tmp_path / "weights").write_text("")
    (tmp_path / "weights").chmod(0o666)
    prepare_for_all(tmp_path)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*")}
    assert modes == {"in": 0o755, "program": 0o755, "weights": 0o644}


# --- the configuration ---------------------------------------------------------------------------


def configured(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("LIFECYCLE_CLASS_FOLDER", str(folder))
    monkeypatch.setenv("LIFECYCLE_CLASS_PORT", "9000")
    config = Config()
    exec(compile(text, "jupyterhub_config.py", "exec"), {"get_config": lambda: config})
    return config


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["class", "--hub"]) == 0
    return capsys.readouterr().out


def test_the_configuration_is_for_loopback_and_for_a_class(
    printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFECYCLE_CLASS_PASSWORD", "a long one")
    monkeypatch.setenv("LIFECYCLE_WIDGETS_CACHE", "/srv/lifecycle_widgets")
    c = configured(printed, tmp_path / "class", monkeypatch)
    assert c.JupyterHub.bind_url == "http://127.0.0.1:9000"
    assert c.SharedPasswordAuthenticator.user_password == "a long one"
    assert c.Spawner.environment["LIFECYCLE_WIDGETS_CACHE"] == "/srv/lifecycle_widgets"
    assert "ip" not in c.Spawner, "loopback, as it is"
    assert stat.S_IMODE((tmp_path / "class" / "hub").stat().st_mode) == 0o700
    assert max(map(len, printed.splitlines())) <= 100
    assert printed.count("FOR REAL") >= 4


def test_it_wants_a_password(printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LIFECYCLE_CLASS_PASSWORD", raising=False)
    with pytest.raises(SystemExit, match="Set LIFECYCLE_CLASS_PASSWORD"):
        configured(printed, tmp_path / "class", monkeypatch)
    assert not (tmp_path / "class").exists()


@pytest.mark.skipif(os.name == "nt", reason="there is no sandbox")
def test_the_machine_is_looked_at() -> None:
    machine = look()
    assert machine.is_prepared
    assert machine.cache_bytes > 900_000_000
    assert machine.cores >= 1


# --- the page ------------------------------------------------------------------------------------

PAGE = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()
]


def test_the_page_names_every_lesson_and_its_time() -> None:
    rows = re.findall(r"^\| \[\d\. .*?\]\((\w+)\.ipynb\) \|.*\| (.*) min \|$", PAGE, re.MULTILINE)
    times = {one.notebook: one.minutes for one in LESSONS}
    told = {name: tuple(int(n) for n in time.split(" to ")) for name, time in rows}
    assert told == {
        name: (low, high) if low < high else (low,) for name, (low, high) in times.items()
    }


def test_the_pages_other_commands_are_read() -> None:
    ours = [line for line in COMMANDS if line.startswith("lifecycle-lab")]
    assert len(ours) == 3
    for line in ours:
        words = line.partition(">")[0].split()[2:]
        assert _parser().parse_args(words)
    assert "pip install jupyterhub configurable-http-proxy" in COMMANDS


def test_a_lesson_without_its_solutions(tmp_path: Path) -> None:
    shutil.copy(NOTEBOOKS / "00_start_here.ipynb", tmp_path)
    [command] = [line for line in COMMANDS if "remove_cell_tags" in line]
    words = command.split()
    assert words[:2] == ["jupyter", "nbconvert"]
    subprocess.run([sys.executable, "-m", *words], cwd=tmp_path, check=True, capture_output=True)
    before = json.loads((tmp_path / "00_start_here.ipynb").read_text())["cells"]
    after = json.loads((tmp_path / "00_start_here_tasks.ipynb").read_text())["cells"]
    solutions = [cell for cell in before if "solution" in cell["metadata"].get("tags", ())]
    assert solutions
    assert len(after) == len(before) - len(solutions)


def test_a_saved_result_goes_with_the_lessons(tmp_path: Path) -> None:
    put_notebooks(tmp_path)
    saved = sorted(path.relative_to(NOTEBOOKS) for path in NOTEBOOKS.glob("saved/*/*.*"))
    assert len(saved) == 2
    result = load_result(tmp_path / saved[0].parent)
    assert isinstance(result, DownstreamResult)
    assert result.is_complete
    assert result.is_short
    assert result.slowdown("resident, idle").median > 2, "no good example of a shortage"
    assert all((tmp_path / path).read_bytes() == (NOTEBOOKS / path).read_bytes() for path in saved)
