"""As a student: press and type whatever is there, in a lesson's kernel, between its cells."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from typing import Any

import ipywidgets as widgets

from lifecycle_widgets.widgets.base import Composite, Single

TYPED = ("30 s", "", "5", "90s", "forever", "1d", "smollm2:135m", "no such model", "-1", "{{ x }}")
RUNS_S = 6.0  # how long a run that was begun may go on before somebody presses Stop


def click(namespace: Mapping[str, Any], seed: int, times: int = 12) -> None:
    """Press and type at random in the widgets that a notebook's variables hold; say what.

    Parameters
    ----------
    namespace:
        The notebook's ``globals()``.
    seed:
        The same seed does the same on the same widgets.
    times:
        How often.
    """
    chance = random.Random(seed)
    shown = [v for n, v in sorted(namespace.items()) if n[0] != "_" and _is_ours(v)]
    for _ in range(times if shown else 0):
        parts = [part for part in _parts(chance.choice(shown)) if _can_be_used(part)]
        if parts:
            print("clicked:", _use(chance.choice(parts), chance))
            time.sleep(0.1)  # nobody is faster
    _let_it_end(shown)


def _is_ours(value: Any) -> bool:
    return isinstance(value, (Composite, Single)) and value.comm is not None


def _parts(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    for child in getattr(widget, "children", ()):
        yield child
        yield from _parts(child)


def _can_be_used(part: widgets.Widget) -> bool:
    kinds = (
        widgets.Button,
        widgets.ToggleButton,
        widgets.ToggleButtons,
        widgets.Checkbox,
        widgets.Dropdown,
        widgets.Text,
        widgets.Textarea,
        widgets.FloatSlider,
        widgets.FloatLogSlider,
        widgets.IntText,
    )
    return isinstance(part, kinds) and part.comm is not None and not getattr(part, "disabled", 0)


def _use(part: widgets.Widget, chance: random.Random) -> str:
    """As the page would: its message, not Python's assignment."""
    name = getattr(part, "description", "") or getattr(part, "tooltip", "") or type(part).__name__
    state: dict[str, Any] = {}
    if isinstance(part, widgets.Button):
        part.click()
    elif isinstance(part, (widgets.ToggleButton, widgets.Checkbox)):
        state = {"value": not part.value}
    elif isinstance(part, (widgets.ToggleButtons, widgets.Dropdown)):
        state = {"index": chance.randrange(len(part.options))} if part.options else {}
    elif isinstance(part, widgets.IntText):
        state = {"value": chance.randrange(-5, 5000)}
    elif isinstance(part, (widgets.FloatSlider, widgets.FloatLogSlider)):
        low, high = part.min, part.max
        if isinstance(part, widgets.FloatLogSlider):
            low, high = part.base**low, part.base**high
        state = {"value": chance.uniform(low, high)}
    else:
        state = {"value": chance.choice(TYPED)}
    part.set_state(state)
    return f"{type(part).__name__} {name!r} {state or ''}"


def _let_it_end(shown: list[widgets.Widget]) -> None:
    """What was begun goes on for a moment, and is stopped then."""
    panels = [getattr(widget, "panel", widget) for widget in shown]
    running = [panel for panel in panels if getattr(panel, "running", False)]
    until_s = time.monotonic() + RUNS_S
    while any(panel.running for panel in running) and time.monotonic() < until_s:
        time.sleep(0.1)
    for panel in running:
        panel.stop()
    until_s = time.monotonic() + 30
    while any(panel.running for panel in running) and time.monotonic() < until_s:
        time.sleep(0.1)
