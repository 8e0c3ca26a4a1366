"""The chart's page without a JupyterLab: its JavaScript on a stand-in for the widgets' model."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.widgets.chart.plot.plot import Plot
from lifecycle_widgets.widgets.style import static

if TYPE_CHECKING:
    from playwright.sync_api import Page

_OPEN = """
async ([url, picture, width]) => {
  const listeners = {};
  window.sent = [];
  window.state = { _picture: picture };
  const model = {
    get: (name) => state[name],
    set: (name, value) => (state[name] = value),
    on: (name, f) => (listeners[name] ??= new Set()).add(f),
    off: (name, f) => listeners[name]?.delete(f),
    send: (message) => sent.push(message),
  };
  const widget = (await import(url)).default();
  window.say = (message) => listeners["msg:custom"].forEach((f) => f(structuredClone(message)));
  widget.initialize({ model });
  document.body.className = "lw lw-chart";
  const el = document.body.appendChild(document.createElement("div"));
  el.style.width = `${width}px`;
  widget.render({ model, el });
  await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
}
"""


def open_chart(page: Page, picture: dict[str, Any], width: int = 760) -> None:
    """Show a picture, so many pixels wide, with the package's style.

    In the page ``say(message)`` is then the kernel's word, ``sent`` what the page has told, and
    ``state`` the model's.
    """
    page.add_style_tag(content=static("lab.css"))
    source = base64.b64encode(Plot._esm.encode()).decode()
    page.evaluate(_OPEN, [f"data:text/javascript;base64,{source}", picture, width])
