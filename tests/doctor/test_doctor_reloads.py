"""Loads of the same weights with other options, and names that share their weights."""

from __future__ import annotations

from dataclasses import replace

from doctor_seen import found, model, only, runner, seen, shown, with_runners

from lifecycle_widgets.doctor.checks import names, reloads
from lifecycle_widgets.monitor import Residency, Sample
from tests.monitor.stay_samples import A, B, at, sample


def loaded(*contexts: int) -> tuple[Sample, ...]:
    """A loaded again and again, by the command lines of its runners."""
    return tuple(
        with_runners(10.0 * n + later, runner(100 + n, A, num_ctx))
        for n, num_ctx in enumerate(contexts)
        for later in (0, 1)
    )


def test_two_clients_with_other_contexts_are_a_thrash() -> None:
    one = only(reloads.other_options, seen(*loaded(2048, 4096, 2048)))
    assert one.severity == "warning"
    assert f"{A} was loaded anew with other options 2 times from " in one.sentence
    assert [line.split(": ", 1)[1] for line in one.evidence] == [
        f"{A} with context 2048",
        f"{A} with context 4096",
        f"{A} with context 2048",
    ]
    assert "OLLAMA_CONTEXT_LENGTH" in one.advice


def test_once_is_a_note_and_the_same_again_is_good() -> None:
    assert only(reloads.other_options, seen(*loaded(2048, 4096))).severity == "note"
    assert only(reloads.other_options, seen(*loaded(4096, 4096))).severity == "good"
    other = (with_runners(0, runner(1, A, 2048)), with_runners(9, runner(2, B, 4096)))
    assert only(reloads.other_options, seen(*other)).severity == "good"


def test_many_loads_are_told_in_few_lines() -> None:
    one = only(reloads.other_options, seen(*loaded(*20 * (2048, 4096))))
    assert len(one.evidence) == 7
    assert one.evidence[2] == "(34 more)"


def test_without_command_lines_the_listed_context_tells() -> None:
    """A runner of an older Ollama says nothing, but /api/ps does; also of another machine."""
    for held in ({1: A}, None):
        samples = [
            sample(t_s, {A: 300}, held and {pid: A}, num_ctx=num_ctx)
            for t_s, pid, num_ctx in ((0, 1, 2048), (5, 2, 4096), (9, 3, 2048))
        ]
        one = only(reloads.other_options, seen(*samples))
        assert one.severity == "warning", held
        assert one.evidence[1].endswith("with context 4096")


def test_other_options_count_in_their_own_words() -> None:
    samples = (
        with_runners(0, runner(1, A, options="-c 4096 -t 2")),
        with_runners(5, runner(2, A, options="-c 4096 -t 4")),
    )
    assert only(reloads.other_options, seen(*samples)).evidence[1].endswith("options -c 4096 -t 4")


def test_a_history_has_those_of_the_last_days() -> None:
    stays = tuple(
        Residency(A, at(t_s), at(t_s + 50), "evicted", None, False)
        for t_s in (-900, -845, -790)
    )  # fmt: skip
    one = only(reloads.other_options, seen(stays_before=stays))
    assert (one.severity, "In the last days" in one.sentence) == ("warning", True)
    assert len(one.evidence) == 2
    apart = tuple(replace(s, why="expired") for s in stays)
    assert only(reloads.other_options, seen(stays_before=apart)).severity == "good"


def test_what_is_not_told_is_said() -> None:
    blind = replace(sample(0, None, None), unseen="It is another machine.", not_told="No list.")
    one = only(reloads.other_options, seen(blind))
    assert (one.severity, one.sentence.startswith("Not looked at: ")) == ("note", True)


# --- two names over one blob ---------------------------------------------------------------------

TWO = {"models": (model(A), model(B)), "shown": {A: shown("1" * 64), B: shown("1" * 64, 8192)}}


def test_two_names_with_other_contexts() -> None:
    one = only(names.one_runner, seen(**TWO))
    assert one.severity == "note"
    assert "their num_ctx differs, so each loads it anew after the other" in one.sentence
    used = (sample(0, {A: 300}, {1: A}), sample(4, {B: 300}, {2: B}))
    assert only(names.one_runner, seen(*used, **TWO)).severity == "warning"


def test_two_names_of_the_same_count_only_when_both_are_used() -> None:
    same = {**TWO, "shown": {A: shown("1" * 64), B: shown("1" * 64)}}
    assert only(names.one_runner, seen(**same)).severity == "good"
    both = (sample(0, {A: 300}, {1: A}), sample(4, {B: 300}, {1: B}))
    one = only(names.one_runner, seen(*both, **same))
    assert (one.severity, "share one runner" in one.sentence) == ("note", True)


def test_models_that_were_not_asked_about_are_said() -> None:
    [left, _] = found(names.one_runner, seen(models=(model(A), model(B)), shown={A: shown("1")}))
    assert "1 model" in left.sentence
    assert left.severity == "note"


def test_models_that_are_not_told() -> None:
    why = "The server has no list of models."
    one = only(names.one_runner, seen(models=None, untold={"models": why}))
    assert one.sentence.endswith(why)


def test_other_weights_are_another_model() -> None:
    apart = {A: shown("1" * 64), B: shown("2" * 64, 8192)}
    assert only(names.one_runner, seen(models=TWO["models"], shown=apart)).severity == "good"
