"""A plotly figure as plain values: what is drawn, on which axes, and what the legend names."""

from __future__ import annotations

import base64
import html
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import numpy as np

from lifecycle_widgets.experiments.figures.style import COLORS

LINEAR, LOG, DATE, CATEGORY = "linear", "log", "date", "category"
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]|$)")
_BREAK, _TAG = re.compile(r"<br\s*/?>"), re.compile(r"<[^>]*>")


@dataclass
class Axis:
    """One axis. ``domain`` is its part of the picture; values are numbers (`Axis.number`)."""

    name: str
    look: Mapping[str, Any]
    kind: str = LINEAR
    domain: tuple[float, float] = (0.0, 1.0)
    anchor: str = ""
    categories: list[str] = field(default_factory=list)
    low: float = math.inf
    high: float = -math.inf
    has_bars: bool = False

    def number(self, value: Any) -> float:
        """A value of a trace as a number: a date in seconds, a category's place; NaN for none."""
        if value is None:
            return math.nan
        if self.kind == CATEGORY:
            text = str(value)
            if text not in self.categories:
                self.categories.append(text)
            return float(self.categories.index(text))
        if self.kind == DATE:
            return seconds(value)
        try:
            number = float(value)
        except (TypeError, ValueError):
            return math.nan
        return math.nan if self.kind == LOG and number <= 0 else number

    def numbers(self, values: Any) -> list[float]:
        return [self.number(value) for value in listed(values)]

    def reach(self, values: Sequence[float]) -> None:
        """The axis is to show these."""
        known = [v for v in values if math.isfinite(v) and (self.kind != LOG or v > 0)]
        if known:
            self.low, self.high = min(self.low, *known), max(self.high, *known)


@dataclass
class Read:
    """A figure: traces (arrays are lists), axes by name, and the layout as plotly has it."""

    traces: list[dict[str, Any]]
    layout: Mapping[str, Any]
    axes: dict[str, Axis]

    def pairs(self) -> list[tuple[Axis, Axis]]:
        """The panels, each by its two axes; one at least."""
        named = [axes_of(trace) for trace in self.traces]
        there = [(x, y) for x, y in named if x in self.axes and y in self.axes]
        return [(self.axes[x], self.axes[y]) for x, y in dict.fromkeys(there or [("x", "y")])]

    def legend(self) -> list[dict[str, Any]]:
        """The traces that the legend names, in its order."""
        shown = [trace for trace in self.traces if trace.get("showlegend", True)]
        asked = self.layout.get("showlegend")
        if asked is None:
            asked = len(shown) > 1 or any(trace.get("showlegend") for trace in shown)
        named = [trace for trace in shown if plain(trace.get("name"))]
        return sorted(named, key=lambda t: t.get("legendrank", 1000)) if asked else []


def read(figure: Any) -> Read:
    """Read a figure: plotly's, or its dict of data and layout.

    Examples
    --------
    >>> made = read({"data": [{"type": "bar", "x": [2], "y": ["a"], "orientation": "h"}]})
    >>> made.axes["y"].kind, made.axes["x"].high
    ('category', 2.0)
    """
    whole = figure if isinstance(figure, Mapping) else figure.to_dict()
    layout = whole.get("layout") or {}
    traces = [
        _decoded(trace)
        for trace in whole.get("data") or ()
        if trace.get("type", "scatter") in ("scatter", "scattergl", "bar")
        and trace.get("visible", True) is True
    ]
    for number, trace in enumerate(traces):
        trace.setdefault("color", COLORS[number % len(COLORS)])
    axes: dict[str, Axis] = {}
    for name in _names(layout, traces):
        axes[name] = _axis(name, layout, traces, axes)
    return Read(traces, layout, axes)


def axes_of(trace: Mapping[str, Any]) -> tuple[str, str]:
    """The names of the two axes that a trace is drawn on."""
    return trace.get("xaxis") or "x", trace.get("yaxis") or "y"


def _names(layout: Mapping[str, Any], traces: Sequence[Mapping[str, Any]]) -> list[str]:
    placed = re.compile(r"([xy])axis(\d*)$")
    found = [match[1] + match[2] for key in layout if (match := placed.match(key))]
    return list(dict.fromkeys(["x", "y", *found, *(n for t in traces for n in axes_of(t))]))


def _axis(
    name: str,
    layout: Mapping[str, Any],
    traces: Sequence[Mapping[str, Any]],
    others: Mapping[str, Axis],
) -> Axis:
    look = layout.get(f"{name[0]}axis{name[1:]}") or {}
    domain = [float(end) for end in look.get("domain") or (0, 1)]
    values = [v for t in traces if name in axes_of(t) for v in listed(t.get(name[0])) if v == v]
    kind = look.get("type") or _kind(values)
    other = "y" if name[0] == "x" else "x"
    made = Axis(name, look, kind, (domain[0], domain[1]), look.get("anchor") or other)
    if look.get("matches") in others:
        made.categories = others[look["matches"]].categories
    if kind == CATEGORY and not made.categories:
        made.categories += [str(one) for one in look.get("categoryarray") or ()]
    made.reach(made.numbers(values))
    return made


def _kind(values: Sequence[Any]) -> str:
    first = next((value for value in values if value is not None), 0)
    if isinstance(first, datetime) or (isinstance(first, str) and _DATE.match(first)):
        return DATE
    return CATEGORY if isinstance(first, str) else LINEAR


# --- values --------------------------------------------------------------------------------------


def _decoded(thing: Any) -> Any:
    """A trace with lists in place of plotly's packed arrays, and of numpy's."""
    if isinstance(thing, Mapping):
        if "bdata" in thing:
            packed = np.frombuffer(base64.b64decode(thing["bdata"]), dtype=thing["dtype"])
            return packed.tolist()
        return {key: _decoded(value) for key, value in thing.items()}
    if isinstance(thing, np.ndarray):
        return thing.tolist()
    return list(thing) if isinstance(thing, tuple) else thing


def listed(values: Any) -> list[Any]:
    """A list of what is one, or one value, or none."""
    if values is None:
        return []
    return values if isinstance(values, list) else [values]


def each(value: Any, count: int, default: Any) -> Iterator[Any]:
    """A property of ``count`` marks: one for all, or one for each."""
    many = value if isinstance(value, list) else [value] * count
    for number in range(count):
        one = many[number] if number < len(many) else None
        yield default if one is None else one


def seconds(value: Any) -> float:
    """A date in seconds, by the clock that it is told in; NaN for what is none.

    Examples
    --------
    >>> seconds("1970-01-01 00:01:00.5")
    60.5
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=timezone.utc).timestamp()
    if isinstance(value, (int, float)):
        return float(value) / 1000  # as plotly has them
    whole, _, part = str(value).partition(".")
    try:
        at = datetime.fromisoformat(whole).replace(tzinfo=timezone.utc).timestamp()
        return at + float(f"0.{part}" if part.isdigit() else 0)
    except ValueError:
        return math.nan


def plain(text: Any) -> str:
    """A text of plotly's without tags, with line breaks.

    Examples
    --------
    >>> plain("<b>a &lt; b</b><br>c")
    'a < b\\nc'
    """
    return html.unescape(_TAG.sub("", _BREAK.sub("\n", str(text or ""))))


def is_bold(text: Any) -> bool:
    return str(text or "").startswith("<b>")


def words(title: Any) -> str:
    """The text of a title, which plotly has as a text, or as a dict."""
    return plain(title.get("text") if isinstance(title, Mapping) else title)
