"""What has failed lately, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from lifecycle_widgets.doctor.diagnosis import GOOD, NOTE, WARNING, Diagnosis, unseen
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.error_advice import advice_for
from lifecycle_widgets.monitor import Request
from lifecycle_widgets.runs import clock_text, counted, seconds_text
from lifecycle_widgets.short_texts import one_line

_NAME = "failures"
_MOST_LINES = 6
_SHORT = 200
_GIVEN_UP, _BUSY, _FAILED = 499, 503, 500
_MEANS = {
    _GIVEN_UP: ("given up by their clients before there was an answer", "Give the clients more "
                "time than a load takes, or preload the model.",
                ("a client that goes gives up the load",)),
    _BUSY: ("refused: the queue for loads was full", advice_for("server busy"),
            ("the queue has an end",)),
}  # fmt: skip


def lately(seen: Seen) -> Iterator[Diagnosis]:
    """Errors that are known in words, and requests of which only the status is known."""
    found = [*_in_words(seen), *_by_status(seen)]
    yield from found
    if "history" in seen.untold:
        yield unseen(_NAME, "the last days", seen.untold["history"])
    if not found:
        yield Diagnosis(_NAME, "No failure is known of.", severity=GOOD)


def _in_words(seen: Seen) -> Iterator[Diagnosis]:
    counts = Counter(seen.errors)
    for (model, said), number in counts.items():
        words = one_line(said, _SHORT)
        yield Diagnosis(
            _NAME,
            f"{model or 'A model'} failed: {words.rstrip('.')}.",
            (f"{counted(number, 'time')}: {words}",),
            advice_for(said, model or None) or "Ollama's log may say more.",
            WARNING,
        )


def _by_status(seen: Seen) -> Iterator[Diagnosis]:
    requests = [*(seen.requests_before or ()), *seen.requests]
    by_status: dict[int, list[Request]] = {}
    for request in dict.fromkeys(requests):
        if request.status == _GIVEN_UP or (request.status or 0) >= _FAILED:
            by_status.setdefault(request.status or 0, []).append(request)
    for status, failed in by_status.items():
        said, advice, facts = _MEANS.get(status, ("ended with an error", "Ollama's log has it: "
                                                  "look there at these times.", ()))  # fmt: skip
        yield Diagnosis(
            _NAME,
            f"{counted(len(failed), 'request')} {'was' if len(failed) == 1 else 'were'} {said} "
            f"(status {status}).",
            tuple(map(_line, failed[-_MOST_LINES:])),
            advice,
            NOTE if status == _GIVEN_UP else WARNING,
            facts,
        )


def _line(request: Request) -> str:
    at = request.ended_at or request.began_at
    when = clock_text(at) if at is not None else "when is not told"
    took = f" after {seconds_text(request.total_s)}" if request.total_s is not None else ""
    return f"{when}: {request.model or 'a model that is not told'}, {request.whose}{took}"
