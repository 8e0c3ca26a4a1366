"""As a person without JupyterLab: Notebook 7 and Voila show the lab, and everything in it works."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.browser.front_ends import FrontEnd, front_end, run_all
from tests.browser.test_lab import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1"),
]


@pytest.fixture(scope="module", params=["notebook", "voila"])
def lab(
    request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FrontEnd]:
    """Instead of JupyterLab."""
    pytest.importorskip(request.param, reason=f"needs {request.param} from PyPI")
    with front_end(request.param, tmp_path_factory.mktemp(request.param)) as started:
        yield started


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_lab_and_an_experiment(
    lab: FrontEnd, browser: Browser, server: Server, pictures: Path, theme: str
) -> None:
    page = lab.open(browser, dark=theme == "dark")
    if lab.name == "notebook":
        run_all(page)
    page.locator(".lw-lab .lw-plot .lw-lines path").first.wait_for(timeout=90_000, state="attached")
    ask(page)
    expect(page.locator(".lw-chart")).to_contain_text("leaves in", timeout=20_000)
    measure(page)
    for name in ("lab", "experiment"):
        shown = page.locator(f".lw-{name}").first
        shown.scroll_into_view_if_needed()
        shown.screenshot(path=pictures / f"{lab.name}-{name}-{theme}.png")
    assert page.get_by_text("Error displaying widget").count() == 0
    assert lab.faults == []


def ask(page: Page) -> None:
    """Run is pressed, and the answer comes piece by piece."""
    agent = page.locator(".lw-lab .lw-agent")
    field = agent.locator(".lw-prompt textarea")
    field.fill("Describe a lighthouse in five sentences.")
    field.blur()
    agent.get_by_role("button", name="Run").click()
    lengths: set[int] = set()

    def grows() -> bool:
        lengths.add(len(agent.locator(".lw-stream").text_content() or ""))
        return len(lengths) > 5

    until(grows)
    agent.locator(".lw-now .lw-split").wait_for(timeout=90_000)


def measure(page: Page) -> None:
    """Run is pressed, and there are a verdict, a figure and a table."""
    panel = page.locator(".lw-experiment")
    expect(panel.locator(".lw-plan")).to_contain_text("smollm2:135m")
    panel.get_by_role("button", name="Run").click()
    consent = panel.locator("button.lw-consent")
    expect(panel.locator(".lw-verdict").or_(consent.filter(visible=True)).first).to_be_visible(
        timeout=120_000
    )
    if consent.is_visible():
        consent.click()
    expect(panel.locator(".lw-verdict")).to_be_visible(timeout=120_000)
    panel.locator(".js-plotly-plot .main-svg").first.wait_for()
    page.wait_for_timeout(1000)  # the figure takes its width
