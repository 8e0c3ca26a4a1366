"""As a person: open the start notebook, run it, press Run, see tokens, see the band end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lifecycle_widgets.server import Server
from tests.browser.conftest import Lab, wear

pytestmark = [pytest.mark.slow, pytest.mark.browser]
MODEL = "smollm2:135m"


def until(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def show_the_lab(page: Page) -> None:
    """Shift+Enter from the top until the lab's cell has run, as the notebook tells the reader."""
    page.locator(".jp-Notebook .jp-Cell").first.click()
    for _ in range(8):
        page.keyboard.press("Shift+Enter")
    page.locator(".lw-lab .lw-agent").wait_for(timeout=30_000)
    page.locator(".lw-lab .lw-plot .lw-lines path").first.wait_for(timeout=60_000, state="attached")


def choose(page: Page, keep_alive: str) -> None:
    page.locator(".lw-lab").get_by_role("button", name=keep_alive, exact=True).click()


def ask(page: Page, prompt: str) -> None:
    field = page.locator(".lw-prompt textarea")
    field.fill(prompt)
    field.blur()
    page.locator(".lw-agent").get_by_role("button", name="Run").click()


def answer(page: Page) -> str:
    return page.locator(".lw-agent .lw-stream").text_content() or ""


def picture(page: Page, path: Path) -> None:
    lab = page.locator(".lw-lab")
    lab.scroll_into_view_if_needed()
    lab.screenshot(path=path)
    assert path.stat().st_size > 20_000


def test_ten_minutes(lab: Lab, browser: Browser, server: Server, pictures: Path) -> None:
    page = lab.open(browser)
    show_the_lab(page)
    assert page.locator("body").get_attribute("data-jp-theme-light") == "true"

    # keep_alive 0: it answers, token by token, and is gone from memory
    choose(page, "0")
    expect(page.locator(".lw-lab")).to_contain_text("as soon as the answer is complete")
    ask(page, "Describe a lighthouse in five sentences.")
    lengths = set()
    until(lambda: lengths.add(len(answer(page))) or len(lengths) > 5)  # type: ignore[func-returns-value]
    page.locator(".lw-agent .lw-now .lw-split").wait_for(timeout=90_000)
    expect(page.locator(".lw-agent .lw-now .lw-split")).to_contain_text("prompt eval")
    until(lambda: server.resident(MODEL) is None, 10)
    expect(page.locator(".lw-chart")).to_contain_text("expired", timeout=10_000)

    # 30 s: the band stays, its end is counted down, and then it leaves by itself
    choose(page, "30s")
    ask(page, "In two sentences: what is a lighthouse for?")
    page.locator(".lw-agent .lw-now .lw-split").wait_for(timeout=90_000)
    expect(page.locator(".lw-chart")).to_contain_text("leaves in", timeout=10_000)
    time.sleep(5)  # enough of the band to be seen in the picture
    for theme in ("Dark", "Light"):
        wear(page, theme)
        picture(page, pictures / f"lab-{theme.lower()}.png")

    # Stop ends a long answer, and the next run works
    ask(page, "Write a very long story about the sea, in twenty chapters.")
    until(lambda: len(answer(page)) > 100)
    page.locator(".lw-agent").get_by_role("button", name="Stop").click()
    expect(page.locator(".lw-agent")).to_contain_text("stopped", timeout=5_000)
    length = len(answer(page))
    time.sleep(1)
    assert len(answer(page)) == length, "text still comes after Stop"

    # a mistake is one message, and nothing runs
    page.locator(".lw-lab").get_by_role("button", name="typed…").click()
    typed = page.locator(".lw-lab").get_by_placeholder("such as 90s")
    typed.fill("1d")
    typed.press("Enter")
    expect(page.get_by_role("alert").first).to_contain_text("Did you mean '24h'?")


@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
def test_run_all_cells(lab: Lab, browser: Browser, server: Server, pictures: Path) -> None:
    """Run > Run All Cells ends without an error, asserts and all; here in the dark."""
    page = lab.open(browser, dark=True)
    assert page.locator("body").get_attribute("data-jp-theme-light") == "false"
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    last = page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt")
    until(
        lambda: (
            last.count() > 0
            and all(text.strip("[]: ").isdigit() for text in last.all_text_contents())
        ),
        120,
    )
    assert page.locator(".jp-RenderedText[data-mime-type*=stderr]").count() == 0
    page.screenshot(path=pictures / "start-notebook.png", full_page=True)
