"""How to read what the package prints in short: a median with its interval."""

from __future__ import annotations

import re

HOW_TO_READ = (
    "How to read 2.67 (2.66 to 2.67, n=3): the median of 3 measurements is 2.67, and the true "
    "value very likely lies between 2.66 and 2.67 (95 % bootstrap interval)."
)
_INTERVAL = re.compile(r"(\S+) \((\S+) to (\S+), n=(\d+)\)")


def how_to_read(text: str) -> str:
    """The sentence that explains the first interval in a text; empty when there is none.

    Examples
    --------
    >>> how_to_read("A reload costs 0.93 (0.9 to 1, n=3) s.")[:46]
    'How to read 0.93 (0.9 to 1, n=3): the median o'
    >>> how_to_read("Nothing was measured.")
    ''
    """
    found = _INTERVAL.search(text)
    if found is None:
        return ""
    median, low, high, n = found.groups()
    return (
        f"How to read {found.group()}: the median of {n} measurements is {median}, and the true "
        f"value very likely lies between {low} and {high} (95 % bootstrap interval)."
    )
