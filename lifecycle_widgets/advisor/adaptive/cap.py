"""Cap: no more than so many reloads in an hour."""

from __future__ import annotations

import math
from collections import deque


class Cap:
    """How long a model must stay at least, so that its reloads do not become too many.

    With a keep_alive of at least `least_s`, the next reload comes when the oldest that counts is
    long enough ago. It cannot prevent that Ollama evicts the model for another.

    Parameters
    ----------
    most_per_hour:
        How many reloads in an hour are allowed, above 0; 0.5: one in two hours.

    Raises
    ------
    ValueError
        For what is no finite number above 0.

    Examples
    --------
    >>> cap = Cap(2)
    >>> cap.reloads(0.0)
    >>> cap.least_s(600.0)
    0.0
    >>> cap.reloads(600.0)
    >>> cap.least_s(600.0)  # until the first is an hour ago
    3000.0
    """

    def __init__(self, most_per_hour: float) -> None:
        if isinstance(most_per_hour, bool) or not 0 < most_per_hour < math.inf:
            raise ValueError(
                f"most_reloads_per_hour is {most_per_hour}. Give a number above 0; None: no limit."
            )
        self.most_per_hour = most_per_hour
        count = max(1, int(most_per_hour))
        self._within_s = 3600.0 * count / most_per_hour
        self._last: deque[float] = deque(maxlen=count)

    def reloads(self, at_s: float) -> None:
        """A gap has ended that was longer than what was sent, by the monotonic clock."""
        self._last.append(at_s)

    def least_s(self, now_s: float) -> float:
        """The least keep_alive of a request that begins now, in seconds."""
        if len(self._last) < (self._last.maxlen or 0):
            return 0.0
        return max(0.0, self._last[0] + self._within_s - now_s)
