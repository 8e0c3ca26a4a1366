"""What to do about what Ollama says when it fails: its own words, and a next step."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator

_ADVICE = (
    (r"out of memory|failed to allocate|not enough memory|allocation failed",
     "There is not enough memory for it: unload another model, or choose a smaller one."),
    (r"invalid file magic|^EOF$|exceeds file size|error loading model",
     "The model's file seems to be damaged. Install it anew: ollama rm {model}; ollama pull "
     "{model}"),
    (r"does not support thinking", "It cannot think: leave think out, or choose one that can."),
    (r"does not support tools",
     "It cannot use tools: choose a model that can, or run without tools."),
    (r"does not support generate|does not support chat",
     "It only makes embeddings; or its file is damaged, then install it anew (ollama rm {model}; "
     "ollama pull {model}) and start Ollama anew, which remembers what it could not read."),
    (r"too many open files",
     "Ollama has no file descriptors left: end what keeps connections to it open, or start it "
     "with a higher limit (ulimit -n)."),
    (r"no space left on device", "The disk that Ollama writes to is full: make room on it."),
    (r"server busy", "Its queue is full (OLLAMA_MAX_QUEUE): ask again when less is waiting."),
    (r"timed out waiting for llama-server",
     "The load stalled. If the disk is only slow, start Ollama with a longer "
     "OLLAMA_LOAD_TIMEOUT."),
    (r"unexpected EOF|unexpectedly stopped|connection reset|no longer running|signal: ",
     "The process that runs the model has ended: it crashed, was killed, or memory ran out. Run "
     "it again; Ollama's log has its last words."),
)  # fmt: skip
"""What to do about what Ollama says; the first that fits."""


def advised(error: str, model: str | None = None) -> str:
    """What Ollama says, and what to do about it where we know.

    Examples
    --------
    >>> advised("write manifest: no space left on device")
    'write manifest: no space left on device. The disk that Ollama writes to is full: make room ...'
    """
    said, what = error.strip(), advice_for(error, model)
    return f"{said.rstrip('.')}. {what}" if what else said


def advice_for(error: str, model: str | None = None) -> str:
    """What to do about an error of Ollama's; empty where we do not know."""
    for pattern, advice in _ADVICE:
        if re.search(pattern, error.strip(), re.IGNORECASE):
            return advice.format(model=model or "MODEL")
    return ""


def out_of_descriptors(fault: BaseException | None) -> bool:
    """Whether the reason of an exception is that this process has too many open files."""
    return any(getattr(f, "errno", None) in (errno.EMFILE, errno.ENFILE) for f in _chain(fault))


def cause_of(fault: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    """The exception of that kind among those that led to this one; None when there is none."""
    return next((f for f in _chain(fault) if isinstance(f, kind)), None)


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__
