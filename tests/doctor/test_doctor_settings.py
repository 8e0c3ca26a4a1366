"""Which variables are set where, and which do not do what was meant."""

from __future__ import annotations

from dataclasses import replace

import pytest
from doctor_seen import found, only, seen

from lifecycle_widgets.doctor.checks import settings
from lifecycle_widgets.facts.environment import FORMS

KEEP_ALIVE = "OLLAMA_KEEP_ALIVE"


def test_a_servers_variable_in_the_clients_shell_does_nothing() -> None:
    one = only(settings.only_here, seen(environment={}, here={KEEP_ALIVE: "1h"}))
    assert one.severity == "warning"
    assert "set in this process, where it does nothing; the server has no such variable" in (
        one.sentence
    )
    assert one.evidence == (
        f"{KEEP_ALIVE}=1h (this process)",
        f"{KEEP_ALIVE} in the server's process: not set",
    )
    assert "systemctl edit ollama" in one.advice


def test_another_value_there_is_said() -> None:
    one = only(settings.only_here, seen(environment={KEEP_ALIVE: "5m"}, here={KEEP_ALIVE: "1h"}))
    assert one.sentence.endswith("the server has 5m.")


def test_the_same_value_is_good_and_so_is_a_clients_own_variable() -> None:
    here = {KEEP_ALIVE: "1h", "OLLAMA_HOST": "localhost:1", "OLLAMA_API_KEY": "secret"}
    assert only(settings.only_here, seen(environment={KEEP_ALIVE: "1h"}, here=here)).severity == (
        "good"
    )


def test_a_server_that_cannot_be_seen_is_a_note_with_the_reason() -> None:
    [listed, variables] = found(settings.where, seen(here={"OLLAMA_API_KEY": "***"}))
    assert listed.severity == "note"
    assert listed.sentence.endswith("Its process belongs to another user.")
    assert variables.evidence == ("OLLAMA_API_KEY=*** (this process)",)
    one = only(settings.only_here, seen(here={KEEP_ALIVE: "1h"}))
    assert (one.severity, "cannot be seen" in one.sentence) == ("note", True)


@pytest.mark.parametrize(("text", "seconds"), FORMS)
def test_values_are_read_as_the_facts_say(text: str, seconds: float) -> None:
    """Those that the facts were tried with: what is ignored is said, and nothing else."""
    warned = found(settings.ignored, seen(environment={KEEP_ALIVE: text}), "warning")
    assert bool(warned) == (seconds == 300.0)
    for one in warned:
        assert one.sentence == f"{KEEP_ALIVE}={text} is ignored without a word: 5 minutes."


def test_a_unit_that_was_changed_after_the_start() -> None:
    changed = {KEEP_ALIVE: "1h", "OLLAMA_HOST": "0.0.0.0"}
    one = only(settings.unit_later, seen(environment={"OLLAMA_HOST": "0.0.0.0"}, unit=changed))
    assert one.sentence == f"The systemd unit says {KEEP_ALIVE}=1h, but the server runs without it."
    assert one.severity == "warning"
    assert only(settings.unit_later, seen(environment=changed, unit=changed)).severity == "good"
    assert found(settings.unit_later, seen(environment=changed)) == []


@pytest.mark.parametrize("value", ["two", "-3", "1.5", "١"])
def test_a_count_that_is_no_whole_number(value: str) -> None:
    one = only(settings.ignored, seen(environment={"OLLAMA_NUM_PARALLEL": value}))
    assert one.severity == "warning"
    assert one.facts == ("invalid settings are ignored",)


def test_what_was_measured_wins_over_what_is_set() -> None:
    """The unit was changed, and the server was not started anew."""
    given = seen(environment={KEEP_ALIVE: "1h"})
    force = replace(given.in_force, default_keep_alive_s=300.0, default_keep_alive_from="measured")
    samples = tuple(replace(one, in_force=force) for one in given.samples)
    one = only(settings.ignored, replace(given, samples=samples))
    assert one.severity == "warning"
    assert one.evidence == ("set: 3600 s", "measured: 300 s")
    force = replace(force, default_keep_alive_s=3600.2)
    samples = tuple(replace(one, in_force=force) for one in given.samples)
    assert only(settings.ignored, replace(given, samples=samples)).severity == "good"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        (KEEP_ALIVE, "0", "each model leaves after each request"),
        ("OLLAMA_MAX_QUEUE", '"0"', "is refused"),
        ("OLLAMA_NUM_PARALLEL", "4", "4 times the memory"),
        ("OLLAMA_HOST", "http://0.0.0.0:11434", "whoever reaches this machine"),
    ],
)
def test_settings_with_a_price(name: str, value: str, says: str) -> None:
    one = only(settings.costly, seen(environment={name: value}))
    assert says in one.sentence
    assert found(settings.costly, seen(environment={})) == []
