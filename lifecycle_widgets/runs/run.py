"""Run: what was asked of an agent, what came back, what it cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs.files import run_from_json, run_to_json, save_run
from lifecycle_widgets.runs.heat import differs, heat_text
from lifecycle_widgets.runs.notes import note_of
from lifecycle_widgets.runs.parts import parts_of
from lifecycle_widgets.runs.shown import run_html
from lifecycle_widgets.runs.step import Step
from lifecycle_widgets.runs.texts import rounded_repr
from lifecycle_widgets.runs.timings import Timings

Think = bool | Literal["low", "medium", "high"] | None
"""Whether, and how much, a model is to think before it answers; None: not sent."""


@dataclass(frozen=True, repr=False)
class Run:
    """One run of an agent: what was asked, what came back, what it cost.

    Parameters
    ----------
    model, keep_alive, prompt:
        What was asked for. A ``keep_alive`` of ``KeepAlive(None)`` was not sent.
    answer:
        The final output, in words; of a run that was stopped or failed, what there was of it (of
        the last step of the last task that had a text). Without what the model thought, which is
        ``thinking``; the texts before it, and those of other tasks, are in ``steps``.
    started_at:
        Wall clock, with time zone, for display.
    timings:
        The whole run.
    steps:
        One `Step` for each request that it made, in the order in which they began.
    was_resident:
        Whether the model was in memory when the run began (None: not told, or the model runs on
        another machine); of several models, the one that was asked first. Whether it was loaded
        is `loads`.
    stopped:
        True when a person stopped it.
    error:
        What went wrong, in one sentence; None for a good run.
    server_url:
        The Ollama that was measured.
    thinking:
        What the model thought before and between the texts of its answer.
    think:
        What was asked for: False, True, ``"low"``, ``"medium"`` or ``"high"``; None: not sent.
    remote_host:
        Where the model ran when that was another machine than the server's (a cloud model).
    options:
        The options of Ollama's that were chosen, which griptape sends over its own; empty for none.
    history:
        The earlier turns that were sent: what was asked, what was answered.
    context_length:
        How many tokens the model could see in this run (/api/ps while it answered, else the
        ``num_ctx`` that was chosen); None when it is not told.
    context_before:
        The same of the model as it was in memory when the run began; None when it was not, or it
        is not told.
    structure:
        What ran, in griptape's word: "Agent", "Pipeline", "Workflow", "PromptTask".
    keep_alives:
        What was chosen for each model, by its name; a run of several models may have several.
        ``model`` and ``keep_alive`` are those of the answer.
    held:
        Whether the models were held between its requests: each was sent with a lease, and the
        chosen keep_alive applied when the last request of the model had ended.
    said:
        What else there is to say of it, in sentences (of the hold, of a tool that was left behind).
    """

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
        >>> Run("qwen3:4b", *asked, (Step(0.0, Timings(1.0), loaded=True),), True).heat
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
        >>> run = Run("qwen3:4b", *asked, Timings(2.25), (Step(0.0, told),))
        >>> run.parts["griptape and network"], sum(run.parts.values())
        (0.5, 2.25)
        """
        return parts_of(self.steps, self.timings.total_s)

    @property
    def note(self) -> str | None:
        """What a reader should know beside the error, if there is one, in sentences; None: nothing.

        Examples
        --------
        >>> asked = KeepAlive(None), "Hi", "", datetime.now()
        >>> Run("qwen3:4b", *asked, Timings(2.0, done_reason="length"), thinking="Hm").note
        'It only thought: raise num_predict or set think=False.'
        """
        return note_of(self)

    # --- kept for later --------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """All of it as plain JSON values, with the number of their format."""
        return run_to_json(self)

    @classmethod
    def from_json(cls, value: Any) -> Run:
        """The run that `to_json` has written.

        Raises
        ------
        ValueError
            For anything else, in a sentence.
        """
        return run_from_json(cls, value)

    def save(self, path: str | Path) -> Path:
        """Write it to a file; with the prompt, the history and the answer in it.

        Parameters
        ----------
        path:
            A file whose name ends with ``.json``, or a folder (made if need be), in which it gets
            a name of its own by its time and model.

        Returns
        -------
        Path
            The file, for `load_runs`.

        Raises
        ------
        OSError
            When it cannot be written. What was in the file before is untouched then.

        Examples
        --------
        >>> load_runs(run.save("runs"))[0] == run  # doctest: +SKIP
        True
        """
        return save_run(self, Path(path))

    # --- how it shows itself ---------------------------------------------------------------------

    def __repr__(self) -> str:
        several = len(self.models) > 1
        known = {
            "structure": None if self.structure == "Agent" else self.structure,
            "model": self.model,
            "models": self.models if several else None,
            "keep_alive": self.keep_alive,
            "keep_alives": dict(self.keep_alives) if several else None,
            "held": self.held or None,
            "prompt": self.prompt,
            "answer": self.answer,
            "started_at": self.started_at.isoformat(timespec="seconds"),
            "timings": self.timings,
            "requests": len(self.steps),
            "loads": self.loads,
            "was_resident": self.was_resident,
            "stopped": self.stopped or None,
            "error": self.error,
            "think": self.think,
            "options": dict(self.options) or None,
            "said": self.said or None,
            "server_url": self.server_url or None,
        }
        return rounded_repr("Run", known)

    def _repr_html_(self) -> str:
        return run_html(self)
