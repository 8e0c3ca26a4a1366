"""The first word of lifecycle-lab: a command, or a folder; a mistyped one makes no folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lifecycle_widgets.cli import main
from lifecycle_widgets.cli.words import COMMANDS, why_no_folder

README = Path(__file__).parents[2] / "README.md"
MEANT = {
    "sanbox": "sandbox",
    "fact": "facts",
    "wacth": "watch",
    "histroy": "history",
    "notebook": "notebooks",
}


@pytest.mark.parametrize("word", [*MEANT, "record", "lab", "x"])
def test_an_unknown_word_is_an_error_and_makes_nothing(
    word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main([word, "--no-browser"])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith(f"lifecycle-lab: There is no command {word!r}; ")
    if word in MEANT:
        assert f"did you mean {MEANT[word]!r}?" in said
    else:
        assert all(command in said for command in COMMANDS)
    assert said.endswith(f"A folder of that name is written ./{word}\n")
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_is_there_may_be_named_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert why_no_folder("mine") is not None
    (tmp_path / "mine").mkdir()
    assert why_no_folder("mine") is None


@pytest.mark.parametrize("word", ["notebooks", "./record", "a/b", "/tmp/lab", "mine/", "..", "."])
def test_a_new_folder_is_written_as_a_path(word: str) -> None:
    assert why_no_folder(word) is None


def test_a_command_comes_first(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--private", "facts"])
    assert ended.value.code == 2
    assert "The command 'facts' must be the first word." in capsys.readouterr().err


def test_each_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            main([command, "--help"])
        assert ended.value.code == 0
        assert f"usage: lifecycle-lab {command} " in capsys.readouterr().out


def test_the_readme_names_commands_and_options_that_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    section = README.read_text().partition("## The command line")[2].partition("\n## ")[0]
    named = re.findall(r"`lifecycle-lab (\w+)", section)
    assert set(named) - {"FOLDER"} == set(COMMANDS)
    rows = section.splitlines()
    for command in COMMANDS:
        with pytest.raises(SystemExit):
            main([command, "--help"])
        help_ = capsys.readouterr().out
        of_it = " ".join(row for row in rows if f"`lifecycle-lab {command}" in row)
        assert [option for option in re.findall(r"--[a-z-]+", of_it) if option not in help_] == []
