"""What a person writes behind ``%agent`` or ``%%agent``: options first, then the prompt as it is.

IPython's own reader (argparse and shlex) would stumble over the apostrophe of a prompt.
"""

from __future__ import annotations

import difflib
import json
import keyword
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Think

OPTIONS: Mapping[str, str] = {
    "--model": "NAME",
    "--keep-alive": "KEEP_ALIVE",
    "--server": "ADDRESS",
    "--think": "WHETHER",
    "--option": "NAME=VALUE",
    "--rules": "TEXT",
    "--tools": "NAME",
    "--structure": "NAME",
    "--hold": "",
    "--no-hold": "",
    "--timeout": "SECONDS",
    "--as": "NAME",
}
"""Each option, and what it takes."""

THINKS: Mapping[str, Think] = {
    "on": True,
    "off": False,
    "low": "low",
    "medium": "medium",
    "high": "high",
}
_REPEATABLE = ("--option", "--rules", "--tools")
_OF_THE_DRIVERS = ("--model", "--think", "--option", "--rules", "--tools")
_PART = re.compile(r'"((?:\\["\\]|[^"])*)"|\'([^\']*)\'|([^\s"\']+)')
_HELP = "%%agent? tells of all."


@dataclass
class Arguments:
    """What was asked for. ``None``: not said."""

    prompt: str = ""
    model: str | None = None
    keep_alive: KeepAlive | None = None
    server: str | None = None
    think: Think = None
    options: dict[str, Any] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    structure: str | None = None
    hold: bool | None = None
    timeout_s: float | None = None
    name: str | None = None


def read_arguments(
    line: str, cell: str | None = None, expanded: Callable[[str], str] = str
) -> Arguments:
    """Read them.

    Parameters
    ----------
    line:
        What stands behind the magic's name.
    cell:
        The cell's text, which is the prompt; None: the prompt is the rest of the line.
    expanded:
        Puts a person's variables into an option's value. The prompt is left alone.

    Raises
    ------
    ValueError
        For what is no option, or no value of one, in a sentence.

    Examples
    --------
    >>> asked = read_arguments("--model tiny:1b --keep-alive 0 What's {x}?")
    >>> asked.model, asked.keep_alive, asked.prompt
    ('tiny:1b', KeepAlive('0'), "What's {x}?")
    """
    asked = Arguments()
    reader = _Reader(line)
    seen: set[str] = set()
    for option, value in reader.options():
        if option in seen and option not in _REPEATABLE:
            raise ValueError(f"{option} is given twice. Give it once.")
        seen.add(option)
        _SET[option](asked, expanded(value))
    if "--structure" in seen and (other := next((o for o in _OF_THE_DRIVERS if o in seen), None)):
        raise ValueError(f"{other} means nothing with --structure: its own drivers say that.")
    if cell is not None and reader.rest:
        raise ValueError(
            f"{reader.rest.split()[0]!r} is no option. The cell's text is the prompt, and a model "
            "is given by --model NAME."
        )
    # IPython ends a cell's text with a line end of its own
    asked.prompt = reader.rest if cell is None else cell.removesuffix("\n")
    return asked


class _Reader:
    """Takes the options from the front of a line. What is left is ``rest``."""

    def __init__(self, line: str) -> None:
        self.rest = line.lstrip()

    def options(self) -> Iterator[tuple[str, str]]:
        """Each option, and its value."""
        while re.match(r"-[-A-Za-z]", self.rest):
            word = self._word()
            if word == "--":
                return
            option, has_value, value = word.partition("=")
            if option not in OPTIONS:
                raise ValueError(_no_option(option))
            takes = OPTIONS[option]
            if has_value and not takes:
                raise ValueError(f"{option} takes no value.")
            if takes and not has_value:
                if not self.rest:
                    raise ValueError(f"{option} wants a value: {option} {takes}.")
                value = self._word()
            yield option, value

    def _word(self) -> str:
        """The next word, without its quotes; it ends with a space that is in none."""
        text = ""
        while self.rest and not self.rest[0].isspace():
            part = _PART.match(self.rest)
            if part is None:
                raise ValueError(f"The quotation mark of {self.rest[:20]!r} is not closed.")
            double, single, bare = part.groups()
            text += bare or single or re.sub(r'\\(["\\])', r"\1", double or "")
            self.rest = self.rest[part.end() :]
        self.rest = self.rest.lstrip()
        return text


def _no_option(word: str) -> str:
    near = difflib.get_close_matches(word.replace("_", "-"), OPTIONS, n=1, cutoff=0.6)
    short = [name for name in OPTIONS if name.startswith(f"-{word}")] if len(word) == 2 else []
    meant = (near or short or [""])[0]
    hint = f" Did you mean {meant}?" if meant else ""
    return f"There is no option {word}.{hint} {_HELP}"


# --- the values ----------------------------------------------------------------------------------


def _think(asked: Arguments, text: str) -> None:
    word = {"true": "on", "yes": "on", "false": "off", "no": "off"}.get(text.lower(), text.lower())
    if word not in THINKS:
        raise ValueError(f"--think is {text!r}. Give {', '.join(THINKS)}.")
    asked.think = THINKS[word]


def _option(asked: Arguments, text: str) -> None:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise ValueError(
            f"--option is {text!r}. Give it as NAME=VALUE, such as --option num_predict=50."
        )
    try:
        asked.options[name] = json.loads(value)
    except ValueError:
        asked.options[name] = value


def _timeout(asked: Arguments, text: str) -> None:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f"--timeout is {text!r}. Give seconds, such as --timeout 30.")
    asked.timeout_s = seconds


def _name(asked: Arguments, text: str) -> None:
    if not text.isidentifier() or keyword.iskeyword(text):
        raise ValueError(f"--as is {text!r}, which is no name for a variable.")
    asked.name = text


def _keep_alive(asked: Arguments, text: str) -> None:
    asked.keep_alive = KeepAlive(text)


def _flag(name: str, value: bool) -> Callable[[Arguments, str], None]:
    return lambda asked, _: setattr(asked, name, value)


def _text(name: str) -> Callable[[Arguments, str], None]:
    return lambda asked, text: setattr(asked, name, text)


_SET: Mapping[str, Callable[[Arguments, str], None]] = {
    "--model": _text("model"),
    "--keep-alive": _keep_alive,
    "--server": _text("server"),
    "--think": _think,
    "--option": _option,
    "--rules": lambda asked, text: asked.rules.append(text),
    "--tools": lambda asked, text: asked.tools.extend(text.split(",")),
    "--structure": _text("structure"),
    "--hold": _flag("hold", True),
    "--no-hold": _flag("hold", False),
    "--timeout": _timeout,
    "--as": _name,
}
