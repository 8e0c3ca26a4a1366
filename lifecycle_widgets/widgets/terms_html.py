"""What the words of a table and of a verdict mean, from the glossary, as HTML."""

from __future__ import annotations

from collections.abc import Iterable

from lifecycle_widgets.terms import how_to_read, terms_of, tip
from lifecycle_widgets.widgets.formats import escaped


def titled(name: str) -> str:
    """The attribute by which a column's head says what it means; empty for an unknown one.

    Examples
    --------
    >>> titled("loads")[:32]
    " title='To bring a model into me"
    >>> titled("model")
    ''
    """
    said = tip(name)
    return f" title='{escaped(said)}'" if said else ""


def meanings_html(names: Iterable[str]) -> str:
    """What the columns mean, folded away: who has no mouse, or a small screen, has no tooltips.

    Examples
    --------
    >>> meanings_html(["TTFT, s", "model"]).count("<dt>")
    1
    """
    said = "".join(
        f"<dt>{escaped(name)}</dt><dd>{escaped(tip(name))}</dd>"
        for name in dict.fromkeys(names)
        if terms_of([name])
    )
    if not said:
        return ""
    head = "<summary>What the columns mean</summary>"
    return f"<details class='lw-meanings'>{head}<dl>{said}</dl></details>"


def reading_html(text: str) -> str:
    """How to read the interval in a text; empty when there is none."""
    said = how_to_read(text)
    return f"<p class='lw-muted lw-reading'>{escaped(said)}</p>" if said else ""
