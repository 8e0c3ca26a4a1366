"""As a person: a conversation with an agent, its settings, its code; and it fits on the screen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, Page, expect

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import TEMPLATE, VARIABLE
from lifecycle_widgets.server import Server
from tests.browser.conftest import Lab
from tests.browser.named import everything_has_a_name

pytestmark = [pytest.mark.slow, pytest.mark.browser]
SMALL = "smollm2:135m"
LAPTOP = {"width": 1400, "height": 900}
ANSWERS = (
    {"thinking": "One sentence.", "text": "Air scatters **blue** light most. <img src=x>"},
    {"text": "1. one\n2. two\n\n| a | b |\n|---|--:|\n| x | 1 |\n\n[more](https://example.org)"},
)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """An Ollama whose model gives these answers, one after the other."""
    trouble = tmp_path_factory.mktemp("page") / "trouble.json"
    trouble.write_text(json.dumps({"script": ANSWERS}))
    with Sandbox(models=[SMALL], runner_env={VARIABLE: str(trouble)}) as started:
        Server(started.url).client.create(model="thinker", from_=SMALL, template=TEMPLATE)
        yield started


def opened(lab: Lab, browser: Browser, name: str, code: str) -> Page:
    """A notebook of one cell, which has been run, on a laptop's screen."""
    cell = f"import lifecycle_widgets as lw\nshown = lw.{code}\nshown"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, lab.folder / f"{name}.ipynb")
    page = lab.open(browser, f"{name}.ipynb")
    page.set_viewport_size(LAPTOP)
    page.locator(".jp-Notebook .jp-Cell").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".lw-agent").wait_for(timeout=60_000)
    return page


def end(page: Page) -> None:
    """Wait for the end of the run."""
    expect(page.locator(".lw-agent button", has_text="Stop")).to_be_disabled(timeout=60_000)


def test_a_conversation(lab: Lab, browser: Browser, box: Sandbox, pictures: Path) -> None:
    page = opened(lab, browser, "talk", f"AgentPanel({box.url!r}, model='thinker')")
    panel, prompt = page.locator(".lw-agent"), page.locator(".lw-prompt textarea")
    prompt.fill("Why is the sky blue?")
    prompt.press("Control+Enter")
    expect(panel.locator(".lw-stream strong")).to_have_text("blue", timeout=60_000)
    end(page)
    assert panel.locator("img").count() == 0
    assert prompt.evaluate("e => e.value.slice(e.selectionStart, e.selectionEnd)") == (
        "Why is the sky blue?"
    ), "it stays, and typing replaces it"
    page.keyboard.type("More?")
    prompt.press("Control+Enter")
    expect(panel.locator(".lw-stream td").last).to_have_text("1", timeout=60_000)
    end(page)
    link = panel.locator(".lw-stream a")
    assert (link.get_attribute("target"), link.get_attribute("rel")) == (
        "_blank",
        "noopener noreferrer",
    )
    expect(panel.locator(".lw-question")).to_have_text(["Why is the sky blue?", "More?"])
    expect(panel.locator(".lw-turn .lw-answer strong")).to_have_text("blue")
    talk = page.locator(".lw-talk")
    from_end = "e => e.scrollHeight - e.scrollTop - e.clientHeight"
    page.wait_for_function(f"({from_end})(document.querySelector('.lw-talk')) < 3")
    assert (talk.bounding_box() or {})["height"] < 400, "it scrolls inside"
    talk.locator("summary", has_text="done after").click()
    expect(talk.locator(".lw-turn .lw-bar")).to_be_visible()
    page.screenshot(path=pictures / "conversation.png")

    # the settings are folded, and say what is wrong
    field = page.get_by_label("num_ctx")
    expect(field).not_to_be_visible()
    page.locator(".lw-open-settings").click()
    field.fill("8k")
    field.blur()
    alert = panel.get_by_role("alert")
    expect(alert).to_contain_text("num_ctx is '8k'")
    field.fill("2048")
    field.blur()
    expect(alert).not_to_be_visible()
    expect(panel.get_by_role("status")).to_contain_text("the next run will load it anew")
    expect(panel.locator(".lw-short")).to_have_text("num_ctx 2048")
    page.locator(".lw-open-settings").click()
    expect(field).not_to_be_visible()

    # the code of the last run
    page.locator(".lw-open-code").click()
    expect(panel.locator(".lw-code pre")).to_contain_text("OllamaPromptDriver(")
    expect(panel.locator(".lw-code pre")).to_contain_text("More?")
    page.locator(".lw-agent button", has_text="Clear").click()
    expect(panel.locator(".lw-question")).to_have_count(0)
    expect(panel).to_contain_text("The answer appears here")


def test_the_lab_fits_on_a_laptops_screen(
    lab: Lab, browser: Browser, box: Sandbox, pictures: Path
) -> None:
    code = f"TuningLab({box.url!r}, model='thinker', keep_alive='30s')"
    page = opened(lab, browser, "fits", code)
    page.locator(".lw-lab .lw-plot .lw-lines path").first.wait_for(timeout=60_000, state="attached")
    page.locator(".lw-run").click()
    expect(page.locator(".lw-now .lw-bar")).to_be_visible(timeout=60_000)
    end(page)
    expect(page.locator(".lw-run")).to_be_focused()  # Stop had the focus meanwhile
    everything_has_a_name(page.locator(".lw-lab"), keep_alive="30s")
    page.wait_for_timeout(500)
    notebook = page.locator(".jp-WindowedPanel-outer").first.bounding_box()
    assert notebook is not None
    lowest = min(notebook["y"] + notebook["height"], LAPTOP["height"])
    for part in (".lw-server", ".lw-lab-choices", ".lw-prompt", ".lw-run", ".lw-foot", ".lw-chart"):
        seen = page.locator(part).first.bounding_box()
        assert seen is not None
        assert 0 <= seen["y"] < seen["y"] + seen["height"] <= lowest, part
    talk, chart = (page.locator(p).first.bounding_box() for p in (".lw-talk", ".lw-chart"))
    assert talk is not None
    assert chart is not None
    assert talk["x"] + talk["width"] <= chart["x"], "side by side"
    for part in (".lw-question", ".lw-stream", ".lw-now .lw-split"):
        seen = page.locator(part).first.bounding_box()
        assert seen is not None
        assert talk["y"] <= seen["y"] < seen["y"] + seen["height"] <= talk["y"] + talk["height"]
    page.screenshot(path=pictures / "lab-on-a-laptop.png")
