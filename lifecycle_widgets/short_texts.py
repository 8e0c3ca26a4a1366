"""Somebody else's words, made short enough for a sentence or a cell of ours."""

from __future__ import annotations


def shortened(text: str, most: int) -> str:
    """The text, or its beginning with a mark that there is more.

    Parameters
    ----------
    most:
        How many characters it may have, with that mark.

    Examples
    --------
    >>> shortened("Hello.", 6), shortened("Hello, world.", 6)
    ('Hello.', 'Hello…')
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def one_line(words: str, most: int) -> str:
    """The words in one line, shortened; without lone surrogates, which no message can carry.

    Examples
    --------
    >>> one_line(" not\\n  found ", 60)
    'not found'
    """
    return shortened(" ".join(words.encode("utf-8", "replace").decode().split()), most)
