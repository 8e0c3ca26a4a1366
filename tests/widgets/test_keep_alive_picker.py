"""KeepAlivePicker: always a valid value, and one sentence about it."""

from __future__ import annotations

import html
import math
from datetime import timedelta

import ipywidgets as widgets
import pytest
from widget_parts import parts, shown

from lifecycle_widgets import KeepAlive
from lifecycle_widgets.advisor.adaptive.adaptive import AdaptiveKeepAlive
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.widgets import KeepAlivePicker

CHOICES = [
    ("server default", KeepAlive(None)),
    ("0", KeepAlive(0)),
    ("30s", KeepAlive(30)),
    ("5m", KeepAlive(300)),
    ("1h", KeepAlive(3600)),
    ("forever", KeepAlive(-1)),
]


def choice(picker: KeepAlivePicker) -> widgets.ToggleButtons:
    return parts(picker, widgets.ToggleButtons)[0]


def field(picker: KeepAlivePicker) -> widgets.Text:
    return parts(picker, widgets.Text)[0]


@pytest.mark.parametrize(("name", "value"), CHOICES)
def test_each_choice_sets_the_value_and_says_what_it_does(name: str, value: KeepAlive) -> None:
    picker = KeepAlivePicker("90s")
    choice(picker).value = name
    assert picker.value == value
    assert KeepAlive(picker.text) == value
    assert html.escape(value.explain()) in shown(picker)
    assert field(picker).layout.display == "none"


@pytest.mark.parametrize(("name", "value"), CHOICES)
def test_a_value_from_code_shows_as_its_choice(name: str, value: KeepAlive) -> None:
    assert choice(KeepAlivePicker(value)).value == name


@pytest.mark.parametrize("value", ["90s", 90, timedelta(seconds=90), KeepAlive(90)])
def test_another_value_shows_as_typed(value: object) -> None:
    picker = KeepAlivePicker()
    picker.value = value
    assert picker.value == KeepAlive(90)
    assert (choice(picker).value, field(picker).value) == ("typed…", "1m30s")
    picker.value = None
    assert choice(picker).value == "server default"


def test_a_typed_value_counts_and_its_outer_space_does_not() -> None:
    picker = KeepAlivePicker()
    choice(picker).value = "typed…"
    assert field(picker).layout.display is None
    assert picker.value == KeepAlive(None), "choosing to type changes nothing yet"
    field(picker).value = " 2h \n"
    assert picker.value == KeepAlive("2h")
    field(picker).value = "5m"  # one of the choices, but being typed
    assert (picker.value, choice(picker).value) == (KeepAlive("5m"), "typed…")


@pytest.mark.parametrize("typed", ["5", "1d", "5 m", "", "soon", "<b>1h</b>"])
def test_a_typed_mistake_says_so_and_changes_nothing(typed: str) -> None:
    picker = KeepAlivePicker("5m")
    picker.text = typed
    with pytest.raises(ValueError, match="keep_alive") as fault:
        KeepAlive(typed)
    assert picker.error == str(fault.value)
    assert picker.value == KeepAlive("5m")
    assert 'role="alert"' in shown(picker)
    assert "<b>" not in shown(picker)
    assert "Still 5m." in shown(picker)
    picker.text = "1h"
    assert (picker.error, picker.value) == ("", KeepAlive("1h"))
    assert "alert" not in shown(picker)


def test_choosing_ends_a_mistake_also_for_the_value_it_had() -> None:
    picker = KeepAlivePicker("5m")
    picker.text = "1d"
    choice(picker).value = "5m"
    assert (picker.error, picker.value, picker.text) == ("", KeepAlive("5m"), "5m")


def test_setting_another_value_ends_a_mistake() -> None:
    picker = KeepAlivePicker("5m")
    picker.text = "1d"
    picker.value = "30s"
    assert (picker.error, picker.text, choice(picker).value) == ("", "30s", "30s")


def test_bad_values_from_code_are_errors_in_code() -> None:
    picker = KeepAlivePicker("5m")
    with pytest.raises(ValueError, match="Did you mean '24h'"):
        picker.value = "1d"
    with pytest.raises(ValueError, match="Did you mean '24h'"):
        KeepAlivePicker("1d")
    assert picker.value == KeepAlive("5m")


def test_observed_and_linked() -> None:
    one, two, seen = KeepAlivePicker(), KeepAlivePicker("1h"), []
    widgets.link((one, "value"), (two, "value"))
    two.observe(lambda change: seen.append(change["new"]), "value")
    one.value = 30
    two.text = "7s"
    assert one.value == two.value == KeepAlive("7s")
    assert seen == [KeepAlive(30), KeepAlive(7)]


@pytest.mark.parametrize(
    ("default_s", "default_from", "said"),
    [
        (40.0, "measured", "the server's default: 40 seconds, as measured."),
        (
            90,
            "environment",
            "default: 1 minute 30 seconds, as its process was started (OLLAMA_KEEP",
        ),
        (math.inf, "measured", "the server's default: forever, as measured."),
        (0.0, "environment", "the server's default: unload at once, as its process was started"),
        (300, "not set", "5 minutes, as its process was started without OLLAMA_KEEP_ALIVE."),
        (None, None, "(5 minutes, unless OLLAMA_KEEP_ALIVE says otherwise)."),
    ],
)
def test_the_servers_default_is_said_where_it_is_known(
    default_s: float | None, default_from: str | None, said: str
) -> None:
    picker = KeepAlivePicker()
    assert "unless OLLAMA_KEEP_ALIVE says otherwise" in shown(picker)
    picker.default_s, picker.default_from = default_s, default_from
    assert said in html.unescape(shown(picker))
    assert said in choice(picker).tooltips[0]
    picker.value = "5m"
    assert "default" not in shown(picker)


def test_an_unknown_keyword_is_an_error_with_advice() -> None:
    with pytest.raises(TypeError, match=r"no keyword 'val'\. Did you mean 'value'\? It takes: v"):
        KeepAlivePicker(val="5m")
    assert KeepAlivePicker("5m", layout={"width": "50%"}).layout.width == "50%"
    assert repr(KeepAlivePicker("5m")) == "KeepAlivePicker(value='5m')"


def test_one_that_decides_anew_is_a_choice_more_and_stays_what_it_is() -> None:
    adaptive = AdaptiveKeepAlive(120, history=Workload((), "nothing"))
    picker = KeepAlivePicker("5m")
    assert "adaptive" not in choice(picker).options
    picker.value = adaptive
    assert (picker.value, picker.text, picker.error) == (adaptive, "adaptive", "")
    assert choice(picker).value == "adaptive"
    assert "Decided anew for each request." in shown(picker)
    choice(picker).value = "30s"
    assert picker.value == KeepAlive(30)
    choice(picker).value = "adaptive"
    assert picker.value is adaptive
    picker.text = "5"
    assert picker.value is adaptive
    assert "Still adaptive." in shown(picker)


def test_what_it_says_of_one_that_has_learnt_is_shown_anew() -> None:
    adaptive = AdaptiveKeepAlive(120, history=Workload((), "nothing"))
    picker = KeepAlivePicker(adaptive)
    assert "No gap has been seen yet" in shown(picker)
    for _ in range(2):
        float(adaptive.for_model("a"))
    picker.refresh()
    assert "2 gaps of its own" in shown(picker), "with the one that a request now would end"
