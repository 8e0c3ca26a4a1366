"""Sheet: what a widget says of itself on paper, as HTML that needs no style and as plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.widgets.formats import escaped

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

MOST_ROWS = 50
_MOST_CHARACTERS = 4_000  # of one text: a notebook with what it says should stay small
_SIDE = {"i": "right", "u": "right", "f": "right"}  # of a column, by the kind of its values
_GAP = "  "  # between the columns of a table of plain text


@dataclass(frozen=True)
class Drawing:
    """A picture that is drawn when it is sent: of what, in words, and what it depends on."""

    figure: Callable[[], go.Figure]
    about: str
    key: object


class Sheet:
    """Takes what is to be said, piece by piece; all of it is escaped.

    Examples
    --------
    >>> sheet = Sheet()
    >>> sheet.say("1 < 2")
    >>> sheet.html, sheet.text
    ('<p>1 &lt; 2</p>', '1 < 2')
    """

    def __init__(self) -> None:
        self._html: list[str] = []
        self._text: list[str] = []
        self.drawing: Drawing | None = None

    @property
    def html(self) -> str:
        """All of it as HTML, without classes and styles."""
        return "\n".join(self._html)

    @property
    def text(self) -> str:
        """All of it as plain text."""
        return "\n".join(self._text)

    def head(self, text: str) -> None:
        """A line that what follows stands under; an empty one is left out."""
        self._add(f"<p><b>{escaped(text)}</b></p>", text, text)

    def say(self, text: str) -> None:
        """A paragraph; an empty one is left out."""
        text = _cut(text)
        self._add(f"<p>{_lines(text)}</p>", text, text)

    def quote(self, text: str) -> None:
        """Somebody's own text, with its lines; an empty one is left out."""
        text = _cut(text.strip())
        indented = "\n".join(f"  {line}" for line in text.splitlines())
        self._add(f"<blockquote>{_lines(text)}</blockquote>", indented, text)

    def code(self, text: str) -> None:
        """Code, with its lines and spaces; none is left out."""
        text = _cut(text)
        self._add(f"<pre><code>{escaped(text)}</code></pre>", text, text)

    def items(self, texts: Iterable[str]) -> None:
        """A list; what is empty in it is left out."""
        kept = [_cut(text) for text in texts if text]
        lines = "".join(f"<li>{_lines(text)}</li>" for text in kept)
        self._add(f"<ul>{lines}</ul>", "\n".join(f"- {text}" for text in kept), "".join(kept))

    def table(
        self,
        frame: pd.DataFrame,
        *,
        index: bool = False,
        rows: str = "rows",
        most: int = MOST_ROWS,
        is_last: bool = False,
    ) -> None:
        """A table; of a long one the first rows (or the last), and it says of how many.

        Parameters
        ----------
        rows:
            What its rows are, in the plural, for that sentence.
        """
        from lifecycle_widgets.widgets.frame_html import value_text  # a code block needs no pandas

        if not len(frame.columns) or not len(frame):
            return
        shown = frame.tail(most) if is_last else frame.head(most)
        names = [str(frame.index.name or "")] * index + [str(name) for name in frame.columns]
        columns = [shown.index] * index + [shown.iloc[:, i] for i in range(len(shown.columns))]
        texts = ([value_text(value) for value in column] for column in columns)
        cells = list(zip(*texts, strict=True))
        sides = [_SIDE.get(column.dtype.kind, "left") for column in columns]
        self._add(_table_html(names, cells, sides), _table_text(names, cells), "a table")
        if len(shown) < len(frame):
            which = "last" if is_last else "first"
            self.say(f"The {which} {len(shown)} of {len(frame):,} {rows}.")

    def draw(self, figure: Callable[[], go.Figure], about: str, key: object) -> None:
        """A picture, beside all words; of several the first.

        Parameters
        ----------
        figure:
            Makes it. It is called when the picture is drawn, in any thread.
        about:
            What is to be seen, in a sentence.
        key:
            What it depends on: while this is equal the picture is not drawn again.
        """
        self.drawing = self.drawing or Drawing(figure, about, key)

    def _add(self, html: str, text: str, what: str) -> None:
        if what.strip():
            self._html.append(html)
            self._text.append(text)


def _lines(text: str) -> str:
    return escaped(text).replace("\n", "<br>\n")


def _cut(text: str) -> str:
    """Of a very long text the beginning, and how much more there was."""
    left = len(text) - _MOST_CHARACTERS
    return text if left <= 0 else f"{text[:_MOST_CHARACTERS]}… (and {left:,} more characters)"


def _table_html(names: list[str], cells: list[tuple[str, ...]], sides: list[str]) -> str:
    def row(kind: str, texts: Iterable[str]) -> str:
        told = zip(texts, sides, strict=True)
        return "".join(f'<{kind} align="{side}">{escaped(text)}</{kind}>' for text, side in told)

    body = "\n".join(f"<tr>{row('td', texts)}</tr>" for texts in cells)
    head = f"<tr>{row('th', names)}</tr>"
    return f"<table><thead>{head}</thead>\n<tbody>\n{body}\n</tbody></table>"


def _table_text(names: list[str], cells: Sequence[Sequence[str]]) -> str:
    """In columns.

    Examples
    --------
    >>> print(_table_text(["run", "model"], [["1", "a"], ["10", "b"]]))
    run  model
    1    a
    10   b
    """
    rows: list[list[Any]] = [[" ".join(cell.split()) for cell in row] for row in (names, *cells)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(names))]
    return "\n".join(
        _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
