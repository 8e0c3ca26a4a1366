"""A figure of the live chart shows the time in which something happened; its texts have room."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

from lifecycle_widgets import Residency, Sample
from lifecycle_widgets.model_colors import COLORS
from lifecycle_widgets.widgets.chart.bands import ink_on
from lifecycle_widgets.widgets.chart.export.what_happened import what_happened
from lifecycle_widgets.widgets.chart.picture import picture
from lifecycle_widgets.widgets.chart.scene import Scene

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
ONE = "smollm2:135m"
INNER_PX, LETTER_PX = 380, 7  # of the chart on a page of 550 pixels


def at(before_s: float) -> datetime:
    return NOW - timedelta(seconds=before_s)


def scene(*stays: Residency) -> Scene:
    samples = [
        Sample(at(s), 1000 - s, 5_000_000_000, 24_000_000_000, 0.5, (), (), ())
        for s in range(120, -1, -1)
    ]
    return Scene(samples, stays, NOW, 120.0, 20.0, {ONE: COLORS[5]})


def test_it_begins_just_before_the_first_thing_and_ends_just_after_the_last() -> None:
    made = what_happened(scene(Residency(ONE, at(60), at(30), "expired", at(30), False)))
    assert at(65) < made.start < at(60)
    assert at(30) < made.end < at(15), "and a word that says why"
    filled = 30 / made.window_s
    assert filled > 0.7


def test_where_nothing_happened_it_stays_as_it_is() -> None:
    before = scene()
    assert what_happened(before) == replace(before, is_still=True)


def test_an_end_that_is_near_is_shown_and_one_that_is_far_is_not() -> None:
    near = what_happened(scene(Residency(ONE, at(60), None, None, at(-20), False)))
    assert near.end > at(-20)
    far = what_happened(scene(Residency(ONE, at(60), None, None, at(-280), False)))
    assert far.end < at(-40)


def test_a_text_has_room_and_on_a_bar_it_has_its_own_ink() -> None:
    for age_s in (5, 20, 90):
        cut = what_happened(scene(Residency(ONE, at(age_s), None, None, at(-280), False)))
        [said] = [a for a in picture(cut).layout["annotations"] if "leaves" in a["text"]]
        width_s = LETTER_PX * len("leaves in 4 min 40 s") / INNER_PX * cut.window_s
        if said["xanchor"] == "right" and said["xref"] == "x":
            assert said["font"]["color"] == ink_on(COLORS[5])
            assert width_s < age_s
        else:
            assert width_s < (cut.end - NOW).total_seconds() + 0.5
