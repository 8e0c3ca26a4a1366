"""The lines of ours among a model's words, in brackets: whose text it is, tools, what it cost."""

from __future__ import annotations

import re

from lifecycle_widgets.agent import ToolsEnded
from lifecycle_widgets.runs import Run, seconds_text
from lifecycle_widgets.runs.texts import counted


def cost_text(run: Run) -> str:
    """What a run was, what it cost, and what a reader should know of it, in a line.

    Examples
    --------
    >>> from datetime import datetime
    >>> from lifecycle_widgets import KeepAlive, Step, Timings
    >>> times = Timings(2.0, load_s=1.0, prompt_eval_s=0.25, eval_s=0.5, ttft_s=1.26)
    >>> steps = (Step(0.0, times, loaded=True),)
    >>> print(cost_text(Run("tiny:1b", KeepAlive(0), "Hi", "Hello", datetime.now(), times, steps)))
    [tiny:1b, keep_alive 0: 2.00 s (load 1.00 s, prompt eval 0.25 s, eval 0.50 s, \
griptape and network 0.25 s), first token after 1.26 s]
    """
    how = "failed after " if run.error else "stopped after " if run.stopped else ""
    parts = [f"{name} {seconds_text(s)}" for name, s in run.parts.items() if s]
    spent = f"{how}{seconds_text(run.timings.total_s)} ({', '.join(parts)})"
    told = [f"{_models(run)}: {spent}", *_counts(run)]
    return f"[{', '.join(told)}{f'. {run.note}' if run.note else ''}]"


def _models(run: Run) -> str:
    """Which models, and for how long each is kept."""
    chosen = {model: run.keep_alives.get(model, str(run.keep_alive)) for model in run.models}
    if len(set(chosen.values())) == 1:
        return f"{', '.join(chosen)}, keep_alive {run.keep_alive}"
    return ", ".join(f"{model} (keep_alive {kept})" for model, kept in chosen.items())


def _counts(run: Run) -> list[str]:
    t, told = run.timings, []
    if len(run.steps) > 1:
        told.append(counted(len(run.steps), "request"))
        told += [counted(run.loads, "load")] if run.loads is not None else []
    if t.ttft_s is not None:
        told.append(f"first token after {seconds_text(t.ttft_s)}")
    if t.output_tokens is not None:
        told.append(counted(t.output_tokens, "token"))
    if t.tokens_per_s is not None:
        told.append(f"{t.tokens_per_s:.1f} tokens/s")
    return told


def tools_text(event: ToolsEnded) -> str:
    """Which tools ran, for how long, and what they raised.

    Examples
    --------
    >>> from lifecycle_widgets.runs import ToolCall
    >>> tools_text(ToolsEnded("", (ToolCall("Clock_now", {}),), 0.71))
    '[Clock_now: 0.71 s]'
    """
    names = ", ".join(call.name for call in event.calls)
    raised = [f"; {call.name} raised {call.error}" for call in event.calls if call.error]
    return f"[{names}: {seconds_text(event.seconds)}{''.join(raised)}]"


def task_text(task: str, model: str) -> str:
    """Whose text follows; griptape's own id of a task that was given none says nothing.

    Examples
    --------
    >>> task_text("draft", "tiny:1b"), task_text("5f0e2d" + "0" * 26, "tiny:1b")
    ('[draft, tiny:1b]', '[tiny:1b]')
    """
    return f"[{model}]" if re.fullmatch("[0-9a-f]{32}|", task) else f"[{task}, {model}]"
