"""Two runs compared, in words and numbers, as HTML."""

from __future__ import annotations

import pandas as pd

from lifecycle_widgets.experiments import compare_runs
from lifecycle_widgets.runs import Run, options_text
from lifecycle_widgets.runs.texts import counted
from lifecycle_widgets.widgets.formats import escaped, seconds_text
from lifecycle_widgets.widgets.frame_html import frame_html

_CAUTION = (
    "One run each proves little: two runs of the same kind can differ as much. Repeat both, or use "
    "an experiment, such as ColdAndWarm, which repeats and gives intervals."
)
_IF_ANY = (  # rows that are there when one of the two has something in it
    "options",
    "history_turns",
    "think",
    "tools_s",
    "not_told_s",
    "thinking_s",
    "cached_tokens",
    "error",
)


def comparison_html(first: Run, second: Run, numbers: tuple[int, int]) -> str:
    """Words and a table; everything that is not ours is escaped.

    Parameters
    ----------
    numbers:
        What the two runs are called in the table, such as (1, 4).
    """
    names = [f"run {number}" for number in numbers]
    words = comparison_words(first, second, numbers)
    return (
        f'<div class="lw-comparison"><p>{escaped(words)}</p>{_notes(first, second, names)}'
        f"{frame_html(comparison_frame(first, second, numbers), index=True)}"
        f'<p class="lw-muted">{escaped(_CAUTION)}</p></div>'
    )


def comparison_frame(first: Run, second: Run, numbers: tuple[int, int]) -> pd.DataFrame:
    """`compare_runs` without the rows in which neither run has anything."""
    names = [f"run {number}" for number in numbers]
    frame = compare_runs(first, second).rename(
        columns={"first": names[0], "second": names[1], "difference": "difference"}
    )
    lacking = [name for name in _IF_ANY if not _has(frame.loc[name, names])]
    frame = frame.drop(index=["note", *lacking])  # a note is a sentence, and said as one
    if "thinking_s" not in frame.index and "tools_s" not in frame.index:
        frame = frame.drop(index="first_text_s")  # then it is the first token
    return frame


def _notes(first: Run, second: Run, names: list[str]) -> str:
    said = zip(names, (first.note, second.note), strict=True)
    return "".join(f"<p>{escaped(f'{name.capitalize()}: {n}')}</p>" for name, n in said if n)


def _has(values: pd.Series) -> bool:
    return any(not pd.isna(value) and value not in ("", 0) for value in values)


def comparison_words(first: Run, second: Run, numbers: tuple[int, int]) -> str:
    """What differs between two runs, in a sentence or two."""
    (a, b), one, other = numbers, first.timings, second.timings
    text = f"Run {a} ({_what(first)}) and run {b} ({_what(second)}). "
    if one.ttft_s is None or other.ttft_s is None:
        return text + "At least one of them has no first token, so there is nothing to compare."
    text += (
        f"First token after {seconds_text(one.ttft_s)} and {seconds_text(other.ttft_s)}: "
        f"{_more(other.ttft_s - one.ttft_s)} in run {b}"
    )
    if one.load_s is not None and other.load_s is not None:
        text += f"; the load alone: {_more(other.load_s - one.load_s)}"
    text += f". In all {seconds_text(one.total_s)} and {seconds_text(other.total_s)}"
    if one.output_tokens != other.output_tokens:
        text += ", for answers of different lengths"
    return text + "."


def _what(run: Run) -> str:
    model = f"{run.model}, keep_alive {run.keep_alive}"
    if run.options:
        model += f", {options_text(run.options)}"
    model += f"; {run.heat or 'not known if it was in memory'}"
    if len(run.steps) > 1 and run.loads is not None:
        model += f", {counted(run.loads, 'load')} in {len(run.steps)} requests"
    if run.timings.thinking_s is not None:
        model += f", thought for {seconds_text(run.timings.thinking_s)}"
    return model + (", failed" if run.error else ", stopped" if run.stopped else "")


def _more(difference_s: float) -> str:
    return f"{seconds_text(abs(difference_s))} {'more' if difference_s > 0 else 'less'}"
