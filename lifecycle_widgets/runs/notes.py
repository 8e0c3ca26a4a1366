"""What a reader should know of a run beside its error, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lifecycle_widgets.runs.parts import exceeds_s
from lifecycle_widgets.runs.step import Step
from lifecycle_widgets.runs.texts import about_text, counted, host_name, seconds_text
from lifecycle_widgets.runs.timings import Timings
from lifecycle_widgets.runs.values import RunValues
from lifecycle_widgets.short_texts import shortened

_MOST_CONTEXTS = 10  # boundedNumPredict of llm/llama_server.go: also where num_predict is -1
_MOST_RAISED = 3  # sentences of what tools raised
_RAISED_LENGTH = 200  # characters of what one raised


def note_of(run: RunValues) -> str | None:
    """The sentences; None when there is nothing to say."""
    of_the_answer = () if run.error is not None else (
        *_why_empty(run), *_not_seen(run), *_cut_off(run), *_too_long(run), *_where(run)
    )  # fmt: skip
    return " ".join((*of_the_answer, *_raised(run), *run.said)) or None


def _why_empty(run: RunValues) -> Iterator[str]:
    if run.answer.strip() or run.stopped:
        return
    if run.thinking and run.timings.done_reason == "length":
        yield "It only thought: raise num_predict or set think=False."
    elif run.thinking:
        yield "It only thought, and then gave no answer: run it again, or set think=False."
    else:
        yield "There was no text."


def _not_seen(run: RunValues) -> Iterator[str]:
    """That a model did not see its whole prompt; of the request of each that lacked most."""
    most: dict[str, tuple[int, str]] = {}
    for step in run.steps:
        if (whole := step.whole_prompt_tokens) is None:
            continue
        seen = step.timings.prompt_tokens or 0
        said = (
            f"The model saw {seen:,} of about {about_text(whole)} tokens: raise num_ctx, or "
            "shorten the prompt."
        )
        most[step.model] = max(most.get(step.model, (-1, "")), (whole - seen, said))
    for model, (_, said) in most.items():
        yield _of(model, said) if len(run.models) > 1 else said


def _cut_off(run: RunValues) -> Iterator[str]:
    """Which answers did not end by themselves: those of the tasks before, and the run's."""
    chats = [step for step in run.steps if step.kind == "chat"]
    of_tasks = [step for step in chats if step.task] or chats  # not what the memory asked
    last = of_tasks[-1] if of_tasks else None
    before = {s.task: s.timings for s in of_tasks if last is not None and s.task != last.task}
    for task, ended in before.items():
        if ended.done_reason == "length":
            tokens = counted(ended.output_tokens or 0, "token")
            yield f"The answer of task {task} was cut off after {tokens}."
    ended = last.timings if last is not None else run.timings
    if ended.done_reason == "length" and (run.answer.strip() or run.stopped):
        yield _why_cut_off(run, ended)
    elif ended.done_reason == "repeats":
        yield (
            "Ollama broke the answer off, as the model repeated itself: raise temperature or "
            "repeat_penalty, or ask otherwise."
        )


def _why_cut_off(run: RunValues, ended: Timings) -> str:
    output, most = ended.output_tokens, run.options.get("num_predict")
    why = "num_predict was reached, or the context was full"
    if output is None:
        return f"The answer was cut off: {why}."
    if isinstance(most, int) and 0 < most <= output:
        return f"The answer was cut off at num_predict ({most:,} tokens)."
    if (context := run.context_length) is not None:
        if output >= _MOST_CONTEXTS * context:
            why = "ten times the context, where Ollama ends any answer"
        elif abs((ended.prompt_tokens or 0) + output - context) <= 1:
            why = f"the context ({context:,} tokens) was full"
    return f"The answer was cut off after {output:,} tokens: {why}."


def _too_long(run: RunValues) -> Iterator[str]:
    if more_s := exceeds_s(run.parts, run.timings.total_s):
        yield (
            f"What the server tells of its times is {seconds_text(more_s)} longer than the run "
            "itself: its numbers are not right."
        )


def _where(run: RunValues) -> Iterator[str]:
    if run.remote_host is not None:
        yield (
            f"It ran on {host_name(run.remote_host)}: the prompt left the server's machine, and "
            "keep_alive means nothing there."
        )


def _raised(run: RunValues) -> Iterator[str]:
    """What tools raised; and that the model was told, where it was asked again."""
    raised, told = Counter[str](), set[str]()
    for number, step in enumerate(run.steps):
        for call in step.tool_calls:
            if call.error is not None:
                said = f"The tool {call.name} raised {_in_short(call.error)}"
                raised[said] += 1
                if _goes_on(step, run.steps[number + 1 :]):
                    told.add(said)
    for said, times in raised.most_common(_MOST_RAISED):
        yield said + ("." if times == 1 else f" ({times} times).")
        if said in told:
            yield "The model was told so."
    if len(raised) > _MOST_RAISED:
        yield "Other calls raised, too."


def _goes_on(step: Step, later: Iterable[Step]) -> bool:
    """Whether its task asked once more when the tools had ended."""
    has_ended = step.tools_s is not None
    return has_ended and any(s.task == step.task and s.start_s >= step.end_s for s in later)


def _in_short(error: str) -> str:
    """What was raised, in a line, without its full stop."""
    return shortened(" ".join(error.split()).rstrip("."), _RAISED_LENGTH)


def _of(model: str, said: str) -> str:
    """A sentence about one of several models."""
    return f"{model}: {said[0].lower()}{said[1:]}"
