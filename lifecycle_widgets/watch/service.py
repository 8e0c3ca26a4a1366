"""A watch in the background: the file for systemd's user manager, and the one for launchd."""

from __future__ import annotations

import os
import plistlib
import sys
from collections.abc import Sequence
from pathlib import Path

SERVICES = ("systemd", "launchd")
NAME = "lifecycle-watch"
_LABEL = f"lifecycle-widgets.{NAME}"
_HANDED = ("LIFECYCLE_WIDGETS_HISTORY", "PYTHONPATH")  # what it needs of this environment

_SYSTEMD = """\
# Watches Ollama whenever you are logged in. Put this into ~/.config/systemd/user/{name}.service:
#   systemctl --user daemon-reload && systemctl --user enable --now {name}
#   journalctl --user --unit {name} --follow     # what it prints
#   systemctl --user disable --now {name}        # no more of it
[Unit]
Description=lifecycle-lab watch: memory, models and requests of Ollama

[Service]
ExecStart={command}
{environment}Restart=on-failure
RestartSec=10
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""
_LAUNCHD = """\
<!-- Watches Ollama whenever you are logged in. Put this into {path}:
       launchctl bootstrap gui/$(id -u) {path}
       tail -f {log}
       launchctl bootout gui/$(id -u) {path}
-->
"""


def service_text(service: str, arguments: Sequence[str]) -> str:
    """The file that has this watch go on in the background, with what to do with it.

    Parameters
    ----------
    service:
        One of `SERVICES`.
    arguments:
        What follows ``lifecycle-lab watch``.

    Examples
    --------
    >>> "watch home=localhost" in service_text("systemd", ["home=localhost"])
    True
    """
    command = [os.path.abspath(sys.executable), "-m", "lifecycle_widgets.cli", "watch", *arguments]
    handed = {name: os.environ[name] for name in _HANDED if os.environ.get(name)}
    return _systemd(command, handed) if service == "systemd" else _launchd(command, handed)


def _systemd(command: Sequence[str], handed: dict[str, str]) -> str:
    lines = [f"Environment={_quoted(f'{name}={value}')}\n" for name, value in handed.items()]
    written = " ".join(_quoted(word, "$") for word in command)
    return _SYSTEMD.format(name=NAME, command=written, environment="".join(lines))


def _quoted(word: str, doubled: str = "") -> str:
    """A word as systemd reads it: % and, in a command, $ mean something when they stand alone."""
    for mark in ("%", *doubled):
        word = word.replace(mark, mark * 2)
    if word and not any(mark in word for mark in " \t\n\"'\\;"):
        return word
    inner = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{inner}"'


def _launchd(command: Sequence[str], handed: dict[str, str]) -> str:
    home = Path.home()
    path = home / "Library" / "LaunchAgents" / f"{_LABEL}.plist"
    log = str(home / "Library" / "Logs" / f"{NAME}.log")
    content = {
        "Label": _LABEL,
        "ProgramArguments": list(command),
        "EnvironmentVariables": handed,
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    written = plistlib.dumps(content, sort_keys=False).decode()
    head, _, rest = written.partition("<plist")
    return f"{head}{_LAUNCHD.format(path=path, log=log)}<plist{rest}"
