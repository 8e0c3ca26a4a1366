"""How a still stands in a cell's output: its words, its picture, and where it is not to be seen."""

from __future__ import annotations

import base64
import os
import sys
from datetime import datetime

from lifecycle_widgets.widgets.formats import escaped
from lifecycle_widgets.widgets.still.sheet import Sheet

Bundle = tuple[dict[str, object], dict[str, object]]  # what is shown, by its kind; about each kind

WIDTH_PX = 900

# The still stands in an output after the widget's own. In JupyterLab and Notebook a place without
# the widget has the class of one on itself, with no element in it ("model not found"); one that is
# closed is hidden; a place where it is still coming has neither. A widget that was saved with its
# state is there, but its figures and tables are not, as their code comes from the kernel
# (.lw-instead). Voila's pages are made as nbconvert's are, and know of a kernel.
_IN_LAB = (
    ".jp-OutputArea-child:has(> .lm-Panel.jp-OutputArea-output:not(.jupyter-widgets, "
    ".lm-mod-hidden)):not(:has(.jupyter-widgets-disconnected .lw-instead:not(:empty)))"
)
_IN_VOILA = (
    "body:has(#jupyter-config-data) .jp-OutputArea-child:has(> .jp-OutputArea-output"
    ".jupyter-widgets > :not(script))"
)
_STYLE = f"""\
<style>
{_IN_LAB} + .jp-OutputArea-child:has(.lw-still),
{_IN_LAB} + .jp-OutputArea-child:has(.lw-still-pictured) + .jp-OutputArea-child,
{_IN_VOILA} + .jp-OutputArea-child:has(.lw-still),
{_IN_VOILA} + .jp-OutputArea-child:has(.lw-still-pictured) + .jp-OutputArea-child,
.jp-OutputArea-child:has(+ .jp-OutputArea-child .lw-still):has(> .jp-OutputArea-output\
.jupyter-widgets):not(:has(> .jp-OutputArea-output > :not(script))),
.jp-OutputArea-child:has(+ .jp-OutputArea-child .lw-still):has(> .lm-Panel \
.jupyter-widgets-disconnected .lw-instead:not(:empty)),
body.jp-Notebook:not(:has(#jupyter-config-data)) .jp-OutputArea-child:has(\
+ .jp-OutputArea-child .lw-still):has(> .jupyter-widgets)
{{ display: none; }}
.lw-still table {{ display: block; max-width: 100%; overflow-x: auto; }}
.lw-still.lw-still.lw-still :is(th, td) {{ vertical-align: top; }}
.lw-still.lw-still.lw-still :is(th, td)[align="left"] {{ text-align: left; }}
.lw-still blockquote {{ overflow-wrap: anywhere; }}
</style>
"""


def own(name: str) -> dict[str, str]:
    """Beside the widget itself, for who cannot show one: nothing to see, as the still says it."""
    return {
        "text/html": f"<!-- {escaped(name)}: what it showed last stands in the next output -->",
        "text/plain": name,
    }


def words(name: str, short: str, sheet: Sheet, at: datetime, *, is_pictured: bool) -> Bundle:
    """The words, as HTML and as plain text."""
    title = f"{name}({short})" if short else name
    when = f"as it was on {at:%Y-%m-%d} at {at:%H:%M}. To use it, run the cell again."
    kind = "lw-still lw-still-pictured" if is_pictured else "lw-still"
    html = (
        f'{_STYLE}<div class="{kind}">\n<p><b>{escaped(name)}</b>, {when}</p>\n{sheet.html}\n</div>'
    )
    return {"text/html": html, "text/plain": f"{title}, {when}\n{sheet.text}".rstrip()}, {}


def picture(png: bytes | None, about: str) -> Bundle:
    """The picture; without one an output in which nothing is to be seen, as its place."""
    if png is None:
        return {"text/html": "<!-- the place of a picture -->", "text/plain": ""}, {}
    data: dict[str, object] = {"image/png": png, "text/plain": f"[picture: {about}]"}
    return data, {"image/png": {"alt": about, "width": WIDTH_PX}}


def folded(name: str, short: str, sheet: Sheet, at: datetime, png: bytes | None) -> Bundle:
    """All in one, to be opened by a click: where a style cannot hide it beside the live widget."""
    (data, metadata), about = words(name, short, sheet, at, is_pictured=False), sheet.drawing
    image = ""
    if png is not None and about is not None:
        coded = base64.b64encode(png).decode()
        alt = escaped(about.about)
        image = f'<img alt="{alt}" width="{WIDTH_PX}" src="data:image/png;base64,{coded}">'
    html = str(data["text/html"]).removeprefix(_STYLE)
    summary = f"<summary>{escaped(name)}, as it was at {at:%H:%M}</summary>"
    return {**data, "text/html": f"<details>{summary}\n{html}{image}</details>"}, metadata


def folds() -> bool:
    """Whether this kernel's page is one of those: VS Code's, Colab's."""
    return any(name.startswith("VSCODE_") for name in os.environ) or "google.colab" in sys.modules
