"""The strip of steps under an answer: each request of a run, and its place on the run's clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from lifecycle_widgets.runs import Run, Step, ToolCall, options_text
from lifecycle_widgets.runs.phases import phases_of
from lifecycle_widgets.runs.texts import counted
from lifecycle_widgets.short_texts import one_line
from lifecycle_widgets.widgets.formats import escaped, seconds_text
from lifecycle_widgets.widgets.split import CLASSES
from lifecycle_widgets.widgets.terms_html import titled

_MOST_ROWS = 30
_SHOWN = 120  # characters of a text, a call or an error; the cell shows those that have room
_HEAT = {True: "loaded", False: "warm", None: "–"}
_NOTHING = "–"
_brief = partial(one_line, most=_SHOWN)


def step_strip_html(run: Run) -> str:
    """One row for each request, in the order in which they began; of many the first 30.

    Nothing for a run of one request without tools: its split says all that there is.

    Examples
    --------
    >>> from datetime import datetime
    >>> from lifecycle_widgets import KeepAlive, Run, Step, Timings
    >>> asked = "qwen3:4b", KeepAlive(None), "Hi", "Hello", datetime.now()
    >>> steps = Step(0.0, Timings(1.0), "Hel"), Step(1.0, Timings(1.0), "lo")
    >>> step_strip_html(Run(*asked, Timings(2.0), steps)).count("<tbody>")
    2
    """
    if len(run.steps) < 2 and not any(step.tool_calls or step.tools_s for step in run.steps):
        return ""
    steps, columns = run.steps, _columns(run)
    head = "".join(f'<th scope="col"{titled(name)}>{name}</th>' for name in ("", *columns))
    whole_s = max(run.timings.total_s, *(step.end_s for step in steps))
    rows = "".join(
        _row(number, [_cell(name, _value(name, step, run)) for name in columns])
        + _below(len(columns), _clock(step, whole_s))
        for number, step in enumerate(steps[:_MOST_ROWS], 1)
    )
    more = len(steps) - _MOST_ROWS
    rest = f'<div class="lw-muted">and {more} more</div>' if more > 0 else ""
    spoken = f"{counted(len(steps), 'request')} in {seconds_text(whole_s)}"
    return (
        f'<div class="lw-steps"><table aria-label="{spoken}"><thead><tr>{head}</tr></thead>{rows}'
        f"</table>{rest}</div>"
    )


def _row(number: int, cells: list[str]) -> str:
    return f'<tbody><tr><th scope="rowgroup" rowspan="2">{number}</th>{"".join(cells)}</tr>'


def _below(columns: int, clock: str) -> str:
    return f'<tr class="lw-step-clock"><td colspan="{columns}">{clock}</td></tr></tbody>'


# --- the cells ----------------------------------------------------------------------------------


def _columns(run: Run) -> tuple[str, ...]:
    """What is the same for all of them has no column."""
    is_there = {
        "task": len({step.task for step in run.steps}) > 1,
        "model": len(run.models) > 1,
        "tools": any(step.tools_s is not None for step in run.steps),
    }
    names = ("task", "model", "step", "memory", "TTFT", "total", "tokens", "tools")
    return tuple(name for name in names if is_there.get(name, True))


def _value(name: str, step: Step, run: Run) -> str:
    t = step.timings
    if name == "step":
        return _what(step)
    return {
        "task": step.task or _NOTHING,
        "model": step.model or run.model,
        "memory": _HEAT[step.loaded],
        "TTFT": _time(t.ttft_s),
        "total": _time(t.total_s),
        "tokens": _tokens(t.prompt_tokens, t.output_tokens),
        "tools": _time(step.tools_s),
    }[name]


def _cell(name: str, text: str) -> str:
    if name not in ("task", "model", "step"):
        return f"<td>{escaped(text)}</td>"
    shown = "".join(f"<div>{escaped(line)}</div>" for line in text.splitlines())
    return f'<td class="lw-step-{name}" title="{escaped(text)}">{shown}</td>'


def _what(step: Step) -> str:
    """What came, in a line; and one for each call that raised."""
    if step.kind == "embed":
        return "embedding"
    called = ", ".join(map(_call, step.tool_calls))
    texts = [f"called {_brief(called)}"] if called else [_brief(step.text) or _silent(step)]
    return "\n".join([*texts, *_raised(step)])


def _silent(step: Step) -> str:
    return "only thought" if step.thinking else "no text"


def _raised(step: Step) -> Iterator[str]:
    for call in step.tool_calls:
        if call.error is not None:
            yield _brief(f"⚠ {call.name} raised {call.error}")


def _call(call: ToolCall) -> str:
    arguments: Mapping[str, Any] = call.arguments
    values = arguments.get("values")  # griptape asks for all of them under this name
    if isinstance(values, Mapping) and len(arguments) == 1:
        arguments = values
    return f"{call.name}({options_text(arguments)})"


def _time(seconds: float | None) -> str:
    return _NOTHING if seconds is None else seconds_text(seconds)


def _tokens(prompt: int | None, output: int | None) -> str:
    """Of the prompt, and of the answer."""
    if prompt is None and output is None:
        return _NOTHING
    return " → ".join(_NOTHING if n is None else f"{n:,}" for n in (prompt, output))


# --- the clock ----------------------------------------------------------------------------------


def _clock(step: Step, whole_s: float) -> str:
    """A bar as long as the run, with what the step did when."""
    end_s = step.start_s + step.timings.total_s
    spans = [_span("lw-waits", step.start_s, end_s, whole_s)]  # on griptape and the network
    spoken = []
    for phase in phases_of(step):
        if phase.start_s < phase.end_s:
            spans.append(_span(CLASSES[phase.name], phase.start_s, phase.end_s, whole_s))
            spoken.append(f"{phase.name} {seconds_text(phase.seconds)}")
    at = f"{seconds_text(step.start_s)} to {seconds_text(step.end_s)}"
    label = f"{at}: {', '.join(spoken)}" if spoken else at
    said = f'role="img" aria-label="{label}" title="{label}"'
    return f'<div class="lw-clock" {said}>{"".join(spans)}</div>'


def _span(css: str, start_s: float, end_s: float, whole_s: float) -> str:
    left, width = (100 * s / whole_s if whole_s else 0.0 for s in (start_s, end_s - start_s))
    return f'<span class="{css}" style="left:{left:.2f}%;width:{width:.2f}%"></span>'
