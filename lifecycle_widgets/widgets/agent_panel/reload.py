"""Whether the next run will have the model loaded anew, though it is in memory: as far as is known.

Ollama starts a runner anew for a request that differs in one of the runner's options from the
one that it was started with. Of these /api/ps tells the context's length; the rest is known where
this panel's own last run has asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lifecycle_widgets.agent.options import LEAST_CONTEXT
from lifecycle_widgets.runs import Run
from lifecycle_widgets.runs.heat import OF_THE_RUNNER
from lifecycle_widgets.server import Resident


def reload_text(
    options: Mapping[str, Any],
    resident: Resident | None,
    runs: Iterable[Run],
    trained_context: int | None = None,
) -> str:
    """One sentence where the next run will load anew what is in memory; "" where nothing says so.

    Parameters
    ----------
    options:
        Those of the next run.
    resident:
        The model as it is in memory; None: it is not, or that is not told.
    runs:
        Earlier runs of the same model on the same server, the oldest first.
    trained_context:
        The longest context that the model takes, in tokens; None: not told.
    """
    if resident is None:
        return ""
    earlier = [run for run in runs if run.error is None and run.steps]
    if _other_context(options, resident.context_length, earlier, trained_context):
        return _sentence("num_ctx")
    last = earlier[-1].options if earlier else options
    others = sorted(OF_THE_RUNNER - {"num_ctx"})
    return next((_sentence(name) for name in others if last.get(name) != options.get(name)), "")


def _sentence(name: str) -> str:
    return (
        f"This {name} is not the one that the model is in memory with: the next run will load it "
        "anew."
    )


def _other_context(
    options: Mapping[str, Any],
    in_memory: int | None,
    earlier: list[Run],
    trained_context: int | None,
) -> bool:
    """Whether the context that the next run asks for is another one than that in memory."""
    wanted = options.get("num_ctx")
    if wanted is None:  # then it is the server's own, as in the last run that asked for none
        told = [run.context_length for run in earlier if "num_ctx" not in run.options]
        wanted = next((length for length in reversed(told) if length is not None), None)
    if in_memory is None or not isinstance(wanted, int):
        return False
    return min(max(wanted, LEAST_CONTEXT), trained_context or wanted) != in_memory
