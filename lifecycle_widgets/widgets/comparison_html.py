"""Two runs compared, in words and numbers, as HTML."""

from __future__ import annotations

from lifecycle_widgets.experiments import compare_runs
from lifecycle_widgets.runs import Run
from lifecycle_widgets.widgets.formats import escaped, seconds_text
from lifecycle_widgets.widgets.frame_html import frame_html

_CAUTION = (
    "One run each proves little: two runs of the same kind can differ as much. Repeat both, or use "
    "an experiment, such as ColdAndWarm, which repeats and gives intervals."
)


def comparison_html(first: Run, second: Run, numbers: tuple[int, int]) -> str:
    """Words and a table; everything that is not ours is escaped.

    Parameters
    ----------
    numbers:
        What the two runs are called in the table, such as (1, 4).
    """
    names = [f"run {number}" for number in numbers]
    frame = compare_runs(first, second).rename(
        columns={"first": names[0], "second": names[1], "difference": "difference"}
    )
    lacking = [n for n in ("think", "thinking_s", "error") if frame.loc[n, names].isna().all()]
    if "thinking_s" in lacking:  # then the first text is the first token
        lacking.append("first_text_s")
    frame = frame.drop(index=lacking)
    words = comparison_words(first, second, numbers)
    return (
        f'<div class="lw-comparison"><p>{escaped(words)}</p>'
        f"{frame_html(frame, index=True)}"
        f'<p class="lw-muted">{escaped(_CAUTION)}</p></div>'
    )


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
    heat = {True: "was resident", False: "was not resident", None: "not known if resident"}
    model = f"{run.model}, keep_alive {run.keep_alive}, {heat[run.was_resident]}"
    if run.timings.thinking_s is not None:
        model += f", thought for {seconds_text(run.timings.thinking_s)}"
    return model + (", failed" if run.error else ", stopped" if run.stopped else "")


def _more(difference_s: float) -> str:
    return f"{seconds_text(abs(difference_s))} {'more' if difference_s > 0 else 'less'}"
