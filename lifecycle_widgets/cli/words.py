"""What the first word may be: a command, or a folder for the notebooks."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

COMMANDS = ("advise", "class", "doctor", "facts", "history", "replay", "sandbox", "watch")
"""The commands; each is a file beside this one. Without one it is the lab."""
FILES = {"class": "classroom"}
"""Where a command is no name for a file."""
USUAL_FOLDER = "notebooks"
_LIKE = 0.6  # half of the letters; more distant words mean something else


def why_no_folder(word: str) -> str | None:
    """Why a word is no folder for notebooks, in a sentence; None when it is one.

    A folder that is there may be named as it is. A new one is written as a path (``./mine``,
    ``a/b``, ``/home/me/lab``, ``mine/``), or is ``notebooks``: else a mistyped command, or one of
    another version, would make a folder and open JupyterLab there.

    Examples
    --------
    >>> why_no_folder("./record") is None
    True
    >>> why_no_folder("wacth")
    "There is no command 'wacth'; did you mean 'watch'? A folder of that name is written ./wacth"
    """
    if word == USUAL_FOLDER or _is_path_like(word) or Path(word).exists():
        return None
    anyway = f"A folder of that name is written .{os.sep}{word}"
    if word in COMMANDS:
        return f"The command {word!r} must be the first word. {anyway}"
    near = difflib.get_close_matches(word, (*COMMANDS, USUAL_FOLDER), 1, _LIKE)
    meant = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COMMANDS)}."
    return f"There is no command {word!r}; {meant} {anyway}"


def _is_path_like(word: str) -> bool:
    return Path(word).is_absolute() or any(mark and mark in word for mark in (os.sep, os.altsep))
