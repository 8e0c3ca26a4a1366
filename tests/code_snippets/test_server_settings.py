"""The server's settings as text: each form is read back by whoever it is for, or by its grammar."""

from __future__ import annotations

import argparse
import configparser
import os
import plistlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from lifecycle_widgets.code_snippets.server_settings import FORMS, server_settings
from lifecycle_widgets.keep_alive import KeepAlive

KEEP, MOST = "OLLAMA_KEEP_ALIVE", "OLLAMA_MAX_LOADED_MODELS"
VALUES = ["2m", "1h30m", 0, 1.5, "forever", None]
Read = dict[str, str]


def as_ollama_reads(text: str) -> KeepAlive:
    """A duration of Go's, else a whole number of seconds (``envconfig/config.go``)."""
    try:
        return KeepAlive(int(text))
    except ValueError:
        return KeepAlive.from_json(text)


def by_sh(text: str, _: Path) -> Read:
    script = f"{text}\nenv"
    before = {"PATH": os.environ["PATH"], KEEP: "9m", MOST: "9"}
    out = subprocess.run(["sh", "-ec", script], env=before, capture_output=True, check=True)
    return dict(line.split("=", 1) for line in out.stdout.decode().splitlines())


def by_systemd(text: str, folder: Path) -> Read:
    assert complaints(text, folder) == ""
    lines = [line.strip() for line in text.splitlines()]
    assert lines.count("[Service]") == 1
    given = [line.partition("=")[2] for line in lines if line.startswith("Environment=")]
    gone = [line.partition("=")[2] for line in lines if line.startswith("UnsetEnvironment=")]
    read = {KEEP: "9m", MOST: "9"} | dict(shlex.split(one)[0].split("=", 1) for one in given)
    return {name: value for name, value in read.items() if name not in gone}


def complaints(drop_in: str, folder: Path) -> str:
    """What systemd itself says of the drop-in, beside a unit as the installer writes it."""
    if shutil.which("systemd-analyze") is None:
        configparser.ConfigParser(strict=False).read_string(drop_in)  # it has sections and keys
        return ""
    unit = folder / "ollama.service"
    (folder / "ollama.service.d").mkdir(exist_ok=True)
    unit.write_text('[Service]\nExecStart=/bin/true\nEnvironment="OLLAMA_KEEP_ALIVE=9m"\n')
    (folder / "ollama.service.d" / "keep-alive.conf").write_text(drop_in)
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True
    )
    return "".join(line for line in told.stderr.splitlines() if "keep-alive.conf" in line)


def by_launchd(text: str, folder: Path) -> Read:
    """What its program does, with a launchctl that keeps what it is told."""
    content = plistlib.loads(text.encode())
    assert content["RunAtLoad"] is True
    assert f"{content['Label']}.plist" in text, "it says where it belongs"
    script = folder / "launchctl"
    script.write_text(f'#!/bin/sh\necho "$@" >> {folder}/told\n')
    script.chmod(0o755)
    environment = {"PATH": f"{folder}:{os.environ['PATH']}"}
    subprocess.run(content["ProgramArguments"], env=environment, check=True)
    read = {KEEP: "9m", MOST: "9"}
    for what, name, *value in map(str.split, (folder / "told").read_text().splitlines()):
        read.pop(name) if what == "unsetenv" else read.update({name: value[0]})
    return read


def by_docker(text: str, _: Path) -> Read:
    aside = f"docker() {{ printf '%s\\n' \"$@\"; }}\n{text}"
    out = subprocess.run(["sh", "-c", aside], capture_output=True, text=True, check=True).stdout
    words = out.splitlines()
    assert words[0] == "run"
    if shutil.which("docker"):  # its own parser, and a daemon that is not there
        nowhere = {**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:1"}
        told = subprocess.run(["sh", "-c", text], env=nowhere, capture_output=True, text=True)
        assert "daemon" in told.stderr, told.stderr
    grammar = argparse.ArgumentParser()
    grammar.add_argument("--detach", action="store_true")
    grammar.add_argument("--env", action="append", default=[])
    for one in ("--name", "--volume", "--publish"):
        grammar.add_argument(one)
    grammar.add_argument("image")
    asked = grammar.parse_args(words[1:])
    assert asked.image == "ollama/ollama"
    return dict(one.split("=", 1) for one in asked.env)


def by_setx(text: str, _: Path) -> Read:
    """``setx NAME "VALUE"``; cmd and PowerShell take a variable's name and $ and ` in quotes."""
    *lines, last = text.splitlines()
    assert last.startswith('echo "')
    read = {KEEP: "9m", MOST: "9"}
    for line in lines:
        assert not set("%$`^&|<>") & set(line)
        words = shlex.split(line.replace("\\", "\\\\"))
        if words[0] == "setx":
            assert len(words) == 3
            assert len(words[2]) <= 1024
            read[words[1]] = words[2]
        else:
            assert words[:4] == ["reg", "delete", "HKCU\\Environment", "/v"]
            del read[words[4]]
    return read


READERS = {
    "shell": by_sh,
    "systemd": by_systemd,
    "launchd": by_launchd,
    "docker": by_docker,
    "setx": by_setx,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("keep_alive", VALUES, ids=str)
def test_it_is_read_as_it_was_meant(
    form: str, keep_alive: str | float | None, tmp_path: Path
) -> None:
    text = server_settings(**{KEEP: keep_alive, MOST: 2})[form]
    read = READERS[form](text, tmp_path)
    assert read[MOST] == "2"
    if keep_alive is None:
        assert KEEP not in read
    else:
        assert as_ollama_reads(read[KEEP]) == KeepAlive(keep_alive)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_would_complain(tmp_path: Path) -> None:
    text = server_settings(OLLAMA_KEEP_ALIVE="2m")["systemd"]
    assert "Environ" in complaints(text.replace("Environment=", "Environ="), tmp_path)


def test_a_number_may_be_written_out() -> None:
    assert server_settings(**{MOST: "2"}) == server_settings(**{MOST: 2})


def test_the_forms_are_those() -> None:
    assert tuple(server_settings(OLLAMA_NUM_PARALLEL=1)) == FORMS == tuple(READERS)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "No setting is given"),
        ({"OLLAMA_KEEPALIVE": "2m"}, "Did you mean OLLAMA_KEEP_ALIVE"),
        ({"PATH": "x"}, "is not a setting that is known here. There are"),
        ({KEEP: "5 minutes"}, "is not a duration"),
        ({KEEP: "2m\nExecStart=/bin/sh"}, "."),
        ({MOST: -1}, "Give a whole number"),
        ({MOST: 1.5}, "Give a whole number"),
        ({MOST: "2; reboot"}, "Give a whole number"),
        ({MOST: True}, "Give a whole number"),
    ],
)
def test_what_is_wrong_is_said(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        server_settings(**settings)
