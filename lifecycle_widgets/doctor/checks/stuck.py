"""The stuck loader: a load that waits for ever, though a model could leave for it.

Ollama tells nothing of it: models in memory answer, and /api/ps looks healthy. What shows is a
request that waits, while nothing loads, as many models as there may be are in memory, and one of
them is idle: Ollama would have it leave at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lifecycle_widgets.doctor.diagnosis import FAULT, GOOD, WARNING, Diagnosis, unseen
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.facts import holds_in
from lifecycle_widgets.monitor import OURS, Runner, Sample
from lifecycle_widgets.runs import counted, seconds_text
from lifecycle_widgets.server import Resident, same_name

_NAME = "stuck loader"
_FACT = "the queue hangs"
_LONG_S = 5.0  # in so long Ollama makes room, also on a GPU
_OURS_MOST = 3  # models without a GPU, where nobody has set a limit
_LOOK_BACK_S = 3.0
_IDLE = 0.05  # of a core
_GPU_IDLE = 0.1


@dataclass(frozen=True)
class _Waits:
    """A request that waits: in words, and for how long; ``is_sure`` that it waits for a load."""

    words: str
    age_s: float
    is_sure: bool
    is_ours: bool = False


def waiting_load(seen: Seen) -> Iterator[Diagnosis]:
    """A load that waits although it could begin."""
    sample = seen.latest
    if sample is None or sample.residents is None:
        yield unseen(_NAME, "whether a load waits for ever", seen.why_not("residents"))
        return
    if not holds_in(_FACT, seen.version):
        yield Diagnosis(_NAME, f"Ollama {seen.version} does not have it.", severity=GOOD)
        return
    waits = _waiting(seen, sample)
    stuck = [one for one in waits if one.age_s >= _LONG_S]
    idle, busy = _idle_and_busy(seen, sample)
    waits_for_room = not busy or any(one.is_ours for one in stuck)  # else: for who is at work
    if stuck and idle and waits_for_room and _is_full(sample) and _rests(seen, sample):
        yield _diagnosis(sample, stuck, idle, busy)
        return
    if seen.unanswered is None and not waits:
        yield unseen(_NAME, "whether requests of other clients wait for a load",
                     seen.why_not("unanswered"))  # fmt: skip
    elif stuck and not idle and not busy and sample.residents:
        yield unseen(_NAME, f"whether {counted(len(stuck), 'request')} without an answer for "
                     f"{seconds_text(stuck[0].age_s)} will get one",
                     "What the runners do cannot be seen.")  # fmt: skip
    else:
        yield Diagnosis(_NAME, "No load waits for ever.", severity=GOOD)


def _diagnosis(
    sample: Sample, stuck: list[_Waits], idle: list[Resident], busy: list[str]
) -> Diagnosis:
    victim, others = idle[0], f" {busy[0]} is at work: it may be waited for." if busy else ""
    names = [resident.name for resident in sample.residents or ()]
    is_sure = not busy and sample.most_models is not None and any(one.is_sure for one in stuck)
    return Diagnosis(
        _NAME,
        f"A load has been waiting for {seconds_text(max(one.age_s for one in stuck))}"
        f"{', and will for ever' if is_sure else ''}: nothing loads, though {victim.name} is idle "
        f"and could leave for it.{others}",
        (
            *(one.words for one in stuck),
            f"in memory: {', '.join(names)}; there may be {_most(sample)}"
            + ("" if sample.most_models else ", if nobody has set a limit"),
            "no runner loads",
            *(f"{one.name}: its runner does nothing" for one in idle),
        ),
        f"Unload {victim.name} (ollama stop {victim.name}): the load goes on at once. Nothing "
        "has to be started anew.",
        FAULT if is_sure else WARNING,
        (_FACT,),
        unload=victim.name,
    )


def _waiting(seen: Seen, sample: Sample) -> list[_Waits]:
    """Requests that may wait for a load: ours by name, others' by their connections."""
    found = []
    for request in seen.requests:
        if request.whose == OURS and request.ended_at is None and request.began_s is not None:
            listed = any(seen.is_one_model(r.name, request.model) for r in sample.residents or ())
            if not listed:
                age_s = sample.t_s - request.began_s
                words = f"a request of ours to {request.model} waits for {seconds_text(age_s)}"
                found.append(_Waits(words, age_s, True, True))
    if found:  # they have a connection each
        return found
    far = any(model.is_cloud for model in seen.models or ())  # a cloud's answer is waited for, too
    for one in seen.unanswered or ():
        whose = f"{one.program} (process {one.pid})" if one.pid else "another client"
        words = f"a request of {whose} has had no answer for {seconds_text(one.age_s)}"
        found.append(_Waits(words, one.age_s, not far))
    return found


def _most(sample: Sample) -> int:
    return sample.most_models or _OURS_MOST * max(len(sample.cards), 1)


def _is_full(sample: Sample) -> bool:
    return len(sample.residents or ()) >= _most(sample)


def _rests(seen: Seen, sample: Sample) -> bool:
    """Whether nothing has come, left or loaded lately; one that loads has a runner, unlisted."""
    recent = [s for s in seen.samples if sample.t_s - s.t_s <= _LOOK_BACK_S]
    if any(len(s.runners or ()) > len(s.residents or ()) for s in recent):
        return False
    if any(stay.is_loading and stay.until is None for stay in seen.stays):
        return False
    return len({frozenset(r.name for r in s.residents or ()) for s in recent}) == 1


def _idle_and_busy(seen: Seen, sample: Sample) -> tuple[list[Resident], list[str]]:
    """The models that do nothing, the one that expires first foremost; and those at work.

    By the CPU of their runners; a GPU that is at work leaves open whose work that is.
    """
    earlier = next((s for s in seen.samples if sample.t_s - s.t_s <= _LOOK_BACK_S), sample)
    at_work = {
        name: _is_busy(runner, earlier, sample)
        for runner in sample.runners or ()
        if (name := runner.model) is not None
    }
    busy = [name for name, works in at_work.items() if works]
    if any((gpu.utilization or 0.0) > _GPU_IDLE for gpu in sample.gpus):
        return [], busy
    resting = [name for name, works in at_work.items() if works is False]
    idle = [r for r in sample.residents or () if any(same_name(r.name, n) for n in resting)]
    return sorted(idle, key=lambda r: r.expires_in_s(sample.at) or 0.0), busy


def _is_busy(runner: Runner, earlier: Sample, sample: Sample) -> bool | None:
    before = next((r for r in earlier.runners or () if r.pid == runner.pid), None)
    if before is None or before.cpu_s is None or runner.cpu_s is None or earlier is sample:
        return None
    return runner.cpu_s - before.cpu_s > _IDLE * (sample.t_s - earlier.t_s)
