"""What every part of the lab is called, for who hears the page."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, expect


def everything_has_a_name(tuning_lab: Locator, keep_alive: str) -> None:
    """What a screen reader calls the parts of a lab, and what it says of their state."""
    for role, name in (
        ("combobox", "Model"),
        ("button", "Look again at what is installed"),
        ("group", "keep_alive"),
        ("textbox", "Prompt"),
        ("log", "Answer"),
        ("group", "How much time is shown"),
        ("button", "15 minutes"),
        ("combobox", "Save the chart or its data"),
    ):
        part = tuning_lab.get_by_role(role, name=name, exact=True)  # type: ignore[arg-type]
        expect(part).to_have_count(1)
    for state in (
        tuning_lab.get_by_role("button", name=keep_alive, exact=True, pressed=True),
        tuning_lab.get_by_role("button", name="1h", exact=True, pressed=False),
        tuning_lab.get_by_role("button", name="Doctor", exact=True, expanded=False),
    ):
        expect(state).to_have_count(1)
    chart = tuning_lab.locator(".lw-plot > svg")
    expect(chart).to_have_attribute("aria-label", re.compile("^Memory, processor and requests of"))
