"""Samples into stays: who was in memory, known by its runner where that can be seen.

A runner is one load. Where runners cannot be seen, a stay is what /api/ps lists without a gap.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from lifecycle_widgets.monitor.sample import Runner, Sample
from lifecycle_widgets.server import Resident

HICCUP_S = 3.0  # a server that does not answer for less may just be busy
DYING_S = 1.0  # a server that ends takes its runners with it, and they are gone before


@dataclass(slots=True, eq=False)
class Stay:
    """One model in memory, and what was noticed: each the first sample that showed it."""

    first: Sample
    model: str = ""
    runner: Runner | None = None  # as last seen
    resident: Resident | None = None  # as last listed
    held: Sample | None = None  # the last sample with its runner
    listed: Sample | None = None  # the last sample that lists it
    most_bytes: int = 0  # that its runner had
    due_s: float = math.inf  # when its deadline is, on the clock of durations
    is_settled: bool = False  # its first request has ended: until then the deadline moves along
    requests: int = 0  # that have ended in it, as far as its deadlines tell
    gone: Sample | None = None  # its runner is no more
    lost: Sample | None = None  # the server does not answer any more
    left: Sample | None = None  # the server answers, and does not list it
    zeroed_s: list[float] = field(default_factory=list)  # when requests with keep_alive 0 ended

    @property
    def last(self) -> Sample:
        """The last sample that shows it in memory."""
        return self.listed or self.held or self.first

    @property
    def ended(self) -> Sample | None:
        """Its runner is no more, and Ollama had not dropped it by then."""
        if self.gone is None or (self.left is not None and self.gone.t_s >= self.left.t_s):
            return None
        return self.gone

    @property
    def over_s(self) -> float:
        """When it was seen to be over, however; endless when it was not."""
        over = self.ended or self.left
        return math.inf if over is None else over.t_s

    # --- what a sample says of it ----------------------------------------------------------------

    def is_held(self, sample: Sample, runner: Runner) -> None:
        """Its runner is there."""
        self.runner, self.held, self.gone = runner, sample, None
        if runner.rss_bytes > self.most_bytes:
            self.most_bytes = runner.rss_bytes
        if self.resident is None and runner.model is not None:
            self.model = runner.model

    def is_listed(self, sample: Sample, resident: Resident) -> None:
        """It stands in /api/ps."""
        before = self.resident
        if before is None or resident.expires_at != before.expires_at:
            # seen for the first time: a clock that is set later does not change what it means
            left_s = left_of(resident, sample)
            self.due_s = sample.t_s + left_s
            # without time left it was an unload, or a request with keep_alive 0
            self.requests += self.is_settled and left_s > 0
        elif not self.is_settled and resident.expires_at and resident.expires_at.year > 1:
            self.is_settled = True  # the year 1: none was set
            self.requests += 1
        self.model, self.resident, self.listed, self.lost = resident.name, resident, sample, None


def left_of(resident: Resident, sample: Sample) -> float:
    """How long until its deadline, in seconds; endless when none is told."""
    left_s = resident.expires_in_s(sample.at)
    return math.inf if left_s is None else left_s


class Watch:
    """Takes in one sample after another, in order of time."""

    def __init__(self) -> None:
        self.stays: list[Stay] = []
        self.first_look: Sample | None = None  # at runners: when these began is not known
        self._held: dict[int, Stay] = {}  # of a runner's process, also when it is no more
        self._alive: list[Stay] = []  # whose runner is there
        self._listed: dict[str, Stay] = {}  # of a name in /api/ps
        self._unlisted: list[Stay] = []  # whose model may still be loading

    def see(self, sample: Sample) -> None:
        """Take it in: runners first, for these tell whose the listed models are."""
        if sample.runners or self._alive:
            self._see_runners(sample)
        if self.first_look is None and sample.runners is not None:
            self.first_look = sample
        if sample.residents is None:
            for stay in (*self._listed.values(), *self._unlisted):
                stay.lost = stay.lost or sample
        elif sample.residents or self._listed:
            self._see_residents(sample)
        if self._unlisted:
            self._unlisted = [stay for stay in self._unlisted if _may_be_lost(stay, sample)]
            if sample.residents is not None:
                for stay in self._unlisted:
                    stay.lost = None

    # --- runners ---------------------------------------------------------------------------------

    def _see_runners(self, sample: Sample) -> None:
        before, self._alive = self._alive, []
        for runner in sample.runners or ():
            stay = self._held.get(runner.pid)
            if stay is None or _is_another(stay, runner, sample):
                stay = self._new(sample)
                self._unlisted.append(stay)
                self._held[runner.pid] = stay
            stay.is_held(sample, runner)
            self._alive.append(stay)
        for stay in before:
            if stay.held is sample:
                continue
            if sample.runners is None and stay.resident is not None and stay.left is None:
                self._alive.append(stay)  # out of sight; /api/ps tells of it
            else:
                stay.gone = sample

    # --- what /api/ps lists ----------------------------------------------------------------------

    def _see_residents(self, sample: Sample) -> None:
        pids = {runner.model: runner.pid for runner in sample.runners or ()}
        before, self._listed = self._listed, {}
        for resident in sample.residents or ():
            if resident.name in self._listed:  # one of a name: the first
                continue
            stay = before.get(resident.name)
            if stay is None or stay.held is not sample:
                pid = pids.get(resident.name)
                held = self._held[pid] if pid else None
                if held is None and stay is None:
                    held = self._just_gone(sample, resident)
                stay = self._stay(sample, resident, stay, held)
            stay.is_listed(sample, resident)
            self._listed[resident.name] = stay
        for stay in before.values():
            if stay.listed is not sample:
                stay.left = sample

    def _just_gone(self, sample: Sample, resident: Resident) -> Stay | None:
        """Whose runner this sample misses for the first time: it was killed, and is listed still.

        One that was seen loading may have the name of its weights only, and be listed by another.
        """
        gone = [one for one in self._unlisted if one.gone is sample and one.resident is None]
        named = [one for one in gone if one.model == resident.name]
        return next(iter(named or (gone if len(gone) == 1 else ())), None)

    def _stay(
        self, sample: Sample, resident: Resident, before: Stay | None, held: Stay | None
    ) -> Stay:
        """Whose listing it is: ``before`` was listed so far, ``held`` is its runner's."""
        if held is None:
            if before is None or _is_loaded_anew(before, resident):
                return self._new(sample)
            return before
        if held.resident is None and before is not None and before.runner is None:
            self.stays.remove(held)  # it is the one that was listed
            before.first = min(held.first, before.first, key=lambda one: one.t_s)
            return self._with_runner_of(held, before, sample)
        has_other_name = held.resident is not None and held.model != resident.name
        if held.left is not None or held.listed is sample or has_other_name:
            return self._with_runner_of(held, self._new(sample), sample)
        return held

    def _new(self, sample: Sample) -> Stay:
        stay = Stay(sample)
        self.stays.append(stay)
        return stay

    def _with_runner_of(self, held: Stay, stay: Stay, sample: Sample) -> Stay:
        """The stay, with the runner that has been another's so far."""
        assert held.runner is not None
        stay.is_held(sample, held.runner)
        self._held[held.runner.pid] = stay
        self._alive = [stay if one is held else one for one in self._alive]
        self._unlisted = [one for one in self._unlisted if one is not held]
        return stay


def _is_another(stay: Stay, runner: Runner, sample: Sample) -> bool:
    """Whether a process that was seen before is a new one: numbers are given again."""
    over = stay.left or (stay.gone if stay.resident is None else None)
    if over is None or stay.gone is None:  # it could not be read for once, or is about to end
        return False
    known = stay.runner.weights if stay.runner is not None else None
    return runner.weights != known or sample.t_s - stay.gone.t_s >= HICCUP_S


def _is_loaded_anew(stay: Stay, resident: Resident) -> bool:
    """Whether /api/ps alone shows that what it lists is not what it listed before."""
    before = stay.resident
    if before is None or stay.runner is not None:
        return False
    contexts = before.context_length, resident.context_length
    digests = before.digest, resident.digest
    return any(all(pair) and pair[0] != pair[1] for pair in (contexts, digests))


def _may_be_lost(stay: Stay, sample: Sample) -> bool:
    """Whether a server that does not answer can still be what a runner ended with."""
    if stay.resident is not None:
        return False
    return stay.gone is None or sample.t_s - stay.gone.t_s <= DYING_S
