"""Parts: where the time of a run went, in parts that add up to the whole."""

from __future__ import annotations

from collections.abc import Iterable

from lifecycle_widgets.runs.step import Step

LOAD, PROMPT_EVAL, EVAL, TOOLS = "load", "prompt eval", "eval", "tools"
NOT_TOLD, REST = "not told", "griptape and network"


def parts_of(steps: Iterable[Step], total_s: float) -> dict[str, float]:
    """Seconds by part, in this order; they add up to the total.

    What the server does not tell of a request (it was stopped, or the server is not Ollama) is
    "not told". What is left, "griptape and network", is never below 0: where the server's numbers
    are longer than the run itself, the parts exceed it, and `exceeds_s` says by how much.

    Examples
    --------
    >>> from lifecycle_widgets.runs.timings import Timings
    >>> told = Timings(2.5, load_s=1.0, prompt_eval_s=0.5, eval_s=0.75)
    >>> parts_of([Step(0.0, told, tools_s=0.5)], 3.5)
    {'load': 1.0, 'prompt eval': 0.5, 'eval': 0.75, 'tools': 0.5, 'griptape and network': 0.75}
    """
    parts = dict.fromkeys((LOAD, PROMPT_EVAL, EVAL, TOOLS, NOT_TOLD), 0.0)
    for step in steps:
        t = step.timings
        told = {LOAD: t.load_s, PROMPT_EVAL: t.prompt_eval_s, EVAL: t.eval_s}
        known = {name: seconds for name, seconds in told.items() if seconds is not None}
        for name, seconds in known.items():
            parts[name] += seconds
        parts[TOOLS] += step.tools_s or 0.0
        if len(known) < len(told):
            parts[NOT_TOLD] += max(0.0, t.total_s - sum(known.values()))
    if not parts[NOT_TOLD]:
        del parts[NOT_TOLD]
    parts[REST] = max(0.0, total_s - sum(parts.values()))
    return parts


def exceeds_s(parts: dict[str, float], total_s: float) -> float:
    """By how much the parts exceed the total; 0 when they do not, or by less than clocks differ."""
    more_s = sum(parts.values()) - total_s
    return more_s if more_s > 0.01 + 0.01 * total_s else 0.0
