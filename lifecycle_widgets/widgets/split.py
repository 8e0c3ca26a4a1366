"""Where the time of a run went, as HTML: a bar of load, prompt eval and eval, and the numbers."""

from __future__ import annotations

from lifecycle_widgets.runs import Run, Timings, host_name
from lifecycle_widgets.widgets.formats import escaped, seconds_text


def split_html(run: Run) -> str:
    """The split of one run; everything that is not ours is escaped."""
    return (
        f'<div class="lw-split"><div class="lw-caption">{escaped(_caption(run))}</div>'
        f"{_bar(run.timings)}{_numbers(run.timings)}</div>"
    )


def _caption(run: Run) -> str:
    heat = {True: " · warm: it was in memory", False: " · cold: it was not in memory"}
    kept = f"{run.model} · keep_alive {run.keep_alive}"
    if run.think is not None:
        kept += f" · think {str(run.think).lower()}"
    if run.remote_host is not None:
        return f"{kept} · it ran on {host_name(run.remote_host)}"
    return kept + ("" if run.was_resident is None else heat[run.was_resident])


def _phases(timings: Timings) -> list[tuple[str, str, float | None]]:
    """CSS class, name, seconds."""
    return [
        ("lw-load", "load", timings.load_s),
        ("lw-prompt-eval", "prompt eval", timings.prompt_eval_s),
        ("lw-eval", "eval", timings.eval_s),
    ]


def _bar(timings: Timings) -> str:
    known = [(css, name, s) for css, name, s in _phases(timings) if s]
    if not known:
        why = "Where the time went is told at the end of an answer; this one did not reach it."
        if timings.done_reason is not None:
            why = "This server does not tell where the time went."
        return f'<div class="lw-muted">{why}</div>'
    spoken = ", ".join(f"{name} {seconds_text(s)}" for _, name, s in known)
    parts = "".join(
        f'<span class="{css}" style="flex-grow:{s:.6f}" title="{name} {seconds_text(s)}"></span>'
        for css, name, s in known
    )
    return f'<div class="lw-bar" role="img" aria-label="{spoken}">{parts}</div>'


def _numbers(timings: Timings) -> str:
    rate = timings.tokens_per_s
    plain = [
        ("TTFT", _time(timings.ttft_s)),
        ("thinking", _time(timings.thinking_s)),
        ("first text", _time(timings.first_text_s) if timings.thinking_s is not None else None),
        ("total", seconds_text(timings.total_s)),
        ("prompt tokens", _count(timings.prompt_tokens)),
        ("output tokens", _count(timings.output_tokens)),
        ("tokens/s", f"{rate:.1f}" if rate is not None else None),
    ]
    cells = [
        (f'<i class="lw-swatch {css}"></i>{name}', seconds_text(s))
        for css, name, s in _phases(timings)
        if s is not None
    ] + [(name, value) for name, value in plain if value is not None]
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in cells)
    return f'<dl class="lw-numbers">{items}</dl>'


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else seconds_text(seconds)


def _count(tokens: int | None) -> str | None:
    return None if tokens is None else str(tokens)
