"""What has ended an experiment, in a sentence."""

from __future__ import annotations

from lifecycle_widgets.agent import RunFailed
from lifecycle_widgets.experiments.ground.consent import NeedsConsent
from lifecycle_widgets.server import ServerError, ServerUnreachable, UnknownModel

_TOLD = (ServerUnreachable, ServerError, UnknownModel, RunFailed, TimeoutError, MemoryError)


def sentence(fault: BaseException) -> str:
    """The fault's own words where they are meant for the reader, else what it is.

    Examples
    --------
    >>> sentence(KeyboardInterrupt()), sentence(KeyError("x"))
    ('KeyboardInterrupt', "The experiment failed: KeyError: 'x'")
    """
    if isinstance(fault, NeedsConsent):
        return (
            f"{fault.named} was used by somebody else in the middle of the experiment, so it was "
            "left alone from then on. Run it again when nobody needs the model."
        )
    if isinstance(fault, (*_TOLD, ValueError, OSError)):
        return str(fault) or type(fault).__name__
    if not isinstance(fault, Exception):
        return type(fault).__name__  # an interrupt
    return f"The experiment failed: {type(fault).__name__}: {fault}"
