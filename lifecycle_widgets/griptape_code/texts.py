"""Values written in Python: what is read back is what was there, whatever is in it."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any


def python_text(value: Any) -> str:
    """A plain value as Python has it, with double quotes where they need no backslash.

    Raises
    ------
    ValueError
        For what is not made of texts, numbers, truth values, None, lists and mappings.

    Examples
    --------
    >>> print(python_text("smollm2:135m"), python_text({"stop": ['"', "\\n"], "seed": 1}))
    "smollm2:135m" {"stop": ['"', "\\n"], "seed": 1}
    """
    if isinstance(value, str):
        return _quoted(str.__str__(value))
    if value is None or isinstance(value, bool):
        return repr(value)
    if isinstance(value, Integral):
        return repr(int(value))
    if isinstance(value, Real) and float("-inf") < float(value) < float("inf"):
        return repr(float(value))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(python_text, value))}]"
    if isinstance(value, Mapping):
        pairs = (f"{python_text(name)}: {python_text(one)}" for name, one in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise ValueError(f"{value!r} cannot be written as code. Give a text, a number or a list.")


def long_text(text: str) -> str:
    """A text of several lines, a line each; joined by Python it is the same text.

    Examples
    --------
    >>> print(long_text("Translate:\\nGood morning."))
    (
        "Translate:\\n"
        "Good morning."
    )
    """
    lines = text.split("\n")
    if len(lines) == 1:
        return _quoted(text)
    whole = [f"{line}\n" for line in lines[:-1]] + [lines[-1]] * bool(lines[-1])
    return "(\n" + "".join(f"    {_quoted(line)}\n" for line in whole) + ")"


def _quoted(text: str) -> str:
    """``repr`` escapes all that is not printable; of the quotes it prefers the single ones."""
    written = repr(text)
    plain = written[0] == "'" and '"' not in text and "'" not in text
    return f'"{written[1:-1]}"' if plain else written
