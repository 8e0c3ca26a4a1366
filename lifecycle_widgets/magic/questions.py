"""A question behind ``%agent`` stays one: for IPython, ``blue?`` at its end asks for help."""

from __future__ import annotations

import re

_QUESTION = re.compile(r"(\s*%agent\s.*\S\?)(\s*)", re.DOTALL)


def questions_stay(lines: list[str]) -> list[str]:
    """A cell's lines as IPython can take them; the text of a cell magic is left alone.

    Examples
    --------
    >>> questions_stay(["%agent Why is the sky blue?\\n"])
    ['%agent Why is the sky blue? \\n']
    >>> questions_stay(["%agent?\\n"]), questions_stay(["%%agent\\n", "%agent Why?\\n"])
    (['%agent?\\n'], ['%%agent\\n', '%agent Why?\\n'])
    """
    if lines and lines[0].startswith("%%"):
        return lines
    return [_QUESTION.sub(r"\1 \2", line) if _QUESTION.fullmatch(line) else line for line in lines]
