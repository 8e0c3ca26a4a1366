"""make figures: run the notebooks and save the picture of each, as a reader on GitHub sees it.

    python -m tests.figures [00 01 ...]

The picture of a notebook is the last plotly figure among its outputs when it runs from top to
bottom on the private sandbox. It is written to ``notebooks/pictures`` by kaleido, which needs
Chromium (or Chrome) on this machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import plotly.io as pio

from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
LESSONS = sorted(NOTEBOOKS.glob("*.ipynb"))
WIDTH_PX, SCALE = 900, 1.5
PLOTLY = "application/vnd.plotly.v1+json"
# which of a notebook's figures it is, from the top; elsewhere there is but one
CHOSEN = {"03_one_model_in_a_row": 0, "04_watch_and_tune": 0}


def main(wanted: list[str]) -> None:
    (NOTEBOOKS / "pictures").mkdir(exist_ok=True)
    server = Server.sandbox()
    os.environ |= {"OLLAMA_HOST": server.url, SANDBOX_URL_VARIABLE: server.url}
    for lesson in LESSONS:
        if not wanted or lesson.name[:2] in wanted:
            figures = executed(lesson)
            picture = NOTEBOOKS / "pictures" / f"{lesson.stem}.png"
            save(figures[CHOSEN.get(lesson.stem, -1)], picture)
            print(f"{picture.name}: {picture.stat().st_size / 1000:.0f} kB", flush=True)


def executed(notebook: Path) -> list[dict[str, Any]]:
    """The plotly figures among the outputs of a notebook, from top to bottom."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute"]
        command += ["--log-level=ERROR", "--output-dir", folder, str(notebook)]
        subprocess.run(command, check=True, timeout=600)
        cells = json.loads((Path(folder) / notebook.name).read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return [o["data"][PLOTLY] for o in outputs if PLOTLY in o.get("data", ())]


def save(figure: dict[str, Any], path: Path) -> None:
    """On white: GitHub shows it on light and dark pages."""
    drawn = go.Figure(data=figure["data"], layout=figure["layout"])
    drawn.update_layout(paper_bgcolor="white", plot_bgcolor="white", font_color="#444")
    height = drawn.layout.height or 400
    pio.write_image(drawn, path, width=WIDTH_PX, height=height, scale=SCALE)


if __name__ == "__main__":
    main(sys.argv[1:])
