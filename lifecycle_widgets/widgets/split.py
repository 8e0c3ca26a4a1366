"""Where the time of a run went, as HTML: a bar of its parts, and the numbers."""

from __future__ import annotations

from lifecycle_widgets.runs import Run, host_name, options_text
from lifecycle_widgets.runs.parts import REST
from lifecycle_widgets.runs.phases import EMBEDDINGS, EVAL, LOAD, NOT_TOLD, PROMPT_EVAL, TOOLS
from lifecycle_widgets.runs.shown import HELD, keep_alives_text
from lifecycle_widgets.runs.texts import counted
from lifecycle_widgets.widgets.formats import escaped, seconds_text
from lifecycle_widgets.widgets.terms_html import titled

CLASSES = {
    LOAD: "lw-load",
    PROMPT_EVAL: "lw-prompt-eval",
    EVAL: "lw-eval",
    TOOLS: "lw-tools",
    EMBEDDINGS: "lw-embeddings",
    NOT_TOLD: "lw-not-told",
    REST: "lw-rest",
}


def split_html(run: Run) -> str:
    """The split of one run; everything that is not ours is escaped."""
    note = run.note if run.answer.strip() else None  # else it stands where the answer would
    said = f'<div class="lw-said">{escaped(note)}</div>' if note else ""
    return (
        f'<div class="lw-split"><div class="lw-caption">{escaped(_caption(run))}</div>'
        f"{_bar(run)}{_numbers(run)}{said}</div>"
    )


def _caption(run: Run) -> str:
    asked = [", ".join(run.models), f"keep_alive {keep_alives_text(run)}"]
    if run.held:
        asked.append(HELD)
    if run.options:
        asked.append(options_text(run.options))
    if run.think is not None:
        asked.append(f"think {str(run.think).lower()}")
    if run.remote_host is not None:
        return " · ".join([*asked, f"it ran on {host_name(run.remote_host)}"])
    if run.heat is not None:
        asked.append(run.heat if len(run.models) == 1 else f"at first {run.heat}")
    if len(run.steps) > 1:
        loads = "loads not known" if run.loads is None else counted(run.loads, "load")
        asked.append(f"{counted(len(run.steps), 'request')}, {loads}")
    return " · ".join(asked)


def _bar(run: Run) -> str:
    parts = {name: seconds for name, seconds in run.parts.items() if seconds}
    if not {LOAD, PROMPT_EVAL, EVAL, EMBEDDINGS} & set(parts):
        why = "Where the time went is told at the end of an answer; this one did not reach it."
        if run.timings.done_reason is not None:
            why = "This server does not tell where the time went."
        return f'<div class="lw-muted">{why}</div>'
    spoken = ", ".join(f"{name} {seconds_text(s)}" for name, s in parts.items())
    spans = "".join(
        f'<span class="{CLASSES[name]}" style="flex-grow:{100 * s:.6f}" '
        f'title="{name} {seconds_text(s)}"></span>'
        for name, s in parts.items()
    )
    return f'<div class="lw-bar" role="img" aria-label="{spoken}">{spans}</div>'


def _numbers(run: Run) -> str:
    timings, rate = run.timings, run.timings.tokens_per_s
    has_other_firsts = timings.thinking_s is not None or timings.first_text_s != timings.ttft_s
    plain = [
        ("TTFT", _time(timings.ttft_s)),
        ("thinking", _time(timings.thinking_s)),
        ("first text", _time(timings.first_text_s) if has_other_firsts else None),
        ("total", seconds_text(timings.total_s)),
        ("prompt tokens", _count(timings.prompt_tokens)),
        ("cached", _count(timings.cached_tokens)),
        ("output tokens", _count(timings.output_tokens)),
        ("tokens/s", f"{rate:.1f}" if rate is not None else None),
    ]
    cells = [
        (name, f'<i class="lw-swatch {CLASSES[name]}"></i>', seconds_text(s))
        for name, s in _told(run).items()
    ] + [(name, "", value) for name, value in plain if value is not None]
    items = "".join(
        f"<div><dt{titled(name)}>{swatch}{name}</dt><dd>{value}</dd></div>"
        for name, swatch, value in cells
    )
    return f'<dl class="lw-numbers">{items}</dl>'


def _told(run: Run) -> dict[str, float]:
    """The parts that are known, also where one is 0; the tools where there were any."""
    t = run.timings
    told = {LOAD: t.load_s, PROMPT_EVAL: t.prompt_eval_s, EVAL: t.eval_s, TOOLS: t.tools_s or None}
    return {name: s for name, s in run.parts.items() if told.get(name, s) is not None}


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else seconds_text(seconds)


def _count(tokens: int | None) -> str | None:
    return None if tokens is None else str(tokens)
