"""As a person: a model thinks, folded; a click opens it; the answer stands below it."""

from __future__ import annotations

import json
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, expect

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import TEMPLATE, VARIABLE
from lifecycle_widgets.server import Server
from tests.browser.conftest import Lab

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SMALL = "smollm2:135m"
THOUGHT = "The user asks why the sky is blue. <b>Short waves</b> are scattered more. One sentence."
TEXT = "Air scatters blue light more than red, so blue comes from everywhere in the sky."


def test_thinking_is_folded_above_the_answer(
    lab: Lab, browser: Browser, tmp_path: Path, pictures: Path
) -> None:
    script, trouble = {"thinking": THOUGHT, "text": TEXT}, tmp_path / "trouble.json"
    trouble.write_text(json.dumps({"script": [script], "token_delay_s": 0.1}))
    with Sandbox(models=[SMALL], runner_env={VARIABLE: str(trouble)}) as box:
        Server(box.url).client.create(model="thinker", from_=SMALL, template=TEMPLATE)
        cell = f"import lifecycle_widgets as lw\nlw.AgentPanel({box.url!r}, model='thinker')"
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
        notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
        nbformat.write(notebook, lab.folder / "thinking.ipynb")
        page = lab.open(browser, "thinking.ipynb", dark=True)
        page.locator(".jp-Notebook .jp-Cell").first.click()
        page.keyboard.press("Shift+Enter")
        panel = page.locator(".lw-agent")
        expect(panel.locator(".lw-think select")).to_have_value("think: its default")
        panel.get_by_role("button", name="Run").click()
        fold, text = panel.locator(".lw-fold summary"), panel.locator(".lw-thoughts")
        expect(fold).to_be_visible(timeout=60_000)
        expect(fold).to_have_text("Thinking…")
        expect(text).not_to_be_visible()
        fold.click()
        expect(text).to_contain_text("<b>Short", timeout=20_000)
        expect(fold).to_contain_text("Thought for", timeout=30_000)
        expect(text).to_be_visible()
        expect(panel.locator(".lw-stream")).to_have_text(TEXT, timeout=30_000)
        expect(panel.locator(".lw-split")).to_contain_text("first text", timeout=30_000)
        panel.screenshot(path=pictures / "thinking.png")
