"""Models that are past their deadline: busy, or stuck ("Stopping..." in `ollama ps`)."""

from __future__ import annotations

from collections.abc import Iterator

from lifecycle_widgets.doctor.diagnosis import FAULT, GOOD, NOTE, WARNING, Diagnosis, unseen
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.monitor import Residency
from lifecycle_widgets.runs import clock_text, seconds_text

_NAME = "past its deadline"
_LONG_S = 60.0  # an answer of a small model is over by then
_MOMENT_S = 2.0  # it leaves just now


def overdue(seen: Seen) -> Iterator[Diagnosis]:
    """Models in memory whose time is over."""
    if seen.residents is None:
        yield unseen(_NAME, "until when models stay", seen.why_not("residents"))
        return
    late = [s for s in seen.stays if s.until is None and (s.overdue_s or 0.0) > _MOMENT_S]
    is_seen = seen.latest is not None and seen.latest.runners is not None
    yield from (_diagnosis(stay, is_seen=is_seen) for stay in late)
    if not late:
        yield Diagnosis(_NAME, "No model is past its deadline.", severity=GOOD)


def _diagnosis(stay: Residency, *, is_seen: bool) -> Diagnosis:
    late_s = stay.overdue_s or 0.0
    evidence = [f"past its deadline for {seconds_text(late_s)}"]
    if stay.expires_at is not None:
        evidence.insert(0, f"{stay.model}: its deadline was {clock_text(stay.expires_at)}")
    if stay.why_resident:
        evidence.append(stay.why_resident)
    if stay.is_stuck:
        return Diagnosis(
            _NAME,
            f"{stay.model} is stuck: its time is over ('Stopping...' in `ollama ps`), and its "
            "runner does nothing.",
            tuple(evidence),
            "Unload it; if it stays then, only starting Ollama anew frees its memory.",
            FAULT,
            ("no clock runs while it is busy",),
            unload=stay.model,
        )
    return Diagnosis(
        _NAME,
        f"{stay.model} {'is' if is_seen else 'seems to be'} answering still, though its time is "
        "over ('Stopping...' in `ollama ps`): its clock starts anew when the answer has ended.",
        tuple(evidence),
        "Nothing, if the answer is wanted. One that never ends is bounded by num_predict; who "
        "has asked can stop it by closing the connection.",
        WARNING if late_s > _LONG_S else NOTE,
        ("no clock runs while it is busy", "a busy model leaves when it is done"),
    )
