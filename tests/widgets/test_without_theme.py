"""Where no JupyterLab's theme is: each word can be read on its ground, on light and dark pages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser

from lifecycle_widgets.widgets.style import STATIC, static

# what ipywidgets brings to such a page, and each front end's own (as their sources have it)
WIDGETS = """:root {
  --jp-ui-font-color1: rgba(0, 0, 0, 0.87); --jp-ui-font-color2: rgba(0, 0, 0, 0.54);
  --jp-layout-color0: white; --jp-layout-color1: white; --jp-layout-color2: #eee;
  --jp-border-color2: #e0e0e0; --jp-brand-color1: #1976d2; }"""
COLAB_DARK = """:root {
  --colab-primary-text-color: #e3e3e3; --colab-primary-surface-color: #383838;
  --colab-secondary-surface-color: #2d2d2d; --colab-border-color: #555;
  --jp-ui-font-color1: var(--colab-primary-text-color);
  --jp-layout-color2: var(--colab-secondary-surface-color); }
  body { background: #383838; }"""
VS_CODE = ".output { background: white !important; } body { background: #1f1f1f; color: #ccc; }"
VS_CODE_BRIDGED = """body { background: #1f1f1f; color: #ccc; } .output {
  --jp-ui-font-color1: #ccc; --jp-ui-font-color2: #ccc;
  --jp-layout-color0: #313131; --jp-layout-color1: #313131; --jp-layout-color2: #313131; }"""
DARK = "html { color-scheme: dark; } body { background: #111; color: #ddd; }"
PAGES = {
    "nothing at all": "",
    "nothing at all, dark": DARK,
    "ipywidgets": WIDGETS,
    "ipywidgets, dark": WIDGETS + DARK,
    "Colab": WIDGETS,
    "Colab, dark": WIDGETS + COLAB_DARK,
    "VS Code, dark": WIDGETS + VS_CODE,
    "VS Code that hands on its colours, dark": WIDGETS + VS_CODE_BRIDGED,
}
BODY = """<div class="output"><div class="lw">
  <p>text</p><p class="lw-muted">quiet</p><div class="lw-message lw-error">error</div>
  <div class="lw-talk lw-begun"><div class="lw-question">asked</div>
    <div class="lw-stream">answer</div><p class="lw-caption">caption</p></div>
  <div class="lw-finding lw-note"><span>finding</span></div>
  <div class="lw-table"><table><tr><th>head</th></tr><tr><td>cell</td></tr></table></div>
</div></div>
<div class="output"><div class="lw lw-code"><button>tab</button><pre>code</pre></div></div>
<div class="output"><div class="lw-stream">alone</div></div>"""
# text and ground as they are painted: a canvas knows every way to write a colour
CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colors) => {
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    const part = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(part);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const measured = {};
  for (const it of document.querySelectorAll("body *")) {
    const text = [...it.childNodes].find((n) => n.nodeType === 3 && n.data.trim());
    if (!text) continue;
    const grounds = [];
    for (let up = it; up; up = up.parentElement)
      grounds.unshift(getComputedStyle(up).backgroundColor);
    const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark");
    grounds.unshift(dark ? "black" : "white");
    const [a, b] = [light([...grounds, getComputedStyle(it).color]), light(grounds)];
    measured[text.data.trim()] = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  }
  return measured;
}"""


def test_what_jupyterlab_defines_has_a_stand_in() -> None:
    for file in STATIC.rglob("*.*s*"):
        alone = re.findall(r"var\(\s*--jp-[\w-]+\s*\)", file.read_text(encoding="utf-8"))
        assert not alone, f"{file.name}: nothing is said for where there is no JupyterLab"


@pytest.mark.browser
def test_each_word_can_be_read(browser: Browser) -> None:
    page = browser.new_page()
    seen = {}
    for name, style in PAGES.items():
        page.set_content(f"<style>{static('lab.css')}</style><style>{style}</style>{BODY}")
        seen[name] = page.evaluate(CONTRAST)
    page.close()
    assert {len(words) for words in seen.values()} == {12}
    faint = {
        (name, word): round(ratio, 2)
        for name, words in seen.items()
        for word, ratio in words.items()
        if ratio < 4.5
    }
    assert not faint, "ratios of text to ground; 4.5 is what people with weak sight need"
