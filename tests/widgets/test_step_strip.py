"""The strip of steps: a row for each request, what it was, and where it lies on the run's clock."""

from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Step, Timings, ToolCall
from lifecycle_widgets.widgets.step_strip import step_strip_html

SMALL, LARGE = "smollm2:135m", "smollm2:135m-f16"
CALL = Timings(
    1.5, 1.4, load_s=1.0, prompt_eval_s=0.2, eval_s=0.25, prompt_tokens=258, output_tokens=20
)
TEXT = Timings(0.5, 0.1, load_s=0.001, prompt_eval_s=0.1, eval_s=0.3, prompt_tokens=1_310)
CLOCK = ToolCall("Clock_now", {"values": {"zone": "utc"}})
FAILED = ToolCall("Weather_now", {"city": "Paris"}, "ValueError: no weather")


def run(*steps: Step, total_s: float = 4.0, **more: Any) -> Run:
    asked = SMALL, KeepAlive(0), "p", "x", datetime.now().astimezone()
    return Run(*asked, Timings(total_s), steps, **more)


LOOP = run(
    Step(0.1, CALL, tool_calls=(CLOCK, FAILED), tools_s=1.4, loaded=True),
    Step(3.1, TEXT, "It is\n noon.", loaded=False),
)


def rows(page: str) -> list[dict[str, str]]:
    """What each row says, by the heads of the columns."""
    head, *bodies = re.split("<tbody>", page)
    names = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', head)[1:]
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", body)[: len(names)] for body in bodies]
    return [
        {n: re.sub("<[^>]*>", " ", c).strip() for n, c in zip(names, row, strict=True)}
        for row in cells
    ]


def test_a_tool_loop_step_by_step() -> None:
    called, said = rows(step_strip_html(LOOP))
    calls = "called Clock_now(zone &quot;utc&quot;), Weather_now(city &quot;Paris&quot;)"
    assert called == {
        "step": f"{calls}  ⚠ Weather_now raised ValueError: no weather",
        "memory": "loaded", "TTFT": "1.40 s", "total": "1.50 s", "tokens": "258 → 20",
        "tools": "1.40 s",
    }  # fmt: skip
    assert said == {
        "step": "It is noon.", "memory": "warm", "TTFT": "0.10 s", "total": "0.50 s",
        "tokens": "1,310 → –", "tools": "–",
    }  # fmt: skip


def test_each_has_its_place_on_the_clock() -> None:
    page = step_strip_html(LOOP)
    first, second = re.findall(r'<div class="lw-clock".*?</div>', page)
    assert spans(first) == [
        ("lw-waits", 2.5, 37.5), ("lw-load", 2.5, 25), ("lw-prompt-eval", 27.5, 5),
        ("lw-eval", 32.5, 6.25), ("lw-tools", 40, 35),
    ]  # fmt: skip
    assert spans(second)[0] == ("lw-waits", 77.5, 12.5)
    spoken = "0.10 s to 3.00 s: load 1.00 s, prompt eval 0.20 s, eval 0.25 s, tools 1.40 s"
    assert f'role="img" aria-label="{spoken}"' in first
    assert '<table aria-label="2 requests in 4.00 s">' in page


def spans(bar: str) -> list[tuple[str, float, float]]:
    found = re.findall(r'<span class="([\w-]+)" style="left:([\d.]+)%;width:([\d.]+)%">', bar)
    return [(css, float(left), float(width)) for css, left, width in found]


def test_tasks_and_models_have_columns_where_there_are_several() -> None:
    steps = (
        Step(0.0, CALL, "A draft", task="draft", model=SMALL, loaded=True),
        Step(1.6, Timings(0.2), task="review", model="all-minilm", kind="embed"),
        Step(2.0, CALL, "", "Hm", task="review", model=LARGE),
        Step(3.5, Timings(0.5), task="review", model=LARGE),
    )
    told = rows(step_strip_html(run(*steps)))
    assert [row["task"] for row in told] == ["draft", *["review"] * 3]
    assert [row["model"] for row in told] == [SMALL, "all-minilm", LARGE, LARGE]
    assert [row["step"] for row in told] == ["A draft", "embedding", "only thought", "no text"]
    assert [row["memory"] for row in told] == ["loaded", "–", "–", "–"]
    assert told[1]["tokens"] == told[3]["TTFT"] == "–"
    assert "tools" not in told[0]
    assert "lw-embeddings" in step_strip_html(run(*steps))


@pytest.mark.parametrize("steps", [(), (Step(0.0, TEXT, "x"),)])
def test_nothing_for_one_request_without_tools(steps: tuple[Step, ...]) -> None:
    assert step_strip_html(run(*steps)) == ""
    assert step_strip_html(run(Step(0.0, CALL, tool_calls=(CLOCK,))))


def test_of_many_the_first_are_shown() -> None:
    many = [Step(n / 10, Timings(0.1), f"text {n} " + "x" * 999) for n in range(42)]
    page = step_strip_html(run(*many, total_s=4.2))
    assert len(rows(page)) == 30
    assert '<div class="lw-muted">and 12 more</div>' in page
    assert len(page) < 40_000
    assert "more</div>" not in step_strip_html(run(*many[:30]))


class Tags(HTMLParser):
    """The names of a page's tags."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One begins."""
        self.seen.add(tag)


def test_what_is_not_ours_is_escaped() -> None:
    hostile = '"><img src=x onerror=alert(1)>\n<b>'
    call = ToolCall(hostile, {hostile: hostile}, hostile)
    steps = (
        Step(0.0, CALL, hostile, task=hostile, model=hostile),
        Step(1.5, CALL, tool_calls=(call,), tools_s=0.1, task="b"),
    )
    page = step_strip_html(run(*steps))
    reader = Tags()
    reader.feed(page)
    assert reader.seen == {"div", "table", "thead", "tbody", "tr", "th", "td", "span"}
    assert "&lt;img" in page


def test_times_that_cannot_be() -> None:
    """Longer than the run, or than there is a number for: it is drawn all the same."""
    late = run(Step(3.0, CALL, "x"), Step(5.0, CALL, "y"), total_s=4.0)
    assert all(left + width <= 100.01 for _, left, width in spans(step_strip_html(late)))
    never = Timings(float("nan"), load_s=float("inf"))
    assert step_strip_html(run(Step(0.0, never), Step(0.0, Timings(0.0)), total_s=0.0))
