"""glossary: some terms, or all of them, as a value that shows itself in a notebook."""

from __future__ import annotations

import difflib
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lifecycle_widgets.terms.known import GLOSSARY, term_of, terms_of
from lifecycle_widgets.terms.term import Term

if TYPE_CHECKING:
    import pandas as pd

_HEADS = ("term", "also", "what it means", "unit", "from")


@dataclass(frozen=True, repr=False)
class Glossary(Sequence[Term]):
    """Terms, each with what it means. A sequence; shows itself as a table.

    Examples
    --------
    >>> print(glossary("warm"))
    warm: The model is in memory when the request comes: no load. From: a word of the field.
    """

    terms: tuple[Term, ...]

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each term."""
        import pandas as pd  # here: a glossary needs none

        return pd.DataFrame([_row(term) for term in self.terms], columns=list(_HEADS))

    def __len__(self) -> int:
        return len(self.terms)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # as a tuple's
        return self.terms[place]

    def __iter__(self) -> Iterator[Term]:
        return iter(self.terms)

    def __repr__(self) -> str:
        return "\n".join(map(str, self.terms))

    def _repr_html_(self) -> str:
        head = "".join(_cell("th", name, ' scope="col"') for name in _HEADS)
        body = "".join(_row_html(term) for term in self.terms)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    def _repr_markdown_(self) -> str:
        lines = [f"| {' | '.join(_HEADS)} |", "|---" * len(_HEADS) + "|"]
        lines += [f"| {' | '.join(map(_in_markdown, _row(term)))} |" for term in self.terms]
        return "\n".join(lines)


def glossary(*words: str) -> Glossary:
    """What words mean: those that are given, in any of their forms, or all that there are.

    Parameters
    ----------
    words:
        Such as ``"TTFT"``, or the column of a table, such as ``"ttft_s"``.

    Raises
    ------
    LookupError
        For a word that is not in it; says which ones are like it.

    Examples
    --------
    >>> glossary("ttft_s")[0].name
    'TTFT'
    >>> glossary("bootstrp")
    Traceback (most recent call last):
    LookupError: The glossary has no 'bootstrp'. Did you mean bootstrap? All of it: lw.glossary().
    """
    for word in words:
        if term_of(word) is None:
            raise LookupError(
                f"The glossary has no {word!r}.{_like(word)} All of it: lw.glossary()."
            )
    return Glossary(terms_of(words) if words else tuple(GLOSSARY.values()))


def _like(word: str) -> str:
    known = {other.casefold(): term.name for term in GLOSSARY.values() for other in term.words}
    close = dict.fromkeys(
        known[c] for c in difflib.get_close_matches(word.casefold(), known, 2, 0.8)
    )
    return f" Did you mean {' or '.join(close)}?" if close else ""


def _row(term: Term) -> tuple[str, ...]:
    return (term.name, ", ".join(term.forms), term.meaning, term.unit, term.source)


def _row_html(term: Term) -> str:
    name, *rest = _row(term)
    cells = _cell("th", name, ' scope="row"') + "".join(_cell("td", text) for text in rest)
    return f"<tr>{cells}</tr>"


def _cell(tag: str, text: str, more: str = "") -> str:
    return f'<{tag}{more} style="text-align:left">{html.escape(text)}</{tag}>'


def _in_markdown(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|!" else c for c in text)
