"""Phases: what a request and its tools did when, on the run's clock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lifecycle_widgets.runs.step import Step

LOAD, PROMPT_EVAL, EVAL, TOOLS = "load", "prompt eval", "eval", "tools"
EMBEDDINGS, NOT_TOLD = "embeddings", "not told"


class Phase(NamedTuple):
    """One phase of a step.

    ``seconds`` is how long it took as it was told, which can be longer than its place on the clock
    (``start_s`` to ``end_s``, since the run's start): that ends with the request, whatever the
    server says of its times.
    """

    name: str
    task: str
    seconds: float
    start_s: float
    end_s: float


def phases_of(step: Step) -> Iterator[Phase]:
    """The phases of a step, one after another; what they leave of a request is the network's.

    Of an embedding Ollama tells no split, so its time is one phase; what is not told of another
    request (it was stopped, or the server is not Ollama) is one, too, after those that are.

    Examples
    --------
    >>> from lifecycle_widgets.runs.timings import Timings
    >>> told = Timings(2.5, load_s=1.0, prompt_eval_s=0.5, eval_s=0.75)
    >>> [(p.name, p.start_s, p.end_s) for p in phases_of(Step(4.0, told, tools_s=0.5))]
    [('load', 4.0, 5.0), ('prompt eval', 5.0, 5.5), ('eval', 5.5, 6.25), ('tools', 6.5, 7.0)]
    """
    at_s, end_s = step.start_s, step.start_s + step.timings.total_s
    for name, seconds in _lengths(step):
        until_s = min(at_s + seconds, end_s)
        yield Phase(name, step.task, seconds, at_s, until_s)
        at_s = until_s
    if step.tools_s:
        yield Phase(TOOLS, step.task, step.tools_s, end_s, end_s + step.tools_s)


def _lengths(step: Step) -> Iterator[tuple[str, float]]:
    t = step.timings
    told = {LOAD: t.load_s, PROMPT_EVAL: t.prompt_eval_s, EVAL: t.eval_s}
    known = {name: seconds for name, seconds in told.items() if seconds is not None}
    yield from known.items()
    if step.kind == "embed" or len(known) < len(told):
        rest_s = max(0.0, t.total_s - sum(known.values()))
        yield EMBEDDINGS if step.kind == "embed" else NOT_TOLD, rest_s
