"""The stuck loader, and models past their deadline, from constructed samples."""

from __future__ import annotations

from dataclasses import replace

import pytest
from doctor_seen import model, only, runner, seen, shown, with_runners

from lifecycle_widgets.doctor.checks import deadlines, stuck
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.doctor.unanswered import Unanswered
from lifecycle_widgets.monitor import OURS, Gpu, Request, Residency
from tests.monitor.stay_samples import GPU, A, B, C, at, sample

WAITS = (Unanswered(41.0, 4242, "curl"),)
OURS_WAITS = (Request(C, at(-30), None, -30.0, None, OURS),)


def idle(*, cpu_s: float | None = 0.0, most: int = 2, gpus: tuple[Gpu, ...] = (), **more: object
         ) -> Seen:  # fmt: skip
    """A and B in memory; A's runner takes ``cpu_s`` of CPU a second, B's none."""
    samples = [
        with_runners(
            t_s,
            runner(1, A, cpu_s=None if cpu_s is None else 5 + cpu_s * t_s),
            runner(2, B, cpu_s=None if cpu_s is None else 7.0),
            most_models=most,
            gpus=gpus,
        )
        for t_s in (0.0, 1.0, 2.0, 3.0)
    ]
    return seen(*samples, **more)


def test_a_request_waits_while_all_are_idle() -> None:
    one = only(stuck.waiting_load, idle(unanswered=WAITS))
    assert one.severity == "fault"
    assert one.sentence.startswith("A load has been waiting for 41.0 s, and will for ever: ")
    assert one.evidence[0] == "a request of curl (process 4242) has had no answer for 41.0 s"
    assert one.unload in (A, B)
    assert f"ollama stop {one.unload}" in one.advice


def test_a_request_of_ours_waits() -> None:
    one = only(stuck.waiting_load, idle(unanswered=(), requests=OURS_WAITS))
    assert one.severity == "fault"
    assert one.evidence[0] == f"a request of ours to {C} waits for 33.0 s"
    assert "there may be 2" in one.evidence[1]


@pytest.mark.parametrize(
    ("what", "more"),
    [
        ("it waits not long enough", {"unanswered": (Unanswered(2.0),)}),
        ("nobody waits", {"unanswered": ()}),
        ("there is room", {"unanswered": WAITS, "most": 3}),
        ("A may be what is waited for", {"unanswered": WAITS, "cpu_s": 0.9}),
        ("the GPU is at work", {"unanswered": WAITS, "gpus": (GPU,)}),
        ("it is loading", {"unanswered": WAITS,
                           "stays": (Residency(C, at(0), None, None, None, False,
                                               is_loading=True),)}),
        ("a version without it", {"unanswered": WAITS, "version": "0.5.7"}),
    ],
)  # fmt: skip
def test_what_is_not_stuck(what: str, more: dict[str, object]) -> None:
    one = only(stuck.waiting_load, idle(**more))
    assert one.severity in ("good", "note"), what
    assert one.unload is None


def test_what_has_just_changed_is_not_stuck() -> None:
    """Between two loads no runner is there for a moment."""
    one = idle(unanswered=WAITS)
    for other in (sample(1, {A: 300}, {1: A}), with_runners(1, *(runner(n, A) for n in (1, 2, 3)))):
        samples = (one.samples[0], other, *one.samples[2:])
        assert only(stuck.waiting_load, replace(one, samples=samples)).severity == "good"


def test_our_load_may_wait_for_the_one_at_work() -> None:
    one = only(stuck.waiting_load, idle(unanswered=(), requests=OURS_WAITS, cpu_s=0.9))
    assert (one.severity, one.unload) == ("warning", B)
    assert f"{A} is at work" in one.sentence
    assert "for ever" not in one.sentence


def test_another_name_of_a_model_in_memory_waits_for_no_load() -> None:
    names = {name: shown("1" * 64) for name in (A, C)}
    one = only(stuck.waiting_load, idle(unanswered=(), requests=OURS_WAITS, shown=names))
    assert one.severity == "good"


def test_an_answer_of_a_cloud_is_waited_for_too() -> None:
    far = model("gpt:cloud", is_cloud=True)
    assert only(stuck.waiting_load, idle(unanswered=WAITS, models=(far,))).severity == "warning"


def test_what_cannot_be_seen_is_said() -> None:
    dark = idle(unanswered=None, untold={"unanswered": "This system does not tell."})
    assert only(stuck.waiting_load, dark).sentence.endswith("This system does not tell.")
    blind = only(stuck.waiting_load, idle(unanswered=WAITS, cpu_s=None))
    assert blind.sentence.startswith("Not looked at: whether 1 request without an answer")
    untold = seen(replace(sample(0, None), not_told="It has no such list."))
    assert only(stuck.waiting_load, untold).sentence.endswith("It has no such list.")


# --- past its deadline ---------------------------------------------------------------------------


def late(overdue_s: float | None, **more: object) -> Seen:
    stay = Residency(A, at(-99), None, None, at(-50), False, overdue_s=overdue_s, **more)  # type: ignore[arg-type]
    return seen(sample(0, {A: -50}, {1: A}), stays=(stay,))


def test_busy_past_its_deadline() -> None:
    one = only(deadlines.overdue, late(20.0, why_resident="It answers a request."))
    assert one.severity == "note"
    assert "num_predict" in one.advice
    assert one.evidence[1:] == ("past its deadline for 20.0 s", "It answers a request.")
    assert only(deadlines.overdue, late(90.0)).severity == "warning"
    far = late(90.0)
    far = replace(far, samples=tuple(replace(one, runners=None) for one in far.samples))
    assert only(deadlines.overdue, far).sentence.startswith(f"{A} seems to be answering still")


def test_stuck_past_its_deadline() -> None:
    one = only(deadlines.overdue, late(20.0, is_stuck=True))
    assert (one.severity, one.unload) == ("fault", A)
    assert "starting Ollama anew" in one.advice


def test_in_time() -> None:
    assert only(deadlines.overdue, late(None)).severity == "good"
    assert only(deadlines.overdue, late(0.4)).severity == "good", "it leaves just now"
