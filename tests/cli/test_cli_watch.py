"""lifecycle-lab watch: its arguments, and what it says of wrong ones."""

from __future__ import annotations

import plistlib
import socket
import sys
import threading

import pytest

from lifecycle_widgets.cli import main

WRONG = {
    "localhost 127.0.0.1:11434": "http://127.0.0.1:11434 is named twice",
    "a=192.0.2.1 b=192.0.2.1:11434": "http://192.0.2.1:11434 is named twice (a and b).",
    "a=192.0.2.1 a=192.0.2.2": "Two servers are called 'a'; give each a name of its own.",
    "ftp://192.0.2.1": "ftp:// is not http:// or https://",
    "localhost:99999": "99999",
    "http://me:secret@192.0.2.1 --service systemd": "not written into a file",
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_server_is_one_sentence(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", *words.split()])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("lifecycle-lab: ")
    assert said.count("\n") == 1
    assert WRONG[words] in said
    assert "secret" not in said


@pytest.mark.parametrize(
    "words", [["--interval", "0.1"], ["--interval", "nan"], ["--metrics", "70000"], ["--jsn"]]
)
def test_a_wrong_option_is_an_error(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", *words])
    assert ended.value.code == 2
    assert words[0] in capsys.readouterr().err


def test_a_port_that_is_taken_leaves_nothing_running(capsys: pytest.CaptureFixture[str]) -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["watch", "127.0.0.1:9", "--no-history", "--metrics", str(port)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"lifecycle-lab: The metrics cannot be at port {port} of 127.0.0.1 (")
    assert said.count("\n") == 1
    assert threading.active_count() == before


def test_a_service_has_the_whole_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "192.0.2.7")
    options = ["--json", "--metrics", "9300", "--interval", "2.5", "--no-history"]
    here = [sys.executable, "-m", "lifecycle_widgets.cli", "watch"]
    assert main(["watch", *options, "--service", "launchd"]) == 0
    launchd = plistlib.loads(capsys.readouterr().out.encode())
    assert launchd["ProgramArguments"] == [*here, "http://192.0.2.7:11434", *options]
    assert main(["watch", "a=localhost", "--service", "systemd"]) == 0
    unit = capsys.readouterr().out
    assert f"ExecStart={' '.join(here)} a=http://localhost:11434\n" in unit
