"""Clients that have the same weights loaded again and again, with other options each time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from lifecycle_widgets.doctor.diagnosis import GOOD, NOTE, WARNING, Diagnosis, unseen
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.monitor import Residency, Runner, RunnerSettings, Sample
from lifecycle_widgets.runs import clock_text, counted
from lifecycle_widgets.server import Resident, same_name

_NAME = "reloads"
_MOST_LINES = 6
_AT_ONCE = timedelta(seconds=10)  # from the eviction to the next load, as a history keeps them
_WORDS = {"context_length": "context", "kv_type_k": "KV type (K)", "kv_type_v": "KV type (V)"}
_ADVICE = (
    "Have all clients ask for one num_ctx: leave it out everywhere, and set OLLAMA_CONTEXT_LENGTH "
    "at the server, or PARAMETER num_ctx in the model's Modelfile."
)


@dataclass(frozen=True)
class Load:
    """A load that was seen: when, of which model, by what its weights are known, and how."""

    at: datetime
    model: str
    weights: str
    settings: RunnerSettings
    options: str | None = None

    def differs(self, other: Load) -> tuple[str, ...]:
        """How it was loaded otherwise than the other one, in words; empty when it was not."""
        mine, theirs = asdict(self.settings), asdict(other.settings)
        words = tuple(
            f"{_WORDS.get(name, name.replace('_', ' '))} {mine[name]}"
            for name in mine
            if None not in (mine[name], theirs[name]) and mine[name] != theirs[name]
        )
        if words or None in (self.options, other.options) or self.options == other.options:
            return words
        return (f"options {self.options}",)


def other_options(seen: Seen) -> Iterator[Diagnosis]:
    """The same weights loaded anew because another request wanted other options."""
    pairs = list(_pairs(loads(seen.samples)))
    before = list(_before(seen))
    if not pairs and not before:
        if seen.residents is None and (seen.latest is None or seen.latest.runners is None):
            yield unseen(_NAME, "whether models are loaded anew for other options",
                         seen.why_not("residents"))  # fmt: skip
        else:
            yield Diagnosis(_NAME, f"No model was loaded anew for other options{_since(seen)}.",
                            severity=GOOD)  # fmt: skip
    for weights in dict.fromkeys(second.weights for _, second in pairs):
        yield _diagnosis([pair for pair in pairs if pair[1].weights == weights])
    if before:
        yield _of_history(before)


def _diagnosis(pairs: Sequence[tuple[Load, Load]]) -> Diagnosis:
    first, last = pairs[0][0], pairs[-1][1]
    models = " and ".join(sorted({load.model for pair in pairs for load in pair if load.model}))
    lines = [_line(first, first.differs(pairs[0][1]))]
    lines += [_line(second, second.differs(one)) for one, second in pairs]
    one_time = len(pairs) == 1
    return Diagnosis(
        _NAME,
        f"{models or 'A model'} was loaded anew with other options "
        + (f"at {clock_text(last.at)}." if one_time else
           f"{len(pairs)} times from {clock_text(first.at)} to {clock_text(last.at)}."),
        _few(lines),
        _ADVICE,
        NOTE if one_time else WARNING,
        ("option num_ctx reloads", "other options forget the prompt"),
    )  # fmt: skip


def _line(load: Load, differs: Iterable[str]) -> str:
    return f"{clock_text(load.at)}: {load.model} with {', '.join(differs)}"


def _few(lines: Sequence[str]) -> tuple[str, ...]:
    if len(lines) <= _MOST_LINES:
        return tuple(lines)
    return (*lines[:2], f"({len(lines) - _MOST_LINES} more)", *lines[2 - _MOST_LINES :])


def _since(seen: Seen) -> str:
    return f" since {clock_text(seen.samples[0].at)}" if seen.samples else ""


# --- loads, by the samples -----------------------------------------------------------------------


def loads(samples: Sequence[Sample]) -> list[Load]:
    """The loads that can be told in samples: by runners where these are seen, else by /api/ps."""
    found = [*_by_runners(samples), *_by_listings(samples)]
    return sorted(found, key=lambda load: load.at)


def _by_runners(samples: Iterable[Sample]) -> Iterable[Load]:
    found: dict[int, Load] = {}
    for sample in samples:
        for runner in sample.runners or ():
            known = found.get(runner.pid)
            if known is None or not known.model or known.settings.context_length is None:
                load = _of_runner(sample, runner)
                found[runner.pid] = load if known is None else replace(load, at=known.at)
    return (load for load in found.values() if load.weights)


def _by_listings(samples: Iterable[Sample]) -> Iterator[Load]:
    """Another context of the same manifest is another load, where runners cannot be seen."""
    contexts: dict[str, int] = {}
    for sample in samples:
        for one in (sample.residents or ()) if sample.runners is None else ():
            context = one.context_length
            if one.digest and context is not None and contexts.get(one.digest) != context:
                contexts[one.digest] = context
                yield Load(sample.at, one.name, one.digest, RunnerSettings(context_length=context))


def _of_runner(sample: Sample, runner: Runner) -> Load:
    listed = _listing(sample, runner)
    settings = runner.settings or RunnerSettings()
    if settings.context_length is None and listed is not None:
        settings = replace(settings, context_length=listed.context_length)
    return Load(sample.at, runner.model or "", runner.weights or "", settings, runner.options)


def _listing(sample: Sample, runner: Runner) -> Resident | None:
    """Its entry in /api/ps; of two runners of the same weights, one may be leaving: then none."""
    assert sample.runners is not None
    if sum(other.weights == runner.weights for other in sample.runners) > 1:
        return None
    named = (r for r in sample.residents or () if same_name(r.name, runner.model or ""))
    return next(named, None)


def _pairs(found: Iterable[Load]) -> Iterator[tuple[Load, Load]]:
    """Each two loads of the same weights, one after the other, that differ."""
    by_weights: dict[str, list[Load]] = {}
    for load in found:
        by_weights.setdefault(load.weights, []).append(load)
    pairs = [pair for group in by_weights.values() for pair in pairwise(group)]
    yield from (pair for pair in pairs if pair[1].differs(pair[0]))


# --- loads, by the history -----------------------------------------------------------------------


def _before(seen: Seen) -> Iterator[tuple[Residency, Residency]]:
    """Stays that a history has: evicted, and the same model loaded again at once."""
    first_at = seen.samples[0].at if seen.samples else None
    by_model: dict[str, list[Residency]] = {}
    for stay in seen.stays_before or ():
        if first_at is None or stay.since < first_at:
            by_model.setdefault(stay.model, []).append(stay)
    for stays in by_model.values():
        for one, other in pairwise(sorted(stays, key=lambda stay: stay.since)):
            ended = one.until
            if one.why == "evicted" and ended is not None and other.since - ended < _AT_ONCE:
                yield one, other


def _of_history(pairs: Sequence[tuple[Residency, Residency]]) -> Diagnosis:
    models = " and ".join(sorted({one.model for one, _ in pairs}))
    lines = [
        f"{clock_text(other.since)}: {other.model} evicted, and loaded again at once"
        for _, other in pairs
    ]
    return Diagnosis(
        _NAME,
        f"In the last days {models} made room for itself {counted(len(pairs), 'time')}: it was "
        "loaded anew with other options.",
        _few(lines),
        _ADVICE,
        NOTE if len(pairs) == 1 else WARNING,
        ("option num_ctx reloads",),
    )
