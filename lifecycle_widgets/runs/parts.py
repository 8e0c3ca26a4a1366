"""Parts: where the time of a run went, in parts that add up to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lifecycle_widgets.runs.phases import (
    EMBEDDINGS,
    EVAL,
    LOAD,
    NOT_TOLD,
    PROMPT_EVAL,
    TOOLS,
    Phase,
    phases_of,
)
from lifecycle_widgets.runs.step import Step

REST = "griptape and network"
_IF_ANY = (EMBEDDINGS, NOT_TOLD)  # parts that are there when there is something in them


def parts_of(steps: Iterable[Step], total_s: float) -> dict[str, float]:
    """Seconds by part, in this order; they add up to the total.

    Where several things go on at once (branches of a workflow, or tools beside the request of
    another branch), each has an equal share of that time; a request that a tool makes has all of
    its own, and the tool the rest. Embeddings are a part of their own, and so is what the server
    does not tell of a request (it was stopped, or the server is not Ollama): "not told".

    What is left, "griptape and network", is the time in which none of these went on. It is never
    below 0: where the server's numbers are longer than the run itself, the parts exceed it, and
    `exceeds_s` says by how much.

    Examples
    --------
    >>> from lifecycle_widgets.runs.timings import Timings
    >>> told = Timings(2.5, load_s=1.0, prompt_eval_s=0.5, eval_s=0.75)
    >>> parts_of([Step(0.0, told, tools_s=0.5)], 3.5)
    {'load': 1.0, 'prompt eval': 0.5, 'eval': 0.75, 'tools': 0.5, 'griptape and network': 0.75}
    >>> parts_of([Step(0.0, told), Step(0.0, told)], 2.5)["load"]  # beside each other
    1.0
    """
    phases = [phase for step in steps for phase in phases_of(step)]
    parts = dict.fromkeys((LOAD, PROMPT_EVAL, EVAL, TOOLS, *_IF_ANY), 0.0)
    for phase in phases:
        parts[phase.name] += phase.seconds
    for seconds, going in _shared(phases):
        counted = [phase for phase in going if not _gives_way(phase, going)]
        for phase in going:
            share = 1 / len(counted) if phase in counted else 0.0
            parts[phase.name] -= seconds * (1 - share)
    parts = {n: max(0.0, s) for n, s in parts.items() if s > 0 or n not in _IF_ANY}
    parts[REST] = max(0.0, total_s - sum(parts.values()))
    return parts


def exceeds_s(parts: dict[str, float], total_s: float) -> float:
    """By how much the parts exceed the total; 0 when they do not, or by less than clocks differ."""
    more_s = sum(parts.values()) - total_s
    return more_s if more_s > 0.01 + 0.01 * total_s else 0.0


def _shared(phases: Sequence[Phase]) -> Iterator[tuple[float, tuple[Phase, ...]]]:
    """Each stretch of time in which several phases go on: its seconds, and they."""
    real = [phase for phase in phases if phase.start_s < phase.end_s]
    edges = sorted(
        [(p.start_s, True, i) for i, p in enumerate(real)]
        + [(p.end_s, False, i) for i, p in enumerate(real)]
    )
    going: dict[int, Phase] = {}
    since_s = 0.0
    for at_s, begins, number in edges:
        if len(going) > 1 and at_s > since_s:
            yield at_s - since_s, tuple(going.values())
        since_s = at_s
        if begins:
            going[number] = real[number]
        else:
            del going[number]


def _gives_way(phase: Phase, going: Iterable[Phase]) -> bool:
    """Whether it is tools, and one of them waits for a request that it has made.

    The requests of a task come one after another. So one that is sent while its tools run is sent
    by them, and so is one that no task has sent.
    """
    return phase.name == TOOLS and any(
        other.name != TOOLS and other.task in (phase.task, "") for other in going
    )
