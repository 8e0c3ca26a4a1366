"""make figures: run the notebooks and draw the picture of each, as a reader on GitHub sees it.

    python -m tests.figures [00 01 ...]

The picture of a notebook is one of the plotly figures among its outputs when it runs from top to
bottom on the private sandbox, drawn by `png_of` into ``notebooks/pictures``. A lesson takes one to
three minutes, all of them about a quarter of an hour; one that fails is named at the end, and the
others are made all the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server
from lifecycle_widgets.widgets.still.picture import png_of

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
WIDTH_PX = 760  # 16 pixels high are the letters then, and 11.5 where the page is 550 wide
LIMIT_S = 900
PLOTLY = "application/vnd.plotly.v1+json"
# which of a notebook's figures it is, from the top; elsewhere it is the last one
CHOSEN = {"03_one_model_in_a_row": 0, "04_watch_and_tune": 0}


def main(wanted: list[str]) -> int:
    """Make the pictures of those lessons; returns how many could not be made."""
    (NOTEBOOKS / "pictures").mkdir(exist_ok=True)
    failed = []
    server = Server.sandbox()  # it ends with this process
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {
            "OLLAMA_HOST": server.url,
            SANDBOX_URL_VARIABLE: server.url,
            "LIFECYCLE_WIDGETS_HISTORY": str(Path(folder) / "history.sqlite"),  # not one's own
        }
        for lesson in LESSONS:
            if wanted and lesson.name[:2] not in wanted:
                continue
            began_s = time.monotonic()
            try:
                said = drawn(lesson)
            except (LookupError, ValueError, subprocess.SubprocessError) as fault:
                failed.append(lesson.stem)
                said = f"NOT made: {fault}"
            print(f"{lesson.stem}: {said} ({time.monotonic() - began_s:.0f} s)", flush=True)
    if failed:
        print(f"Not made, the picture there was is kept: {', '.join(failed)}")
    return len(failed)


def drawn(lesson: Path) -> str:
    """Make the picture of a lesson; what was made, in words."""
    figures = executed(lesson)
    if not figures:
        raise LookupError("none of its outputs is a plotly figure.")
    made = png_of(figures[CHOSEN.get(lesson.stem, -1)], WIDTH_PX)
    (NOTEBOOKS / "pictures" / f"{lesson.stem}.png").write_bytes(made)
    return f"{len(made) / 1000:.0f} kB"


def executed(notebook: Path) -> list[dict[str, Any]]:
    """The plotly figures among the outputs of a notebook, from top to bottom.

    A cell that ends in an error ends the lesson: what it says is in the fault.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute"]
        command += ["--log-level=ERROR", "--output-dir", folder, str(notebook)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
        if done.returncode:
            raise ValueError(f"the lesson failed: {done.stderr.strip()[-2000:]}")
        cells = json.loads((Path(folder) / notebook.name).read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return [o["data"][PLOTLY] for o in outputs if PLOTLY in o.get("data", ())]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
