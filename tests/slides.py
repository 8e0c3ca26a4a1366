"""The lessons as slides: ``python -m tests.slides`` marks their cells; it may be run again.

A heading of the first or second order begins a slide; a smaller heading, and a text without one,
begins a slide below it; a solution comes at a key press; code stays with the text before it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

LESSONS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def slide_type(cell: dict[str, Any]) -> str | None:
    """What the cell begins; None: it stays where the one before it is."""
    first = "".join(cell["source"]).lstrip().split("\n", 1)[0]
    if "solution" in cell["metadata"].get("tags", ()):
        return "fragment"
    if cell["cell_type"] != "markdown":
        return None
    return "slide" if first.startswith(("# ", "## ")) else "subslide"


def mark(path: Path) -> bool:
    """Write it down in the notebook; whether anything had to be changed."""
    before = path.read_text(encoding="utf-8")
    notebook = json.loads(before)
    for cell in notebook["cells"]:
        cell["metadata"].pop("slideshow", None)
        if kind := slide_type(cell):
            cell["metadata"]["slideshow"] = {"slide_type": kind}
    after = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
    path.write_text(after, encoding="utf-8")
    return after != before


if __name__ == "__main__":
    for path in map(Path, sys.argv[1:]) if sys.argv[1:] else LESSONS:
        print(f"{path.name}: {'marked' if mark(path) else 'as it was'}")
