"""How claims show themselves: as text, as HTML, as Markdown."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

from lifecycle_widgets.facts.claims.claim import (
    DEPENDS,
    FALSE,
    NOT_MEASURED,
    TRUE,
    Claim,
    Verdict,
)

_HEADS = ("people say", "verdict", "what was seen", "what is true", "where it is measured")
_MARKS = {TRUE: "✓", FALSE: "✗", DEPENDS: "≈", NOT_MEASURED: "–"}  # beside the word, never alone


def verdict_text(verdict: Verdict) -> str:
    """The verdict's word, and whether it is of this machine."""
    here = " here" if verdict.is_measured and verdict.word in (TRUE, FALSE) else ""
    return f"{_MARKS[verdict.word]} {verdict.word}{here}"


def where_text(claim: Claim) -> str:
    """The lesson and its cell."""
    return f"lesson {claim.lesson_number}, cell {claim.cell}"


def claims_text(where: str, claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> str:
    """For a terminal: each claim, and below it the verdict and what is true."""
    return "\n".join([f"What people say about keep_alive ({where})", *_lines(claims, verdicts)])


def _lines(claims: Iterable[Claim], verdicts: Iterable[Verdict]) -> Iterator[str]:
    for claim, verdict in zip(claims, verdicts, strict=True):
        yield f'\n"{claim.words}"' + (f" ({claim.said_in})" if claim.said_in else "")
        yield f"  {verdict_text(verdict)}: {verdict.because}"
        yield f"  What is true: {claim.truth} ({where_text(claim)})"


def claims_html(where: str, claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> str:
    """A table; everything escaped."""
    head = "".join(f'<th scope="col" style="text-align:left">{name}</th>' for name in _HEADS)
    body = "".join(
        "<tr>" + "".join(_cell(cell, tag) for cell, tag in _cells(claim, verdict)) + "</tr>"
        for claim, verdict in zip(claims, verdicts, strict=True)
    )
    caption = f"What people say about keep_alive ({html.escape(where)})"
    return (
        f'<table><caption style="text-align:left">{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cells(claim: Claim, verdict: Verdict) -> Iterator[tuple[str, str]]:
    said = f"{claim.words}\nSaid in: {claim.said_in}" if claim.said_in else claim.words
    yield said, 'th scope="row"'
    yield verdict_text(verdict), "td"
    yield verdict.because, "td"
    yield claim.truth, "td"
    yield where_text(claim), "td"


def _cell(text: str, tag: str) -> str:
    first, _, rest = text.partition("\n")
    small = f"<br><small>{html.escape(rest)}</small>" if rest else ""
    style = "text-align:left;vertical-align:top;white-space:normal;font-weight:normal"
    return f'<{tag} style="{style}">{html.escape(first)}{small}</{tag.split()[0]}>'


def claims_markdown(where: str, claims: Sequence[Claim], verdicts: Sequence[Verdict]) -> str:
    """A table of Markdown."""
    lines = [f"What people say about keep_alive ({_escaped(where)})", ""]
    lines += [f"| {' | '.join(_HEADS)} |", "|---" * len(_HEADS) + "|"]
    for claim, verdict in zip(claims, verdicts, strict=True):
        cells = (_escaped(text).replace("\n", "<br>") for text, _ in _cells(claim, verdict))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|!" else c for c in text)
