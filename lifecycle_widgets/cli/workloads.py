"""What `replay` and `advise` have in common: their file, their numbers, what they print."""

from __future__ import annotations

import re
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence

from lifecycle_widgets.watch.written.output import leave_unread

RELOAD_S = 5.0
"""What a reload is taken for where nobody says it, in seconds; it scales the waiting alone."""

_MOST = 1e12  # of seconds, or of GB: what is more is no measurement
_BELOW_0 = re.compile(r"-(\d.*|\.\d.*|inf|infinity|nan)", re.IGNORECASE)


def spared(words: Sequence[str]) -> list[str]:
    """The same words; those below 0 are kept from argparse, which takes -inf for an option.

    Examples
    --------
    >>> spared(["--t-star", "-inf", "30"])
    ['--t-star', ' -inf', '30']
    """
    return [f" {word}" if _BELOW_0.fullmatch(word) else word for word in words]


def number(text: str, name: str) -> float:
    """What somebody typed, as a number. Raises ValueError in one sentence."""
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}: give a number.") from None


def above_0(text: str, name: str) -> float:
    """The same, and above 0. Raises ValueError in one sentence.

    Examples
    --------
    >>> above_0("0", "--reload-s")
    Traceback (most recent call last):
    ValueError: --reload-s is 0: give a number above 0.
    """
    value = number(text, name)
    if not 0 < value < _MOST:
        raise ValueError(f"{name} is {text.strip()}: give a number above 0.")
    return value


def add_workload(parser: ArgumentParser) -> None:
    """The arguments that say which workload is meant."""
    parser.add_argument(
        "file",
        nargs="?",
        metavar="FILE",
        help="CSV (also .gz) or Parquet of stream,start_s,service_s, JSON lines of times, "
        "llama-swap's activity database, an Ollama server's log, or the history's export; - is "
        "standard input (default: your history)",
    )
    parser.add_argument("--model", metavar="NAME", help="only this model, or stream")
    parser.add_argument("--server", metavar="ADDRESS", help="of which server, if it has several")
    parser.add_argument("--json", action="store_true", help="as JSON, for programs")


_IN_CODE = {
    "reload_s=": "--reload-s",
    "held_bytes=": "--held-gb",
    "server=": "--server",
    "today=": "--today",
    "most_reloads_per_hour": "--max-reloads-per-hour",
}


def typed(words: str) -> str:
    """What is said of a parameter, for those who type it.

    Examples
    --------
    >>> typed("Say which one is meant, with server=.")
    'Say which one is meant, with --server.'
    """
    for name, option in _IN_CODE.items():
        words = words.replace(name, option)
    return words


def told(command: Callable[[], int]) -> int:
    """The command's exit status; a fault is said, and that a reader goes away is none."""
    from lifecycle_widgets.history import HistoryError

    try:
        status = command()
        sys.stdout.flush()
        return status
    except BrokenPipeError:
        leave_unread(sys.stdout)
        return 0
    except (ValueError, HistoryError) as fault:
        print(f"lifecycle-lab: {typed(str(fault))}", file=sys.stderr)
        return 1
