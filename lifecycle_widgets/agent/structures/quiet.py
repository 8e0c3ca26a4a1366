"""griptape's log, kept quiet in our runs and only there."""

from __future__ import annotations

import logging
from contextvars import ContextVar

_in_a_run: ContextVar[bool] = ContextVar("lifecycle_in_a_run", default=False)


def be_quiet() -> None:
    """Keep griptape from printing prompts and tracebacks of this run into the notebook.

    Of this context and what griptape starts from it, other threads included. What it raises we
    report ourselves; what a person runs by griptape alone goes on logging as it does.
    """
    _in_a_run.set(True)
    log = logging.getLogger("griptape")
    if _not_ours not in log.filters:
        log.addFilter(_not_ours)


def _not_ours(_: logging.LogRecord) -> bool:
    return not _in_a_run.get()
