"""Lane: one arm while it is measured, with its server, its monitor and its place in the calls."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lifecycle_widgets.agent import RunFailed
from lifecycle_widgets.experiments.held import gb_seconds, memory_source, over_time
from lifecycle_widgets.monitor import Monitor, Residency
from lifecycle_widgets.monitor.runners import RunnerWatch
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import (
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
    full_name,
)

if TYPE_CHECKING:
    from lifecycle_widgets.experiments.arms import Arm, Call

_LEAVES_WITHIN_S = 2.0  # after keep_alive 0; Ollama takes up to half a second
_ROUND_S = 3
NOBODY = "none"


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
    """

    def __init__(self, arm: Arm, server: Server, *, private: bool) -> None:
        self.arm, self.server = arm, server
        self.models = {full_name(call.model) for call in arm.calls}
        self.sandbox: Sandbox | None = None
        if private:
            settings: dict[str, Any] = {n: str(value) for n, value in arm.settings.items()}
            self.sandbox = Sandbox(models=sorted(self.models), **settings)
        self.done = 0  #: how many calls have been made
        self._began = (datetime.now().astimezone(), 0.0)  # the first call, on two clocks
        self._ended_s = 0.0
        self._used_s: dict[str, float] = {}  # when each model's last call ended
        self._late: list[tuple[float, float]] = []  # when a call was due, and when it began
        self._monitor: Monitor | None = None
        self._watch: RunnerWatch | None = None
        self._digests: set[str | None] = set()

    # --- from the beginning to the end -----------------------------------------------------------

    def open(self) -> None:
        """Start its Ollama, if it has one of its own, and the monitor; nothing is in memory then.

        Raises
        ------
        SandboxError, ServerUnreachable
        """
        if self.sandbox is not None:
            self.server = Server(self.sandbox.start().url)
        self._unload()
        self._digests = {self.server.weights_digest(model) for model in self.models}
        port = urlsplit(self.server.url).port
        if self.server.is_local and port:
            self._watch = RunnerWatch(port)
        planned_s = sum(call.gap_s + 60 for call in self.arm.calls)
        self._monitor = Monitor(self.server, history_s=600 + planned_s).start()

    def close(self) -> None:
        """End the monitor, unload the models, end its Ollama. A server that is gone has none."""
        if self._monitor is not None:
            self._monitor.stop()
        if self.sandbox is not None:
            self.sandbox.stop()
            self.server.close()
            return
        try:
            self._unload()
        except (ServerUnreachable, ServerError, UnknownModel, TimeoutError):
            pass

    def _unload(self) -> None:
        for resident in self.server.residents():
            if full_name(resident.name) in self.models:
                self.server.unload(resident.name)

    def explained(self, fault: Exception) -> Exception:
        """The same fault, in words for a private Ollama that the reader did not start."""
        if self.sandbox is None or self.sandbox.is_running:
            return fault
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
        overdue = time.monotonic() - self._ended_s > _LEAVES_WITHIN_S
        return not overdue and self.server.resident(model) is not None

    def look(self, model: str) -> Mapping[str, Any]:
        """Who is in memory now, how much they hold, and when the model would leave."""
        residents = [r for r in self.server.residents() if full_name(r.name) in self.models]
        mine = next((r for r in residents if full_name(r.name) == full_name(model)), None)
        on_gpu = any(r.size_vram_bytes for r in residents)
        if self._watch is None or on_gpu:
            held = sum(r.size_bytes for r in residents)
        else:
            held = sum(f.rss_bytes for f in self._watch.scan() if f.digest in self._digests)
        left_s = math.nan
        if mine is not None:
            left_s = math.inf if mine.is_forever else round(mine.expires_in_s(), _ROUND_S)
        return {
            "residents": ", ".join(sorted(r.name for r in residents)) or NOBODY,
            "held_bytes": held,
            "expires_in_s": left_s,
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
        source = memory_source(samples)
        points = over_time(samples, self.models, source)
        late_s = sum(to_s - from_s for from_s, to_s in self._late)
        gb_s = gb_seconds(points, began_s, self._ended_s)
        gb_s -= sum(gb_seconds(points, from_s, to_s) for from_s, to_s in self._late)
        during = [(t_s, held) for t_s, held in points if began_s <= t_s <= self._ended_s]
        return {
            "arm": self.arm.name,
            "keep_alive": self.arm.keep_alive.to_json(),
            "settings": dict(self.arm.settings),
            "started_at": at.isoformat(timespec="milliseconds"),
            "span_s": round(self._ended_s - began_s - late_s, _ROUND_S),
            "late_s": round(late_s, _ROUND_S),
            "gb_s": round(gb_s, _ROUND_S),
            "peak_gb": round(max((held for _, held in during), default=0.0) / 1e9, _ROUND_S),
            "memory_source": source,
            "memory": [[round(t_s - began_s, 2), int(held)] for t_s, held in during],
            "residencies": [self._stay(r, at) for r in self._monitor.residencies() if self._own(r)],
        }

    def _own(self, stay: Residency) -> bool:
        began = stay.until is None or stay.until >= self._began[0]
        return began and full_name(stay.model) in self.models

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
        }
