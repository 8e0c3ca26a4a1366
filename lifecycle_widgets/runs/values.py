"""The values of a run, and what follows from them alone; what is said of a run rests on these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs.heat import differs, heat_text
from lifecycle_widgets.runs.parts import parts_of
from lifecycle_widgets.runs.step import Step
from lifecycle_widgets.runs.timings import Timings

Think = bool | Literal["low", "medium", "high"] | None
"""Whether, and how much, a model is to think before it answers; None: not sent."""


@dataclass(frozen=True, repr=False)
class RunValues:
    """What a run was asked, what came back, what it cost. `Run` says what each value is."""

    model: str
    keep_alive: KeepAlive
    prompt: str
    answer: str
    started_at: datetime
    timings: Timings
    steps: tuple[Step, ...] = ()
    was_resident: bool | None = None
    stopped: bool = False
    error: str | None = None
    server_url: str = ""
    thinking: str = ""
    think: Think = None
    remote_host: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)
    history: tuple[tuple[str, str], ...] = ()
    context_length: int | None = None
    context_before: int | None = None
    structure: str = "Agent"
    keep_alives: Mapping[str, str] = field(default_factory=dict, hash=False)
    held: bool = False
    said: tuple[str, ...] = ()

    @property
    def models(self) -> tuple[str, ...]:
        """The models that it asked, in the order of their first requests."""
        asked = dict.fromkeys(step.model or self.model for step in self.steps)
        return tuple(asked) or (self.model,)

    @property
    def requests(self) -> tuple[Timings, ...]:
        """The timings of each request alone, from when it was sent."""
        return tuple(step.timings for step in self.steps)

    @property
    def loads(self) -> int | None:
        """How many of its requests had to load their model; None when that is not known of one."""
        loaded = [step.loaded for step in self.steps]
        return None if None in loaded else sum(map(bool, loaded))

    @property
    def heat(self) -> str | None:
        """How cold its first request was, in a few words; None when it is not known.

        Examples
        --------
        >>> asked = KeepAlive(None), "Hi", "Hello", datetime.now(), Timings(1.0)
        >>> RunValues("qwen3:4b", *asked, (Step(0.0, Timings(1.0), loaded=True),), True).heat
        'in memory, but loaded anew'
        """
        loaded = self.steps[0].loaded if self.steps else None
        is_one = len(self.models) == 1  # else its options are not those of the first
        others = is_one and differs(self.options, self.context_before, self.context_length)
        return heat_text(self.was_resident, loaded, other_options=others)

    @property
    def parts(self) -> dict[str, float]:
        """Where the time went: seconds by part, which add up to ``timings.total_s``.

        ``load``, ``prompt eval``, ``eval`` (as the server tells them), ``tools``; where there are
        any ``embeddings``, and what the server did ``not told`` of a request; and ``griptape and
        network``: the rest. What went on at once shares its time equally.

        Examples
        --------
        >>> asked = KeepAlive(None), "Hi", "Hello", datetime.now()
        >>> told = Timings(2.0, load_s=1.0, prompt_eval_s=0.25, eval_s=0.5)
        >>> run = RunValues("qwen3:4b", *asked, Timings(2.25), (Step(0.0, told),))
        >>> run.parts["griptape and network"], sum(run.parts.values())
        (0.5, 2.25)
        """
        return parts_of(self.steps, self.timings.total_s)
