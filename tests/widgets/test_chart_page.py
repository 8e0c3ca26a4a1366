"""The chart's page in a real browser: pan, zoom, point, click, save; beside it the kernel's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lifecycle_widgets import KeepAlive, ResourceChart, Run, Runner, RunTable, Sample, Step, Timings
from lifecycle_widgets.monitor import OTHERS, OURS, Request
from lifecycle_widgets.server import Resident
from tests.chart_page import open_chart
from tests.fed_monitor import NOON, FedMonitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser
ONE, WICKED = "smollm2:135m", "<b id=x>wicked</b>"


def sample(t_s: float) -> Sample:
    """Two models are in memory from 10 s on."""
    held = [(ONE, 283_000_000), (WICKED, 50_000_000)] if t_s >= 10 else []
    left = NOON + timedelta(seconds=600)
    return Sample(
        at=NOON + timedelta(seconds=t_s),
        t_s=t_s,
        ram_used_bytes=5_000_000_000,
        ram_total_bytes=24_000_000_000,
        cpu_fraction=(t_s % 7) / 10,
        runners=tuple(Runner(i, size, name, name) for i, (name, size) in enumerate(held)),
        gpus=(),
        residents=tuple(Resident(name, size, 0, left, 4096, name) for name, size in held),
    )


def request(model: str, begin_s: float, end_s: float, whose: str = OURS, **more: Any) -> Request:
    at, ended = (NOON + timedelta(seconds=s) for s in (begin_s, end_s))
    witnesses = ("own",) if whose == OURS else ("deadline", "runner")
    return Request(model, at, ended, begin_s, end_s, whose, witnesses, **more)


def run(begin_s: float, total_s: float) -> Run:
    at = NOON + timedelta(seconds=begin_s)
    steps = (Step(0.0, Timings(total_s), model=ONE),)
    return Run(ONE, KeepAlive(60), "Hi", "Hello", at, Timings(total_s), steps)


@dataclass
class Shown:
    """A chart of two minutes, and the page that shows it."""

    chart: ResourceChart
    monitor: FedMonitor
    page: Page
    fed_s: float = 120.0
    told: int = 0  # of the kernel's messages, to the page
    heard: int = 0  # of the page's, to the kernel

    def pass_on(self) -> None:
        """Carry the messages to and fro until there are no more."""
        plot = self.chart._plot
        while True:
            custom = plot.comm.custom()[self.told :]
            self.told += len(custom)
            for _, content in custom:
                self.page.evaluate("(message) => say(message)", content)
            self.page.evaluate("new Promise((go) => requestAnimationFrame(go))")
            said = self.page.evaluate("sent")[self.heard :]
            self.heard += len(said)
            for content in said:
                plot._handle_custom_msg(content, [])
            if not custom and not said:
                return

    def go_on(self, seconds: float = 5.0) -> None:
        """More data arrive."""
        for _ in range(int(seconds / 0.5)):
            self.fed_s += 0.5
            self.chart._last_s = -1.0
            self.monitor.feed(sample(self.fed_s))
        self.pass_on()

    @property
    def ticks(self) -> list[str]:
        texts = self.page.locator(".lw-axes text").all_text_contents()
        return [text for text in texts if text.count(":") == 2]

    @property
    def corner(self) -> tuple[float, float]:
        box = self.page.locator("svg").bounding_box()
        assert box is not None
        return box["x"], box["y"]

    def bar(self, number: int) -> tuple[float, float]:
        """The middle of the first rectangle of one look, on the page."""
        path = self.page.locator(".lw-request").nth(number).get_attribute("d") or ""
        x0, y0, x1, y1 = (float(n) for n in re.findall(r"[\d.]+", path)[:4])
        left, top = self.corner
        return left + (x0 + x1) / 2, top + (y0 + y1) / 2

    def drag(self, pixels: float) -> None:
        left, top = self.corner
        mouse = self.page.mouse
        mouse.move(left + 400, top + 140)
        mouse.down()
        mouse.move(left + 400 + pixels, top + 145, steps=6)
        mouse.up()
        self.pass_on()


@pytest.fixture
def shown(browser: Browser, recorded: None) -> Iterator[Shown]:
    monitor = FedMonitor()
    monitor.asked = [
        request(ONE, 30, 40, load_s=2.0, prompt_eval_s=1.0, eval_s=6.0, output_tokens=90),
        request(ONE, 60, 70, OTHERS, begin_within_s=0.5),
    ]
    for i in range(241):
        monitor.feed(sample(0.5 * i))
    chart = ResourceChart(monitor, window_s=120)
    page = browser.new_page(viewport={"width": 900, "height": 700})
    open_chart(page, chart._plot.get_state()["_picture"])
    made = Shown(chart, monitor, page)
    made.told = len(chart._plot.comm.custom())
    made.pass_on()
    yield made
    page.close()
    chart.close()


def test_what_is_drawn_is_what_the_kernel_has(shown: Shown) -> None:
    for _ in range(3):
        shown.go_on()
    kernel = shown.chart._plot.get_state()["_picture"]
    page = shown.page.evaluate("state._picture")
    assert page == kernel
    assert shown.page.locator(".lw-lines path").count() >= 4
    assert "leaves in" in " ".join(shown.page.locator(".lw-texts text").all_text_contents())
    # a change that does not fit is asked for as a whole
    shown.page.evaluate("say({ change: { number: 99 }, after: 77 })")
    assert shown.page.evaluate("sent.at(-1)") == {"wants": "picture"}


def test_a_view_holds_while_data_arrive_until_back_to_live(shown: Shown) -> None:
    before = shown.ticks
    shown.go_on(20)
    assert shown.ticks != before  # it follows
    shown.drag(200)
    held = shown.ticks
    assert shown.chart.view is not None
    assert "held; live goes on" in shown.page.locator(".lw-axes").text_content()
    shown.go_on(20)
    assert shown.ticks == held
    times = shown.page.evaluate("state._picture.traces.cpu.x")
    assert times[-1] - times[0] > 60  # of the stretch that is held
    left, top = shown.corner
    shown.page.mouse.dblclick(left + 400, top + 140)
    shown.pass_on()
    assert shown.chart.view is None
    shown.go_on()
    assert shown.ticks != held


def test_the_wheel_is_the_pages_until_the_chart_was_clicked(shown: Shown) -> None:
    left, top = shown.corner
    shown.page.mouse.move(left + 400, top + 140)
    shown.page.mouse.wheel(0, -400)
    shown.pass_on()
    assert shown.chart.view is None
    shown.page.mouse.click(left + 400, top + 140)
    shown.page.mouse.wheel(0, -400)
    shown.page.wait_for_timeout(100)
    shown.pass_on()
    start, end = shown.chart.view
    assert 30 < (end - start).total_seconds() < 100
    shown.page.keyboard.press("Escape")
    shown.pass_on()
    assert shown.chart.view is None


def test_pointing_tells_all_and_names_are_text(shown: Shown) -> None:
    shown.page.mouse.move(*shown.bar(0))
    said = shown.page.locator(".lw-tip").inner_text()
    assert f"{ONE}: ours" in said
    assert "load 2.00 s, prompt eval 1.00 s, eval 6.00 s" in said
    assert "output 90 tokens" in said
    left, top = shown.corner
    shown.page.mouse.move(left + 400, top + 140)
    said = shown.page.locator(".lw-tip").inner_text()
    assert "RAM used 5.00 GB" in said
    assert WICKED in said
    assert shown.page.locator("#x").count() == 0


def test_others_requests_are_told_apart_by_more_than_colour(shown: Shown) -> None:
    fills = [p.get_attribute("fill") for p in shown.page.locator(".lw-request").all()]
    assert sum(str(fill).startswith("url(#") for fill in fills) == 1
    assert len(fills) == 5  # load, prompt eval, eval and the rest of ours; the other's
    pattern = next(str(fill)[5:-1] for fill in fills if str(fill).startswith("url(#"))
    assert shown.page.locator(f"pattern#{pattern} rect").count() == 1


def test_a_click_selects_the_run_and_a_selected_run_is_marked(shown: Shown, shut: Any) -> None:
    mine, other, earlier = run(30.03, 10.0), run(90.0, 5.0), run(-400, 8.0)
    table = shut(RunTable([mine, other, earlier], chart=shown.chart))
    shown.page.mouse.click(*shown.bar(0))
    shown.pass_on()
    assert table.selected == (mine,)
    assert shown.page.locator(".lw-marked").count() == 1
    assert shown.chart.view is None  # it was in view
    table.selected = (other,)
    shown.pass_on()
    assert shown.page.locator(".lw-marked").count() == 0  # no request of it is known
    table.selected = (earlier,)
    start, end = shown.chart.view
    assert start <= earlier.started_at < end
    table.selected = ()
    shown.chart.go_live()
    shown.pass_on()
    shown.page.mouse.click(*shown.bar(4))  # another client's
    shown.pass_on()
    assert shown.chart.clicked.whose == OTHERS
    assert table.selected == ()


def test_what_is_shown_can_be_saved(shown: Shown, tmp_path: Path) -> None:
    files = {}
    for choice in ("SVG", "PNG", "CSV", "CSV of requests"):
        with shown.page.expect_download() as download:
            shown.chart._tools._export.value = choice
            shown.pass_on()
        name = download.value.suggested_filename
        assert name.startswith("ollama-127.0.0.1-9-2026-03-02-12")
        download.value.save_as(tmp_path / choice)
        files[choice] = tmp_path / choice
    svg = files["SVG"].read_text()
    assert svg.startswith("<svg")
    assert 'fill="#ffffff"' in svg
    assert "smollm2:135m" in svg
    assert files["PNG"].read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    head, *rows = files["CSV"].read_text().splitlines()
    assert head.startswith("at,ram_used_bytes,cpu_fraction")
    assert len(rows) > 150
    assert files["CSV of requests"].read_text().count("\n") == 3
