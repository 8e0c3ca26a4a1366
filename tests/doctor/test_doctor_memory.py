"""The memory of the next load, the card, versions, failures; and how it is all told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from doctor_seen import GB, found, model, only, runner, seen, shown, split, with_runners

from lifecycle_widgets.doctor import SEVERITIES, Diagnosis, show, to_json
from lifecycle_widgets.doctor.checks import CHECKS, failures, memory, versions
from lifecycle_widgets.doctor.examine import checked
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.facts import FACTS
from lifecycle_widgets.monitor import Gpu, Request, Sample
from tests.monitor.stay_samples import GPU, A, B, C, at, sample, untold


def room(free_gb: float, **more: object) -> Sample:
    held = with_runners(4, runner(1, A), most_models=3)
    return replace(held, ram_total_bytes=8 * GB, ram_used_bytes=int((8 - free_gb) * GB), **more)


def test_a_model_that_does_not_fit_beside_what_is_there() -> None:
    large = seen(room(3), models=(model(A), model(B, 5 * GB), model(C, 2 * GB)))
    one = only(memory.next_load, large)
    assert one.severity == "note", "nobody has used it"
    assert one.sentence.startswith(f"{B} would not fit into memory as it is now. Ollama loads it")
    assert one.evidence == (
        "3.0 GB of memory of this machine free",
        f"{B} needs 5.0 GB (at least: its weights)",
    )
    assert only(memory.next_load, replace(large, version="0.24.0")).sentence.endswith(
        "has others leave, or refuses."
    )


def test_what_was_measured_counts_and_who_leaves() -> None:
    measured = seen(room(3), models=(model(B, 2 * GB),), taken_bytes={B: 4 * GB})
    assert "4.0 GB (as measured here before)" in only(memory.next_load, measured).evidence[1]
    full = seen(room(3.5, most_models=1), models=(model(B, 4 * GB),))
    assert only(memory.next_load, full).severity == "good", "A leaves before"


def test_what_is_free_on_a_card_counts_too() -> None:
    card = Gpu(0, "a card", 0.0, 2 * GB, 6 * GB)
    fits = seen(room(3, gpus=(card,)), models=(model(B, 6 * GB),))
    assert only(memory.next_load, fits).severity == "good"
    one = only(memory.next_load, seen(room(3, gpus=(card,)), models=(model(B, 8 * GB),)))
    assert one.evidence[0] == "7.0 GB of memory of this machine and its GPUs free"
    silent = replace(card, memory_used_bytes=None)
    one = only(memory.next_load, seen(room(3, gpus=(silent,)), models=(model(B, 8 * GB),)))
    assert one.sentence.endswith("The GPU does not tell what is used of it.")


def test_another_name_of_what_is_in_memory_needs_nothing() -> None:
    alike = {name: shown("1" * 64) for name in (A, B)}
    one = seen(room(3), models=(model(B, 5 * GB),), shown=alike)
    assert only(memory.next_load, one).severity == "good"


def test_a_container_is_named_and_clouds_take_nothing() -> None:
    inside = room(1, ram_of="this container")
    far = model("big:cloud", 400 * GB, is_cloud=True)
    assert only(memory.next_load, seen(inside, models=(far, model(A, 5 * GB)))).severity == "good"
    one = only(memory.next_load, seen(inside, models=(model(B, 2 * GB),)))
    assert "of this container free" in one.evidence[0]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (seen(replace(sample(0, {}, None), unseen="It is another machine.")), "another machine."),
        (seen(models=None, untold={"models": "It has no list."}), "It has no list."),
        (seen(replace(sample(0, {}, {}), ram_used_bytes=None, faults=("No /proc.",))), "No /proc."),
    ],
)
def test_memory_that_is_not_told(one: Seen, why: str) -> None:
    told = only(memory.next_load, one)
    assert (told.severity, told.sentence.endswith(why)) == ("note", True)


# --- the card ------------------------------------------------------------------------------------


def test_partly_on_the_card() -> None:
    held = replace(sample(4, {}, {}), residents=(split(A, 8 * GB, 6 * GB),))
    one = only(memory.partly_on_the_card, seen(held))
    assert one.severity == "warning"
    assert f"{A} is on the GPU to 75% only" in one.sentence
    assert one.evidence == ("/api/ps: size 8.0 GB, size_vram 6.0 GB, context 4,096",)


def test_all_or_nothing_on_the_card() -> None:
    whole = replace(sample(4, {}, {}), residents=(split(A, GB, GB),), gpus=(GPU,))
    assert only(memory.partly_on_the_card, seen(whole)).severity == "good"
    off = replace(whole, residents=(split(A, GB, 0),))
    [beside, _] = found(memory.partly_on_the_card, seen(off))
    assert (beside.severity, "not on the GPU at all" in beside.sentence) == ("warning", True)
    far = replace(off, runners=None)  # the card is this machine's, and the model another's
    assert found(memory.partly_on_the_card, seen(far), "warning") == []
    assert found(memory.partly_on_the_card, seen(untold(0, A)), "warning") == []


# --- versions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "says", "to"),
    [
        ("0.1.20", "DNS rebinding", "0.20.3"),
        ("0.16.0", "CVE-2026-7482", "0.20.3"),
        ("0.12.0", "evicted though there is room", "0.13.1"),
        ("0.1.48", "sets it back to the default", "0.11.8"),
    ],
)
def test_versions_that_are_known_to_be_bad(version: str, says: str, to: str) -> None:
    warned = found(versions.known_bad, seen(version=version), "warning")
    [one] = [one for one in warned if says in one.sentence]
    assert one.advice == f"Install a newer Ollama: {to} or later."
    assert any("as reported by" in line or "issue" in line or "commit" in line
               for line in one.evidence)  # fmt: skip


def test_versions_of_today() -> None:
    one = only(versions.known_bad, seen(version="0.34.0"))
    assert (one.severity, "issue 17408" in one.evidence[0]) == ("note", True)
    assert len(found(versions.known_bad, seen(version="0.5.13-rc1"), "warning")) == 2
    for odd in ("0.0.0", "not told"):
        assert "Not looked at" in only(versions.known_bad, seen(version=odd)).sentence


# --- failures ------------------------------------------------------------------------------------


def test_errors_in_words_come_with_their_advice() -> None:
    errors = ((A, "llama runner: out of memory"),) * 3
    one = only(failures.lately, seen(errors=errors))
    assert one.evidence == ("3 times: llama runner: out of memory",)
    assert one.advice == "There is not enough memory for it: unload another model, or choose a " \
        "smaller one."  # fmt: skip


def test_errors_by_their_status() -> None:
    requests = tuple(
        Request(A, at(t_s), at(t_s + 9), t_s, t_s + 9.0, status=status)
        for t_s, status in ((0, 200), (20, 503), (40, 499), (60, 500), (80, None))
    )
    full, left, failed = found(failures.lately, seen(requests=requests))
    assert "queue for loads was full" in full.sentence
    assert "OLLAMA_MAX_QUEUE" in full.advice
    assert (left.severity, failed.severity) == ("note", "warning")
    assert failed.evidence[0].endswith(f"{A}, another client after 9.00 s")
    kept = seen(requests=requests, requests_before=requests)
    assert found(failures.lately, kept) == [full, left, failed], "none counts twice"
    assert only(failures.lately, seen()).severity == "good"


# --- how it is told ------------------------------------------------------------------------------

EACH = tuple(
    Diagnosis(f"a {s}", f"It is {s}.", (f"seen: {s}",), "Do it.", s, ("option num_ctx reloads",))
    for s in reversed(SEVERITIES)
)


def test_the_worst_comes_first_and_good_in_a_line() -> None:
    text = show(EACH)
    assert [line.split()[0] for line in text.splitlines() if line[:1].strip()][:4] == [*SEVERITIES]
    assert text.endswith("1 fault, 1 warning, 1 note, 1 good")
    assert text.count("Because: What has a resident model loaded anew: ") == 3
    assert max(map(len, text.splitlines())) <= 96
    assert json.loads(json.dumps(to_json(EACH)))[0]["evidence"] == ["seen: fault"]


def test_a_models_name_does_not_move_the_cursor() -> None:
    assert "a?[2Jb c" in show([Diagnosis("a name", "a\x1b[2Jb\nc")])


def test_every_fact_that_is_named_is_one() -> None:
    """All checks, on something that has everything wrong, and on something without anything."""
    wrong = seen(
        room(0.1), models=(model(B, 5 * GB),), version="0.12.0", errors=((A, "EOF"),),
        environment={"OLLAMA_KEEP_ALIVE": "1d", "OLLAMA_MAX_QUEUE": "0", "OLLAMA_HOST": "0.0.0.0"},
        here={"OLLAMA_KEEP_ALIVE": "1h"},
    )  # fmt: skip
    for one in (wrong, seen(), Seen("http://localhost:1")):
        told = checked(one)
        assert {name for d in told for name in d.facts} <= FACTS.keys()
        assert not [d for d in told if "check failed" in d.sentence]
        # four look at the server's variables, which "variables" says cannot be seen
        assert len({d.name for d in told}) >= len(CHECKS) - 4


def test_facts_that_are_not_so_in_this_version_are_not_named() -> None:
    busy = Request(A, at(0), at(9), 0.0, 9.0, status=503)
    for version, facts in (("0.34.0", ("the queue has an end",)), ("0.5.7", ())):
        [one] = [d for d in checked(seen(version=version, requests=(busy,))) if "503" in d.sentence]
        assert one.facts == facts


def test_a_check_that_fails_is_said_and_the_others_go_on() -> None:
    told = checked(seen(models=(None,)))  # type: ignore[arg-type]
    assert any("The check failed: " in d.sentence for d in told)
    assert any(d.severity == "good" for d in told)


def test_a_severity_is_one_of_the_list() -> None:
    with pytest.raises(ValueError, match="'bad' is none of fault, warning, note, good"):
        Diagnosis("a name", "It is so.", severity="bad")
