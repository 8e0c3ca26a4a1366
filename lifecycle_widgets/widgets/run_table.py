"""RunTable: runs in a table that can be sorted, and two of them compared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import ipywidgets as widgets
import pandas as pd
import traitlets

from lifecycle_widgets.experiments import compare_runs, run_frame
from lifecycle_widgets.runs import Run, counted, options_text
from lifecycle_widgets.widgets.agent_panel import AgentPanel
from lifecycle_widgets.widgets.base import Composite
from lifecycle_widgets.widgets.chart import ResourceChart
from lifecycle_widgets.widgets.chart.link_runs import link_runs
from lifecycle_widgets.widgets.comparison_html import (
    comparison_frame,
    comparison_html,
    comparison_words,
)
from lifecycle_widgets.widgets.formats import clock_text
from lifecycle_widgets.widgets.light_table import LightTable
from lifecycle_widgets.widgets.still.sheet import Sheet
from lifecycle_widgets.widgets.terms_html import meanings_html
from lifecycle_widgets.widgets.tuning_lab import TuningLab

_AT_ONCE = 2  # runs that can be compared
_ERROR_LENGTH = 60  # characters of an error that a row has room for; the frame has all of it
_NARROW = "\N{NARROW NO-BREAK SPACE}"  # a title may break, but not before its unit
_HINT = "No runs yet: they appear here as they end."
_HOW = (
    "Click a column to sort by it. Click two rows to compare them (by keyboard: arrows and Space)."
)
# on a narrow page these columns give way, so that none has to be looked for at the side
_FIRST_TO_GO = {"started", "tokens", "loads", f"eval,{_NARROW}s", f"prompt eval,{_NARROW}s"}
_THEN = {"was resident", "requests", "tokens/s"}
_GONE = '<span class="lw-gone">A narrow page leaves some columns out; .frame has them all.</span>'


class RunTable(Composite):
    """Shows runs in a table that can be sorted by any column, and compares the two selected.

    ``runs`` and ``selected`` can be set and observed.

    Parameters
    ----------
    runs:
        What it starts with.
    panel:
        An `AgentPanel` or a `TuningLab`: its runs are added, those there are and those to come.
    chart:
        A `ResourceChart` in which a selected run's requests are marked, and whose bars select
        their run when they are clicked; left out, that of the `TuningLab`.

    Examples
    --------
    >>> table = RunTable(panel=lab)  # doctest: +SKIP
    >>> table.frame["ttft_s"].min()  # doctest: +SKIP
    0.14
    """

    runs = traitlets.Tuple()
    selected = traitlets.Tuple(help="At most two of the runs.")

    def __init__(
        self,
        runs: Iterable[Run] = (),
        panel: AgentPanel | TuningLab | None = None,
        *,
        chart: ResourceChart | None = None,
        **keywords: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._unlink: Callable[[], None] = lambda: None
        self._showing = False  # what the grid reports is our own doing
        self._panel: AgentPanel | None = None  # that it listens to
        source = panel.panel if isinstance(panel, TuningLab) else panel
        if not (source is None or isinstance(source, AgentPanel)):
            raise TypeError(
                f"panel is a {type(panel).__name__}. Give an AgentPanel or a TuningLab."
            )
        there = source.runs if source is not None else ()
        self.set_trait("runs", (*runs, *there))
        self._hint = widgets.HTML()
        shown = _shown(self.runs)
        self._grid = LightTable(shown, **_look(shown))
        self._comparison, self._meanings = widgets.HTML(), widgets.HTML()
        box = widgets.Box([self._grid]).add_class("lw-grid")
        super().__init__([self._hint, box, self._meanings, self._comparison], keywords)
        self.add_class("lw-runs")
        self._show()
        self.observe(self._show, "runs")
        self.observe(self._show_selected, "selected")
        self._grid.observe(self._clicked, "selected_rows")
        if source is not None:
            source.observe(self._ran, "runs")
            self._panel = source
        if chart is None and isinstance(panel, TuningLab):
            chart = panel.chart
        if chart is not None:
            self._unlink = link_runs(chart, self)

    @property
    def frame(self) -> pd.DataFrame:
        """The runs as a DataFrame (`run_frame`): every number, with its unit in the name."""
        return run_frame(self.runs)

    @staticmethod
    def compare(first: Run, second: Run) -> pd.DataFrame:
        """Two runs side by side, with the differences (`compare_runs`)."""
        return compare_runs(first, second)

    def close(self) -> None:
        """Listen no more to the panel, and leave the page. Idempotent."""
        panel, self._panel = self._panel, None
        if panel is not None:
            panel.unobserve(self._ran, "runs")
        unlink, self._unlink = self._unlink, lambda: None
        unlink()
        super().close()

    # --- what is shown ---------------------------------------------------------------------------

    def _ran(self, change: Any) -> None:
        """The panel has more runs (in the thread of its run)."""
        with self._lock:
            known = {id(run) for run in self.runs}
            self.runs = (*self.runs, *(run for run in change["new"] if id(run) not in known))

    def _show(self, _: Any = None) -> None:
        with self._lock:
            here = {id(run) for run in self.runs}
            self.selected = tuple(run for run in self.selected if id(run) in here)
            hint = f"{_HOW} {_GONE}" if self.runs else _HINT
            self._hint.value = f'<span class="lw-muted">{hint}</span>'
            self._grid.layout.display = None if self.runs else "none"
            self._meanings.value = meanings_html(_shown(self.runs).columns) if self.runs else ""
            self._showing = True
            try:
                shown = _shown(self.runs)
                self._grid.update(shown, selected_rows=self._rows(), **_look(shown))
            finally:
                self._showing = False

    def _show_selected(self, _: Any) -> None:
        with self._lock:
            self._showing = True
            try:
                self._grid.selected_rows = self._rows()
            finally:
                self._showing = False
            self._comparison.value = self._compared()

    def _compared(self) -> str:
        if len(self.selected) < _AT_ONCE:
            return ""
        first, second = sorted(self.selected, key=self._row)  # in the order of the table
        return comparison_html(first, second, (self._row(first) + 1, self._row(second) + 1))

    def _rows(self) -> list[int]:
        return sorted(self._row(run) for run in self.selected)

    def _row(self, run: Run) -> int:
        return next(i for i, known in enumerate(self.runs) if known is run)

    # --- selecting -------------------------------------------------------------------------------

    def _clicked(self, change: Any) -> None:
        """A person has clicked a row: a third one takes the place of the first."""
        with self._lock:
            if self._showing:
                return
            clicked = [self.runs[i] for i in change["new"] if i < len(self.runs)]
            kept = [run for run in self.selected if any(run is other for other in clicked)]
            new = [run for run in clicked if not any(run is other for other in kept)]
            wanted = tuple([*kept, *new][-_AT_ONCE:])
            self.selected = wanted
            if len(clicked) > _AT_ONCE:  # take the mark off the row that made room
                self._show_selected(None)

    @traitlets.validate("selected")
    def _checked(self, proposal: Any) -> tuple[Run, ...]:
        chosen = tuple(proposal["value"])
        if len(chosen) > _AT_ONCE:
            raise ValueError(f"{len(chosen)} runs are selected; give two at most.")
        here = {id(run) for run in self.runs}
        if not all(id(run) in here for run in chosen):
            raise ValueError("A run that is selected is not in the table. Give two of table.runs.")
        return chosen

    def _in_short(self) -> str:
        return f"{len(self.runs)} runs, {len(self.selected)} selected"

    def _still(self, sheet: Sheet) -> None:
        with self._lock:
            runs, rows = self.runs, self._rows()
        chosen = f"; selected: {' and '.join(str(i + 1) for i in rows)}" if rows else ""
        sheet.say(f"{counted(len(runs), 'run')}{chosen}." if runs else "No runs yet.")
        sheet.table(_shown(runs), rows="runs", is_last=True)
        if len(rows) == _AT_ONCE:
            (first, second), numbers = (runs[i] for i in rows), (rows[0] + 1, rows[1] + 1)
            sheet.say(comparison_words(first, second, numbers))
            sheet.table(comparison_frame(first, second, numbers), index=True)


_LOOK: dict[str, Any] = {
    "select": "multi",
    "showIndex": False,
    "classes": "compact stripe row-border",
    "style": "table-layout:auto;width:100%;margin:0",
    "text_in_header_can_be_selected": False,  # the whole of it sorts
    "autoWidth": False,  # it would measure before our style is there
    "paging": False,
    "layout": {"topStart": None, "topEnd": None, "bottomStart": None, "bottomEnd": None},
    "maxBytes": 0,
    "stateSave": True,  # the column that it is sorted by, when a new run comes;
    "stateDuration": -1,  # in the page's session, not for ever
}


def _look(shown: pd.DataFrame) -> dict[str, Any]:
    """How the table looks, with the columns that give way on a narrow page."""
    gives_way = [
        {"className": css, "targets": [i for i, name in enumerate(shown) if name in names]}
        for css, names in (("lw-first-to-go", _FIRST_TO_GO), ("lw-then", _THEN))
    ]
    return {**_LOOK, "columnDefs": gives_way}


def _shown(runs: Sequence[Run]) -> pd.DataFrame:
    """The runs as the table shows them; text that is sorted by what it means."""
    frame = run_frame(runs)
    ended = [_ended(run) for run in runs]
    resident = [{True: "yes", False: "no", None: "–"}[run.was_resident] for run in runs]
    shown = {
        "run": range(1, len(runs) + 1),
        "started": [clock_text(run.started_at) for run in runs],
        **_if_any("structure", frame["structure"].replace("Agent", "")),
        "model": frame["models"],
        "keep_alive": _by_length(runs),
        **_if_any("held", frame["held"].map({True: "yes", False: ""})),
        f"TTFT,{_NARROW}s": frame["ttft_s"].round(3),
        **_if_any("options", _differing(runs)),
        "was resident": resident,
        **_requests(frame),
        "loads": frame["loads"],
        f"load,{_NARROW}s": frame["load_s"].round(3),
        f"prompt eval,{_NARROW}s": frame["prompt_eval_s"].round(3),
        f"eval,{_NARROW}s": frame["eval_s"].round(3),
        **_if_any(f"tools,{_NARROW}s", frame["tools_s"].round(3)),
        **_if_any(f"embeddings,{_NARROW}s", frame["embeddings_s"].round(3)),
        **_thinking(frame),
        f"total,{_NARROW}s": frame["total_s"].round(3),
        "tokens": frame["output_tokens"],
        "tokens/s": frame["tokens_per_s"].round(1),
        "ended": ended,
        **_if_any("prompt", pd.Series([_unseen(run) for run in runs], dtype="object")),
    }
    return pd.DataFrame(shown)


def _ended(run: Run) -> str:
    if run.error:
        return run.error[:_ERROR_LENGTH]
    if run.stopped:
        return "stopped"
    if run.timings.done_reason != "length":
        return "done"
    return "only thought" if run.thinking and not run.answer else "cut off"


def _differing(runs: Sequence[Run]) -> pd.Series:
    """The options that not all of the runs have in common."""
    first = runs[0].options if runs else {}
    same = {n for n, v in first.items() if all(run.options.get(n) == v for run in runs)}
    return pd.Series(
        [options_text({n: v for n, v in run.options.items() if n not in same}) for run in runs],
        dtype="object",
    )


def _unseen(run: Run) -> str:
    """That the model did not see all of it; the whole sentence is the run's note."""
    return "not all seen" if any(s.whole_prompt_tokens is not None for s in run.steps) else ""


def _if_any(name: str, values: pd.Series) -> dict[str, pd.Series]:
    """A column, when any of the runs has something in it."""
    return {name: values} if any(not pd.isna(v) and v not in ("", 0) for v in values) else {}


def _requests(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """The column of requests, when any of the runs made several."""
    return {"requests": frame["requests"]} if (frame["requests"] > 1).any() else {}


def _thinking(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """The columns of thinking, when any of the runs thought, or was asked whether it would."""
    if frame["thinking_s"].isna().all() and frame["think"].isna().all():
        return {}
    return {
        "think": frame["think"].fillna("–"),
        f"thinking,{_NARROW}s": frame["thinking_s"].round(3),
        f"first text,{_NARROW}s": frame["first_text_s"].round(3),
    }


def _by_length(runs: Sequence[Run]) -> pd.Categorical:
    """keep_alive as text that is sorted by its length, the server default first."""
    lengths = {
        str(k): -1.0 if k.seconds is None else k.seconds for k in (run.keep_alive for run in runs)
    }
    texts = [str(run.keep_alive) for run in runs]
    return pd.Categorical(texts, categories=sorted(lengths, key=lengths.__getitem__), ordered=True)
