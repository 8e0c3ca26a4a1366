"""What is new: the values that a follower of samples tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

from lifecycle_widgets.monitor import InForce, Request, Residency, Sample


@dataclass(frozen=True)
class ServerNews:
    """Something about the server itself.

    Parameters
    ----------
    at:
        When it was seen.
    what:
        ``"there"`` (it answers, when the watch begins, or for the first time), ``"away"`` (it does
        not), ``"back"``, ``"upgraded"`` (another version answers), ``"restarted"`` (another
        process does).
    version, version_before:
        The version that answers now, and the one before an upgrade; None: not told.
    told:
        Why it does not answer, in a sentence.
    in_force:
        What is in force there; None where nothing is known.
    """

    at: datetime
    what: Literal["there", "away", "back", "upgraded", "restarted"]
    version: str | None = None
    version_before: str | None = None
    told: str | None = None
    in_force: InForce | None = None


@dataclass(frozen=True)
class StayNews:
    """Something about a model in memory.

    Parameters
    ----------
    at:
        When it was so.
    what:
        ``"there"`` (it was, when the watch began), ``"loading"``, ``"loaded"``, ``"left"``.
    stay:
        All that is known of this stay.
    """

    at: datetime
    what: Literal["there", "loading", "loaded", "left"]
    stay: Residency


@dataclass(frozen=True)
class RequestNews:
    """A request has ended."""

    at: datetime
    request: Request


@dataclass(frozen=True)
class SampleNews:
    """One reading of everything."""

    at: datetime
    sample: Sample


News: TypeAlias = ServerNews | StayNews | RequestNews | SampleNews
