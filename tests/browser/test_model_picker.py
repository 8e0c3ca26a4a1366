"""As a person with two hundred models: the lab on their server, the model found by typing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Lab, wear
from tests.recorded import SHOW, RecordedServer, Request, model, ollama, resident, tags

pytestmark = [pytest.mark.slow, pytest.mark.browser]
FAMILIES = ("deepseek-r1", "gemma3", "granite3.3", "llama3.2", "mistral", "phi4", "qwen3")
SIZES = ("0.6", "1", "1.5", "3", "4", "7", "8", "12", "14", "24", "27", "32", "70", "110")
CLOUD = "gpt-oss:120b-cloud"


def installed() -> list[dict[str, Any]]:
    """Two hundred models of some families, an embedding model, and one in a cloud."""
    names = [
        (f"{family}:{size}b-{quantization}", quantization)
        for family in FAMILIES
        for size in SIZES
        for quantization in ("q4_K_M", "q8_0")
    ]
    many = [
        model(name, digest=f"{n:064x}", details={"quantization_level": quantization.upper()})
        for n, (name, quantization) in enumerate(names)
    ]
    far = model(CLOUD, size=384, digest="d" * 64, remote_host="https://ollama.com:443")
    same = model("mine:latest", digest=f"{0:064x}")  # another name of the first
    return [*many, model("all-minilm:latest", size=45_960_996, digest="c" * 64), far, same]


def show(request: Request) -> dict[str, Any]:
    """What they can do, by their names."""
    name = str(request.json["model"])
    able = ["embedding"] if "minilm" in name else ["completion"]
    able += ["thinking", "tools"] if name.startswith(("qwen", "deepseek", "gpt-oss")) else []
    return {**SHOW, "modelfile": "", "capabilities": able}


@pytest.fixture
def theirs() -> Iterator[RecordedServer]:
    held = resident("deepseek-r1:0.6b-q4_K_M", digest=f"{0:064x}")
    routes = ollama(tags=tags(*installed()), show=show, ps={"models": [held]})
    with RecordedServer(routes) as server:
        yield server


def opened(lab: Lab, browser: Browser, url: str) -> Page:
    code = f"import lifecycle_widgets as lw\nlab = lw.TuningLab({url!r})\nlab"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / "theirs.ipynb")
    page = lab.open(browser, "theirs.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".lw-lab .lw-plot .lw-lines path").first.wait_for(timeout=60_000, state="attached")
    return page


def rows(page: Page) -> Locator:
    return page.locator("[role=option]:visible")


def test_one_of_two_hundred_is_found_by_typing(
    lab: Lab, browser: Browser, theirs: RecordedServer, pictures: Path
) -> None:
    page = opened(lab, browser, theirs.url)
    field = page.get_by_role("combobox", name="Model")
    expect(field).to_have_value(re.compile("^deepseek-r1:0.6b-q4_K_M · "))

    # by any words of its line, above everything else in the notebook
    field.click()
    expect(rows(page)).to_have_count(199)
    page.keyboard.type("thinking 4b")
    expect(rows(page).first).to_contain_text("deepseek-r1:4b-q4_K_M")
    page.screenshot(path=pictures / "model-picker-light.png")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".lw-agent")).to_contain_text("deepseek-r1:4b-q8_0")
    expect(rows(page)).to_have_count(0)

    # one for embeddings comes back, with the reason
    page.keyboard.type("minilm")
    expect(rows(page)).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator(".lw-lab")).to_contain_text("all-minilm:latest makes embeddings only")
    expect(field).to_have_value(re.compile("^deepseek-r1:4b-q8_0 · "))

    # a cloud model is taken, with what that means
    page.keyboard.type("cloud")
    page.keyboard.press("Enter")
    expect(page.locator(".lw-lab")).to_contain_text("prompts leave it, to ollama.com")

    # two names of one model: what is unloaded is said
    field.click()
    page.keyboard.type("mine")
    page.keyboard.press("Enter")
    unload = page.get_by_role("button", name="Unload now")
    expect(unload).to_be_enabled()
    expect(unload).to_have_attribute(
        "title", "Unload mine:latest (in memory as deepseek-r1:0.6b-q4_K_M)"
    )
    assert not theirs.asked("/api/generate"), "looking touches nobody's model"

    wear(page, "Dark")
    field.click()
    page.keyboard.type("thinking 4b")
    expect(rows(page).first).to_contain_text("deepseek-r1:4b-q4_K_M")
    page.screenshot(path=pictures / "model-picker-dark.png")
