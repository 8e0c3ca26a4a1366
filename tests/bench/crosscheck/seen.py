"""What was seen of a run, of an experiment and of memory: ours beside the witnesses'."""

from __future__ import annotations

from dataclasses import dataclass

from lifecycle_widgets.experiments import ColdAndWarmResult
from lifecycle_widgets.runs import Run
from tests.bench.crosscheck.ollama_log import Completion
from tests.bench.crosscheck.socket_clock import Exchange


@dataclass
class Asked:
    """A run of ours, and what the witnesses saw of it."""

    scene: str
    run: Run
    began_s: float  # monotonic, around the whole call
    ended_s: float
    exchanges: list[Exchange]  # none when it did not go by the relay
    completions: list[Completion]  # none when it was scripted, stopped, or not the only one
    whole_prompts: list[int]  # of those that were cut

    @property
    def is_own(self) -> bool:
        """Whether the monitor's own Server asked."""
        return not self.exchanges

    def __str__(self) -> str:
        run = self.run
        return f"{self.scene}, {run.model}, keep_alive {run.keep_alive}, at {run.started_at:%X.%f}"


@dataclass
class Measured:
    """An experiment, and what the witnesses saw of it."""

    scene: str
    result: ColdAndWarmResult
    ttfts_s: list[float]  # of each request that was answered with a token, in order
    loads: int


@dataclass
class Weighed:
    """The runners' memory at one moment, in bytes: as sampled, and as the kernel counts."""

    scene: str
    sampled: dict[int, int]
    pages: dict[int, int]
    account: int | None  # of all of them; None where there is no control group
    told: int  # of all of them, as /api/ps estimates it
