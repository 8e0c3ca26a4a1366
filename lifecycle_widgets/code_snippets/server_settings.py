"""The server's own settings as text to copy: shell, systemd, launchd, docker, Windows' setx."""

from __future__ import annotations

import difflib
import plistlib
import shlex
from collections.abc import Mapping

from lifecycle_widgets.keep_alive import KeepAlive

FORMS = ("shell", "systemd", "launchd", "docker", "setx")
_NUMBERS = ("OLLAMA_MAX_LOADED_MODELS", "OLLAMA_NUM_PARALLEL", "OLLAMA_MAX_QUEUE")
_KNOWN = ("OLLAMA_KEEP_ALIVE", *_NUMBERS)
_LABEL = "lifecycle-widgets.ollama-settings"

_SHELL = """\
# It belongs in the environment of `ollama serve`, not in the notebook's: in the shell that starts
# it, before it starts. Who sends a keep_alive of their own is not changed by it.
"""
_SYSTEMD = """\
# Save as /etc/systemd/system/ollama.service.d/keep-alive.conf (or: systemctl edit ollama), then
#   systemctl daemon-reload && systemctl restart ollama
[Service]
"""
_LAUNCHD = """\
<!-- For Ollama's app, and for one started by Homebrew. Save as
       ~/Library/LaunchAgents/{label}.plist
     then
       launchctl bootstrap gui/$(id -u) ~/Library/LaunchAgents/{label}.plist
     and quit Ollama and start it again. No more of it: launchctl bootout gui/$(id -u)/{label}
-->
"""
_DOCKER = """\
# A container has its settings from its start, so this makes a new one; models in the volume stay.
# One of that name goes first: docker rm --force ollama. With NVIDIA add: --gpus=all
"""
_SETX = 'echo "Now quit Ollama (its icon in the taskbar) and start it again: then it is in force."'


def server_settings(**settings: object) -> dict[str, str]:
    """The text that gives an Ollama server these settings, in each form that one is started by.

    They are for every model and every client that sends no keep_alive of its own, and are read
    when the server starts.

    Parameters
    ----------
    settings:
        By the names of Ollama's environment: ``OLLAMA_KEEP_ALIVE`` (what `KeepAlive` takes), and
        the whole numbers ``OLLAMA_MAX_LOADED_MODELS``, ``OLLAMA_NUM_PARALLEL``,
        ``OLLAMA_MAX_QUEUE``. None: the server's own choice, so the variable is taken away.

    Returns
    -------
    dict
        ``"shell"`` (lines of sh), ``"systemd"`` (a drop-in), ``"launchd"`` (a property list),
        ``"docker"`` (a line of sh), ``"setx"`` (lines for Windows' cmd and PowerShell alike).

    Raises
    ------
    ValueError
        Without a setting, for a name that is none of these, a keep_alive that Ollama would reject,
        and a number that is no whole one or below 0.

    Examples
    --------
    >>> texts = server_settings(OLLAMA_KEEP_ALIVE="2m", OLLAMA_MAX_LOADED_MODELS=2)
    >>> print(texts["systemd"].partition("[Service]\\n")[2])
    Environment="OLLAMA_KEEP_ALIVE=2m"
    Environment="OLLAMA_MAX_LOADED_MODELS=2"
    >>> print(texts["setx"].splitlines()[0])
    setx OLLAMA_KEEP_ALIVE "2m"
    """
    if not settings:
        raise ValueError(f"No setting is given. There are {', '.join(_KNOWN)}.")
    written = {name: as_written(name, value) for name, value in settings.items()}
    return {
        "shell": _SHELL + "\n".join(_shell(name, text) for name, text in written.items()),
        "systemd": _SYSTEMD + "\n".join(_systemd(name, text) for name, text in written.items()),
        "launchd": _launchd(written),
        "docker": _docker(written),
        "setx": "\n".join([*(_setx(name, text) for name, text in written.items()), _SETX]),
    }


def as_written(name: str, value: object) -> str | None:
    """A setting as Ollama's environment writes it; None: the variable is not to be there.

    The environment's grammar is not the API's: Go's durations, or whole seconds, so a half second
    is ``500ms``. Forever is -1. Source: ``envconfig/config.go`` of Ollama 0.34.0 (``KeepAlive``,
    ``Uint``).

    Raises
    ------
    ValueError
        As `server_settings` does.

    Examples
    --------
    >>> [as_written("OLLAMA_KEEP_ALIVE", v) for v in ("1h30m", 0.5, "forever", None)]
    ['1h30m', '500ms', '-1', None]
    """
    if name not in _KNOWN:
        near = difflib.get_close_matches(name, _KNOWN, n=1)
        meant = f"Did you mean {near[0]}?" if near else f"There are {', '.join(_KNOWN)}."
        raise ValueError(f"{name!r} is not a setting that is known here. {meant}")
    if name == "OLLAMA_KEEP_ALIVE":
        keep_alive = KeepAlive(value)  # type: ignore[arg-type]  # it says what it does not take
        if keep_alive.is_default:
            return None
        return "-1" if keep_alive.is_forever else str(keep_alive)
    if value is None:
        return None
    number = int(value) if isinstance(value, str) and value.isdecimal() else value
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError(
            f"{name} is {value!r}. Give a whole number, 0 (Ollama's own choice) or more."
        )
    return str(number)


def _shell(name: str, text: str | None) -> str:
    return f"unset {name}" if text is None else f"export {name}={shlex.quote(text)}"


def _systemd(name: str, text: str | None) -> str:
    return f"UnsetEnvironment={name}" if text is None else f'Environment="{name}={text}"'


def _launchd(written: Mapping[str, str | None]) -> str:
    """An agent that sets them at each login: what ``launchctl setenv`` sets is gone then."""
    commands = [
        f"launchctl unsetenv {name}" if text is None else f"launchctl setenv {name} {text}"
        for name, text in written.items()
    ]
    content = {
        "Label": _LABEL,
        "ProgramArguments": ["/bin/sh", "-c", " && ".join(commands)],
        "RunAtLoad": True,
    }
    head, mark, rest = plistlib.dumps(content, sort_keys=False).decode().partition("<plist")
    return f"{head}{_LAUNCHD.format(label=_LABEL)}{mark}{rest}"


def _docker(written: Mapping[str, str | None]) -> str:
    words = ["docker run --detach --name ollama"]
    words += [f"--env {name}={text}" for name, text in written.items() if text is not None]
    words += ["--volume ollama:/root/.ollama --publish 11434:11434", "ollama/ollama"]
    return _DOCKER + " \\\n  ".join(words)


def _setx(name: str, text: str | None) -> str:
    if text is None:  # setx sets, and cannot take away
        return f"reg delete HKCU\\Environment /v {name} /f"
    return f'setx {name} "{text}"'
