"""The page of the widgets: what is on it, and its table written anew.

    python -m tests.gallery

writes the table from the docstring of ``lifecycle_widgets.widgets``. The pictures are taken by
tests/browser/test_gallery.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "lifecycle_widgets" / "widgets" / "README.md"
PICTURES = ROOT / "tests" / "browser" / "pictures" / "gallery"
WITHOUT = ("Style",)  # shows nothing
MOST_BYTES = 60_000
_HEADING = re.compile(r"^### (\w+)$", re.M)
_CODE = re.compile(r"```python\n(.*?)^```", re.M | re.S)
_TABLE = re.compile(r"^\| class \|.*?(?=\n\n)", re.M | re.S)


@dataclass(frozen=True)
class Row:
    """A widget in the table."""

    name: str
    traits: str
    line: str
    picture: str


def rows_of_the_docstring() -> list[list[str]]:
    """Class, core traits, one line: as the package says it."""
    from lifecycle_widgets import widgets

    return cells(widgets.__doc__ or "")


def rows(page: str) -> list[Row]:
    """The page's table."""
    return [Row(*row) for row in cells(_TABLE.search(page)[0])]  # type: ignore[index]


def cells(text: str) -> list[list[str]]:
    """The rows of a table in Markdown, without its head."""
    found = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|") and not line.startswith("|-")
    ]
    return found[1:]


def examples(page: str) -> dict[str, str]:
    """The code under each widget's heading."""
    _, *parts = _HEADING.split(page)
    return {
        name: _CODE.findall(text)[0] for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def setup(page: str) -> str:
    """The code that serves all examples: the first on the page."""
    return str(_CODE.findall(page)[0])


def table() -> str:
    """The page's table, from the docstring."""
    lines = ["| class | core traits | one line | picture |", "|---|---|---|---|"]
    for name, traits, line in rows_of_the_docstring():
        listed = ", ".join(f"`{trait.strip()}`" for trait in traits.split(",") if trait.strip())
        lines.append(f"| [`{name}`](#{name.lower()}) | {listed} | {line} | {picture(name)} |")
    return "\n".join(lines)


def picture(name: str) -> str:
    """How the page shows it."""
    if name in WITHOUT:
        return "nothing to see"
    path = f"../../{PICTURES.relative_to(ROOT).as_posix()}/{name}.png"
    return f'<img src="{path}" alt="{name}" width="360">'


def write_table() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(_TABLE.sub(lambda _: table(), page, count=1), encoding="utf-8")


if __name__ == "__main__":
    write_table()
