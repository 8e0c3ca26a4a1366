"""Stay: one model in memory, as it is being watched: what each sample adds is noted in it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from lifecycle_widgets.monitor.sample import Runner, Sample
from lifecycle_widgets.monitor.stays.uses import Uses
from lifecycle_widgets.server import FOREVER, Resident

_ALONG_S = 0.15  # a deadline that moves along with the clock does so to within this
_WHOLE_S = 0.2  # the list is read so long after the sample's time, at most as a rule
_LOOKS_S, _WORKS = 2.0, 0.02  # a runner works if it takes that share of a core for that long


@dataclass(slots=True, eq=False)
class Stay:
    """One model in memory, and what was noticed: each the first sample that showed it."""

    first: Sample
    model: str = ""
    runner: Runner | None = None  # as last seen
    resident: Resident | None = None  # as last listed
    held: Sample | None = None  # the last sample with its runner
    loaded: Sample | None = None  # the first sample that lists it
    listed: Sample | None = None  # the last sample that lists it
    most_bytes: int = 0  # that its runner had
    told_bytes: int | None = None  # the most that Ollama told, and of it on GPUs
    vram_bytes: int | None = None
    due_s: float = math.inf  # when its deadline is, on the clock of durations
    is_forever: bool = False  # no time limit is in force
    keep_s: float | None = None  # the keep_alive, as a deadline that moves along tells it
    is_settled: bool = False  # its first request has ended: until then the deadline moves along
    requests: int = 0  # that have ended in it, as far as its deadlines tell
    worked_s: float = -math.inf  # when its runner was last seen at work
    looked: tuple[float, float] | None = None  # when that was last looked at, and its CPU time
    gone: Sample | None = None  # its runner is no more
    lost: Sample | None = None  # the server does not answer any more
    left: Sample | None = None  # the server answers, and does not list it
    zeroed_s: list[float] = field(default_factory=list)  # when requests with keep_alive 0 ended
    uses: Uses = field(default_factory=Uses)  # what requests tell of it, by now

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

    @property
    def is_start_told(self) -> bool:
        """Whether it is told when its runner was started."""
        return self.runner is not None and self.runner.started_s is not None

    @property
    def began_s(self) -> float:
        """When its load began: its runner's own time, else when it was first seen."""
        started_s = None if self.runner is None else self.runner.started_s
        return self.first.t_s if started_s is None else min(started_s, self.first.t_s)

    # --- what a sample says of it ----------------------------------------------------------------

    def is_held(self, sample: Sample, runner: Runner) -> None:
        """Its runner is there."""
        self.runner, self.held, self.gone = runner, sample, None
        if runner.rss_bytes > self.most_bytes:
            self.most_bytes = runner.rss_bytes
        if self.resident is None and runner.model is not None:
            self.model = runner.model
        if runner.cpu_s is not None:
            self._see_work(sample.t_s, runner.cpu_s)

    def is_listed(self, sample: Sample, resident: Resident) -> None:
        """It stands in /api/ps."""
        before = self.resident
        if before is None or resident.expires_at != before.expires_at:
            self._see_deadline(sample, resident)
        elif not self.is_settled and resident.expires_at and resident.expires_at.year > 1:
            self.is_settled = True  # the year 1: none was set
            self.requests += 1
        if before is None:
            self.loaded = sample
        if resident is not before:  # the same object: nothing was told anew
            self.told_bytes = _most(self.told_bytes, resident.size_bytes)
            self.vram_bytes = _most(self.vram_bytes, resident.size_vram_bytes)
        self.model, self.resident, self.listed, self.lost = resident.name, resident, sample, None

    def _see_deadline(self, sample: Sample, resident: Resident) -> None:
        """A deadline that was not seen before."""
        # a clock that is set later does not change what it means
        left_s = left_of(resident, sample)
        self.due_s = sample.t_s + left_s
        self.is_forever = FOREVER.total_seconds() < left_s < math.inf
        # without time left it was an unload, or a request with keep_alive 0
        self.requests += self.is_settled and left_s > 0
        if self._moves_along(sample, resident):
            if self.keep_s is None or abs(left_s - self.keep_s) > 1:
                self.keep_s = _in_whole(left_s, exact=sample.runners is not None)
        elif self.is_settled:
            self.keep_s = None  # a later request may have had another

    def _moves_along(self, sample: Sample, resident: Resident) -> bool:
        """Whether it is in its first use: Ollama then tells now and the keep_alive, each time."""
        before, listed, now = self.resident, self.listed, resident.expires_at
        if self.is_settled or before is None or before.expires_at is None or now is None:
            return False
        assert listed is not None
        moved_s = (now - before.expires_at).total_seconds()
        return abs(moved_s - (sample.t_s - listed.t_s)) <= _ALONG_S

    def _see_work(self, t_s: float, cpu_s: float) -> None:
        if self.looked is None:
            self.looked = t_s, cpu_s
            return
        since_s, before_s = self.looked
        if cpu_s - before_s > _WORKS * _LOOKS_S:
            self.worked_s, self.looked = t_s, (t_s, cpu_s)
        elif t_s - since_s >= _LOOKS_S:
            self.looked = t_s, cpu_s


def left_of(resident: Resident, sample: Sample) -> float:
    """How long until its deadline, in seconds; endless when none is told."""
    left_s = resident.expires_in_s(sample.at)
    return math.inf if left_s is None else left_s


def _most(one: int | None, other: int | None) -> int | None:
    return other if one is None or (other is not None and other > one) else one


def _in_whole(seconds: float, *, exact: bool) -> float:
    """A keep_alive that was read from a deadline: of two machines' clocks in whole seconds."""
    whole = float(round(seconds))
    is_whole = whole >= 1 and 0 <= seconds - whole <= _WHOLE_S
    return whole if is_whole or not exact else round(seconds, 1)
