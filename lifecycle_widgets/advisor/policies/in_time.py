"""in_time: the gaps of several streams as they begin and end, in the order of time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.workload.workload import Seconds, Stream


class Moments(NamedTuple):
    """Where gaps begin or end, in the order of time; four arrays of the same length."""

    at_s: Seconds
    """When, in seconds."""
    begins: npt.NDArray[np.bool_]
    """Whether a gap begins (else it ends)."""
    which: npt.NDArray[np.int64]
    """The stream's number."""
    gap_s: Seconds
    """How long the gap is, in seconds."""


def in_time(streams: Sequence[Stream], *, tails: bool = False) -> Moments:
    """The moments at which a gap of one of the streams begins or ends.

    What ends as another gap begins is known to whoever decides about that one. Gaps that nobody
    watched are left out.

    Parameters
    ----------
    streams:
        By one clock.
    tails:
        Whether also the gap after the last request of each begins; its length is NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from lifecycle_widgets.advisor.workload.workload import Stream
    >>> stream = Stream("a", np.array([0.0, 60.0]), np.array([5.0, 70.0]), np.array([True]), 2)
    >>> in_time([stream]).begins.tolist(), in_time([stream], tails=True).at_s.tolist()
    ([True, False], [5.0, 60.0, 70.0])
    """
    numbered = [(which, one) for which, one in enumerate(streams) if len(one.busy_from_s)]
    gaps_s = _joined([one.gaps_s for _, one in numbered])
    began_s = _joined([one.gap_began_s for _, one in numbered])
    ended_s = _joined([one.busy_from_s[1:][one.watched] for _, one in numbered])
    whose = np.repeat([which for which, _ in numbered], [len(one.gaps_s) for _, one in numbered])
    last_s = _joined([one.busy_until_s[-1:] for _, one in numbered if tails])
    at_s = np.concatenate([began_s, ended_s, last_s])
    # where several come at once: ends first, but for a gap of no length its own
    rank = np.concatenate(
        [np.ones(len(began_s)), np.where(gaps_s > 0, 0, 2), np.full(len(last_s), 3)]
    )
    order = np.lexsort((rank, at_s))
    tail_of = np.array([which for which, _ in numbered if tails], dtype=np.int64)
    return Moments(
        at_s[order],
        (rank % 2 == 1)[order],
        np.concatenate([whose, whose, tail_of]).astype(np.int64)[order],
        np.concatenate([gaps_s, gaps_s, np.full(len(last_s), np.nan)])[order],
    )


def _joined(parts: list[Seconds]) -> Seconds:
    return np.concatenate(parts) if parts else np.zeros(0)
