"""Run: what was asked of an agent, what came back, what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifecycle_widgets.runs.files import run_from_json, run_to_json, save_run
from lifecycle_widgets.runs.notes import note_of
from lifecycle_widgets.runs.shown import run_html
from lifecycle_widgets.runs.texts import rounded_repr
from lifecycle_widgets.runs.values import RunValues


@dataclass(frozen=True, repr=False)
class Run(RunValues):
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

    @property
    def note(self) -> str | None:
        """What a reader should know beside the error, if there is one, in sentences; None: nothing.

        Examples
        --------
        >>> import lifecycle_widgets as lw
        >>> from datetime import datetime
        >>> asked = lw.KeepAlive(None), "Hi", "", datetime.now()
        >>> Run("qwen3:4b", *asked, lw.Timings(2.0, done_reason="length"), thinking="Hm").note
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
