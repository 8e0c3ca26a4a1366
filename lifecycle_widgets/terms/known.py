"""GLOSSARY: every term by its name, and how a word or a column's title finds its term."""

from __future__ import annotations

import re
from collections.abc import Iterable

from lifecycle_widgets.terms.advice import ADVICE
from lifecycle_widgets.terms.lifecycle import LIFECYCLE
from lifecycle_widgets.terms.measuring import MEASURING
from lifecycle_widgets.terms.memory import MEMORY
from lifecycle_widgets.terms.term import Term
from lifecycle_widgets.terms.times import TIMES

GLOSSARY: dict[str, Term] = {
    term.name: term for term in (*TIMES, *MEMORY, *LIFECYCLE, *MEASURING, *ADVICE)
}
"""Term by name, in the order in which they are shown."""

_UNIT = re.compile(r",?\s+(s|GB|bytes|tokens)$")  # of a column's title, such as "TTFT, s"
# a column's unit, by the end of its name
_UNITS = {"gb_s": "GB x seconds", "per_s": "per second", "_gb": "GB (1e9 bytes)"}
_UNITS |= {"_s": "seconds", "_bytes": "bytes", "_tokens": "tokens", "_length": "tokens"}


def _plain(word: str) -> str:
    """A word as it is looked up: of a column's title the unit goes."""
    return _UNIT.sub("", " ".join(word.split())).casefold()


_BY_WORD = {_plain(word): term for term in GLOSSARY.values() for word in term.words}
_BY_WORD |= {word: GLOSSARY[word] for word in GLOSSARY if word != word.casefold()}


def term_of(word: str) -> Term | None:
    """The term of a word, in any of its forms; None for one that the glossary does not have.

    Examples
    --------
    >>> [term_of(w).name for w in ("time to first token", "ttft_s", "TTFT, s", "Reloads")]
    ['TTFT', 'TTFT', 'TTFT', 'reload']
    >>> term_of("nonsense") is None
    True
    """
    plain = _plain(word)
    return _BY_WORD.get(plain) or _BY_WORD.get(plain.replace(" ", "_"))


def tip(word: str) -> str:
    """What a column's title means and its unit, in one line; empty for one that is not known.

    Examples
    --------
    >>> tip("load_s").rsplit(". ", 1)[1]
    'Unit: seconds.'
    >>> tip("nonsense")
    ''
    """
    term = term_of(word)
    if term is None:
        return ""
    unit = next((told for end, told in _UNITS.items() if word.endswith(end)), "")
    return f"{term.meaning} Unit: {unit}." if unit else term.tip


def terms_of(words: Iterable[str]) -> tuple[Term, ...]:
    """The terms of the words that the glossary has, each once, in the order given.

    Examples
    --------
    >>> [term.name for term in terms_of(["arm", "calls", "load_s", "loads"])]
    ['arm', 'call', 'load']
    """
    found = (term_of(word) for word in words)
    return tuple(dict.fromkeys(term for term in found if term is not None))
