"""What a reader should know of a run that did not fail, in sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lifecycle_widgets.runs.parts import exceeds_s
from lifecycle_widgets.runs.texts import about_text, host_name, seconds_text

if TYPE_CHECKING:
    from lifecycle_widgets.runs.run import Run

_MOST_CONTEXTS = 10  # boundedNumPredict of llm/llama_server.go: also where num_predict is -1


def note_of(run: Run) -> str | None:
    """The sentences; None when there is nothing to say."""
    if run.error is not None:
        return None
    return " ".join(_sentences(run)) or None


def _sentences(run: Run) -> Iterator[str]:
    said = (_why_empty(run), _not_seen(run), _cut_off(run), _too_long(run), _where(run))
    return (sentence for sentence in said if sentence)


def _why_empty(run: Run) -> str | None:
    if run.answer.strip() or run.stopped:
        return None
    if run.thinking and run.timings.done_reason == "length":
        return "It only thought: raise num_predict or set think=False."
    if run.thinking:
        return "It only thought, and then gave no answer: run it again, or set think=False."
    return "There was no text."


def _cut_off(run: Run) -> str | None:
    """Why the answer did not end by itself."""
    last = run.steps[-1].timings if run.steps else run.timings
    if last.done_reason != "length" or _why_empty(run):
        return None
    output, most = last.output_tokens, run.options.get("num_predict")
    if output is None:
        return "The answer was cut off: num_predict was reached, or the context was full."
    if isinstance(most, int) and 0 < most <= output:
        return f"The answer was cut off at num_predict ({most:,} tokens)."
    why = "num_predict was reached, or the context was full"
    if (context := run.context_length) is not None:
        if output >= _MOST_CONTEXTS * context:
            why = "ten times the context, where Ollama ends any answer"
        elif abs((last.prompt_tokens or 0) + output - context) <= 1:
            why = f"the context ({context:,} tokens) was full"
    return f"The answer was cut off after {output:,} tokens: {why}."


def _not_seen(run: Run) -> str | None:
    """That the model did not see the whole prompt; of the request that lacked most."""
    cut = [(s.whole_prompt_tokens, s) for s in run.steps if s.whole_prompt_tokens is not None]
    if not cut:
        return None
    whole, step = max(cut, key=lambda one: one[0] - (one[1].timings.prompt_tokens or 0))
    return (
        f"The model saw {step.timings.prompt_tokens or 0:,} of about {about_text(whole)} tokens: "
        "raise num_ctx, or shorten the prompt."
    )


def _too_long(run: Run) -> str | None:
    more_s = exceeds_s(run.parts, run.timings.total_s)
    if not more_s:
        return None
    return (
        f"What the server tells of its times is {seconds_text(more_s)} longer than the run itself: "
        "its numbers are not right."
    )


def _where(run: Run) -> str | None:
    if run.remote_host is None:
        return None
    return (
        f"It ran on {host_name(run.remote_host)}: the prompt left the server's machine, and "
        "keep_alive means nothing there."
    )
