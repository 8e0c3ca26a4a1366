"""Lane: one arm while it is measured, with its server, its monitor and its place in the calls."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from lifecycle_widgets.agent import RunFailed
from lifecycle_widgets.experiments.arms.arm import Arm, Call
from lifecycle_widgets.experiments.ground.held import (
    gb_seconds,
    held_bytes,
    memory_source,
    over_time,
)
from lifecycle_widgets.monitor import Monitor, Residency, Sample
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import NotTold, Resident, Server, full_name

_ENDS_WITHIN_S = 2.0  # a process that answers no more is known a moment later to have ended
_LEAVES_WITHIN_S = 2.0  # after keep_alive 0; Ollama takes up to half a second
_ROUND_S = 3
NOBODY, NOT_TOLD = "none", "not told"


class Lane:
    """One arm while it is measured.

    Parameters
    ----------
    arm:
        What is measured.
    server:
        The server that it runs on, unless it is ``private``.
    private:
        It gets an Ollama of its own, with the arm's settings.
    context:
        The context's length on that one, in tokens; None: as Ollama sets it.
    """

    def __init__(
        self, arm: Arm, server: Server, *, private: bool, context: int | None = None
    ) -> None:
        self.arm, self.server = arm, server
        self.models = {full_name(call.model) for call in arm.calls}
        self.sandbox: Sandbox | None = None
        if private:
            settings: dict[str, Any] = {n: str(value) for n, value in arm.settings.items()}
            self.sandbox = Sandbox(
                models=sorted(self.models), OLLAMA_CONTEXT_LENGTH=context, **settings
            )
        self.done = 0  #: how many calls have been made
        self._began = (datetime.now().astimezone(), 0.0)  # the first call, on two clocks
        self._ended_s = 0.0
        self._used_s: dict[str, float] = {}  # when each model's last call ended
        self._late: list[tuple[float, float]] = []  # when a call was due, and when it began
        self._monitor: Monitor | None = None

    # --- from the beginning to the end -----------------------------------------------------------

    def open(self) -> None:
        """Start its Ollama, if it has one of its own, and the monitor.

        On a person's own server the models have left memory by then: that is not for a lane to do.

        Raises
        ------
        SandboxError, ServerUnreachable
        """
        if self.sandbox is not None:
            self.server = Server(self.sandbox.start().url)
        planned_s = sum(call.gap_s + 60 for call in self.arm.calls)
        self._monitor = Monitor(self.server, history_s=600 + planned_s).start()

    def close(self) -> None:
        """End the monitor, and its Ollama, if it has one of its own."""
        if self._monitor is not None:
            self._monitor.stop()
        if self.sandbox is not None:
            self.sandbox.stop()
            self.server.close()

    def explained(self, fault: Exception) -> Exception:
        """The same fault, in words for a private Ollama that the reader did not start."""
        if self.sandbox is None or self.server.answers():
            return fault
        until_s = time.monotonic() + _ENDS_WITHIN_S
        while self.sandbox.is_running:
            if time.monotonic() > until_s:
                return fault
            time.sleep(0.02)
        return RunFailed(
            f"The private Ollama of the arm keep_alive {self.arm.name} has ended in the middle of "
            "the experiment: something has killed it. Run the experiment again."
        )

    # --- its place in the calls ------------------------------------------------------------------

    @property
    def next_call(self) -> Call:
        return self.arm.calls[self.done]

    @property
    def is_over(self) -> bool:
        return self.done == len(self.arm.calls)

    @property
    def has_paused(self) -> bool:
        """True when it has come to its longest pause, or to its end."""
        return self.is_over or self.done >= self.arm.longest

    @property
    def gap_s(self) -> float:
        """The pause that its next call is to come after; endless before the first."""
        return self.next_call.gap_s if self.done else math.inf

    def due_in_s(self) -> float:
        """How long until its next call is due; below 0 when it is late, 0 before the first."""
        return self._ended_s + self.gap_s - time.monotonic() if self.done else 0.0

    def called(self, took_s: float) -> Mapping[str, float]:
        """A call has just ended, which took so long. The pauses there were before it, in seconds.

        ``start_s`` is when it began, since the arm's first call began. ``gap_s``, since the last
        call, and ``idle_s``, since the last call of this model, are NaN where there was none.
        """
        now_s, model = time.monotonic(), full_name(self.next_call.model)
        began_s = now_s - took_s
        if self.done and began_s > self._ended_s + self.gap_s:
            self._late.append((self._ended_s + self.gap_s, began_s))
        gap_s = began_s - self._ended_s if self.done else math.nan
        idle_s = began_s - self._used_s.get(model, math.nan)
        if not self.done:
            at = datetime.now().astimezone() - timedelta(seconds=took_s)
            self._began = at, began_s
        self._ended_s = self._used_s[model] = now_s
        self.done += 1
        return {"start_s": began_s - self._began[1], "gap_s": gap_s, "idle_s": idle_s}

    # --- what is in memory -----------------------------------------------------------------------

    def is_leaving(self, model: str) -> bool:
        """True while a model that is to leave at once is still there (but not for very long)."""
        if time.monotonic() - self._ended_s > _LEAVES_WITHIN_S:
            return False
        try:
            return self.server.resident(model) is not None
        except NotTold:
            return False

    def look(self, model: str) -> Mapping[str, Any]:
        """Who is in memory now, how much they hold, and when the model would leave."""
        assert self._monitor is not None
        sample = self._monitor.read()
        # one that did not answer the monitor at once is asked with more patience
        listed = self.server.residents() if sample.error else sample.residents
        names = self._names(listed or ())
        mine = self.server.match(model, listed or ())
        left_s = mine.expires_in_s() if mine is not None else None
        if left_s is not None and mine is not None:
            left_s = math.inf if mine.is_forever else round(left_s, _ROUND_S)
        ours = sorted(r.name for r in listed or () if full_name(r.name) in names)
        return {
            "residents": NOT_TOLD if listed is None else ", ".join(ours) or NOBODY,
            "held_bytes": held_bytes(sample.runners, listed, names, memory_source([sample])),
            "expires_in_s": math.nan if left_s is None else left_s,
        }

    def _names(self, residents: Iterable[Resident]) -> set[str]:
        """The arm's models, and the names under which their weights are in memory."""
        entries = {(resident.name, resident.digest): resident for resident in residents}
        matches = (self.server.match(m, [r]) for r in entries.values() for m in self.models)
        return self.models | {full_name(match.name) for match in matches if match is not None}

    def _names_of_runners(self, samples: Iterable[Sample]) -> set[str]:
        """Those under which the arm's weights were seen, which /api/ps may never have listed."""
        seen = {r.model for s in samples for r in s.runners or () if r.model is not None}
        return {
            full_name(name)
            for name in seen
            if any(self.server.same_model(name, model) for model in self.models)
        }

    def facts(self) -> dict[str, Any]:
        """What the monitor saw from the start of the first call to the end of the last one.

        Two times do not count, so that all arms are measured over the same schedule: after the
        last call (nobody knows when the next one would have come), and when a call was due and
        had to wait for another arm's to end (``late_s``).
        """
        assert self._monitor is not None
        at, began_s = self._began
        samples = [s for s in self._monitor.samples if s.t_s > began_s - 2]
        names = self._names(r for s in samples for r in s.residents or ())
        names |= self._names_of_runners(samples)
        source = memory_source(samples)
        points = over_time(samples, names, source)
        late_s = sum(to_s - from_s for from_s, to_s in self._late)
        gb_s = gb_seconds(points, began_s, self._ended_s)
        gb_s -= sum(gb_seconds(points, from_s, to_s) for from_s, to_s in self._late)
        during = [(t_s, held) for t_s, held in points if began_s <= t_s <= self._ended_s]
        return {
            "arm": self.arm.name,
            "keep_alive": self.arm.keep_alive.to_json(),
            "settings": dict(self.arm.settings),
            "planned": len(self.arm.calls),
            "started_at": at.isoformat(timespec="milliseconds"),
            "span_s": round(self._ended_s - began_s - late_s, _ROUND_S),
            "late_s": round(late_s, _ROUND_S),
            "gb_s": round(gb_s, _ROUND_S) if points else None,
            "peak_gb": round(max(h for _, h in during) / 1e9, _ROUND_S) if during else None,
            "memory_source": source,
            "unseen": _why_unseen(samples),
            "memory": [[round(t_s - began_s, 2), int(held)] for t_s, held in during],
            "residencies": [
                self._stay(stay, at)
                for stay in self._monitor.residencies()
                if full_name(stay.model) in names and self._is_from_then_on(stay)
            ],
        }

    def _is_from_then_on(self, stay: Residency) -> bool:
        return stay.until is None or stay.until >= self._began[0]

    def _stay(self, stay: Residency, at: datetime) -> dict[str, Any]:
        """In seconds since the first call; what ended later than the last call had not ended."""
        span_s = self._ended_s - self._began[1]
        end_s = None if stay.until is None else (stay.until - at).total_seconds()
        if end_s is not None and end_s > span_s + _LEAVES_WITHIN_S:
            end_s = None
        return {
            "model": stay.model,
            "start_s": round(max(0.0, (stay.since - at).total_seconds()), _ROUND_S),
            "end_s": None if end_s is None else round(min(end_s, span_s), _ROUND_S),
            "why": None if end_s is None else stay.why,
            "loads": stay.loads,
            "requests": stay.requests,
        }


def _why_unseen(samples: Sequence[Sample]) -> str | None:
    """Why the runners could not be seen with models in memory; None when they could."""
    return next((s.unseen for s in samples if s.residents and s.unseen), None)
