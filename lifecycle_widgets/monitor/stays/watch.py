"""Samples into stays: who was in memory, known by its runner where that can be seen.

A runner is one load. Where runners cannot be seen, a stay is what /api/ps lists without a gap.
"""

from __future__ import annotations

from collections.abc import Set

from lifecycle_widgets.monitor.sample import Runner, Sample
from lifecycle_widgets.monitor.stays.stay import Stay
from lifecycle_widgets.server import Resident

HICCUP_S = 3.0  # a server that does not answer for less may just be busy
DYING_S = 1.0  # a server that ends takes its runners with it, and they are gone before


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

    def forget(self, stays: Set[Stay]) -> Set[Stay]:
        """Keep nothing of these, but of those whose runner is there; returns the others."""
        gone = stays - set(self._alive)
        if gone:
            self.stays = [stay for stay in self.stays if stay not in gone]
            self._held = {pid: stay for pid, stay in self._held.items() if stay not in gone}
            self._listed = {name: s for name, s in self._listed.items() if s not in gone}
            self._unlisted = [stay for stay in self._unlisted if stay not in gone]
        return gone

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
    known = stay.runner.weights if stay.runner is not None else None
    if over is None or (stay.gone is None and None in (known, runner.weights)):
        return False  # it could not be read for once, or is about to end
    if runner.weights != known:
        return True
    return stay.gone is not None and sample.t_s - stay.gone.t_s >= HICCUP_S


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
