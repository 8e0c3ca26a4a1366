"""The files that have a watch go on in the background, as systemd and launchd read them."""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lifecycle_widgets.watch import service_text

ODD = ["box=http://192.0.2.1:11434", "--words", 'a "b" %h $HOME \\ c']


def test_launchd_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", "/data/history.sqlite")
    text = service_text("launchd", ODD)
    read = plistlib.loads(text.encode())
    assert read["ProgramArguments"][1:] == ["-m", "lifecycle_widgets.cli", "watch", *ODD]
    assert Path(read["ProgramArguments"][0]).is_absolute()
    assert read["EnvironmentVariables"]["LIFECYCLE_WIDGETS_HISTORY"] == "/data/history.sqlite"
    assert read["RunAtLoad"] is True
    assert read["KeepAlive"] == {"SuccessfulExit": False}
    comment = text.partition("<!-- ")[2].partition("-->")[0]
    assert "launchctl bootstrap" in comment
    assert "--" not in comment  # XML forbids it in a comment


def test_the_unit_says_what_to_do_with_it() -> None:
    text = service_text("systemd", ["box=http://192.0.2.1:11434"])
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert "~/.config/systemd/user/lifecycle-watch.service" in comments[0]
    assert sum("systemctl --user" in line or "journalctl" in line for line in comments) == 3
    assert "\nRestart=on-failure\n" in text
    assert "\nNoNewPrivileges=yes\n" in text
    assert f"\nExecStart={sys.executable} -m lifecycle_widgets.cli watch box=" in text


def test_a_key_is_not_written_into_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "a-secret")
    assert not any("a-secret" in service_text(kind, []) for kind in ("systemd", "launchd"))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd on this machine")
def test_systemd_finds_no_fault_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFECYCLE_WIDGETS_HISTORY", "/data/my 100 % history.sqlite")
    unit = tmp_path / "lifecycle-watch.service"
    unit.write_text(service_text("systemd", ODD))
    runtime = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
    told = subprocess.run(
        ["systemd-analyze", "verify", "--user", "--man=no", str(unit)],
        env={**os.environ, **runtime},
        capture_output=True,
        text=True,
        timeout=60,
    )
    about_it = [line for line in told.stderr.splitlines() if unit.name in line]
    assert not about_it, told.stderr


def test_what_systemd_would_take_for_something_else_is_doubled() -> None:
    text = service_text("systemd", ODD)
    command = next(line for line in text.splitlines() if line.startswith("ExecStart="))
    written = [w.replace("%%", "%").replace("$$", "$") for w in shlex.split(command)]
    assert written[4:] == ODD
