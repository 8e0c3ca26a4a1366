"""Asked: one thing that was asked of a server, and a workload as a list of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from lifecycle_widgets.advisor.workload.workload import Workload


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, or a busy time of several.

    Parameters
    ----------
    model:
        Whom.
    at_s:
        When, in seconds from any zero.
    answer_s:
        How long the answer takes once the model is in memory, in seconds; 0 only loads.

    Raises
    ------
    ValueError
        For a time that is not finite, or an answer that takes less than nothing.

    Examples
    --------
    >>> Asked("a", 0.0, -1.0)
    Traceback (most recent call last):
    ValueError: What a was asked at 0 s takes -1 s: it must be 0 or more.
    """

    model: str
    at_s: float
    answer_s: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.at_s):
            raise ValueError(f"{self.model} was asked at {self.at_s} s: that is no time.")
        if not 0 <= self.answer_s < math.inf:
            raise ValueError(
                f"What {self.model} was asked at {self.at_s:g} s takes {self.answer_s:g} s: "
                "it must be 0 or more."
            )


def asked_of(workload: Workload) -> tuple[Asked, ...]:
    """The busy times of all streams in the order in which they began, each as one request.

    A stream counts as a model. A busy time is as long as it was seen to be: where a load was a
    part of it, that is answered for, too.

    Examples
    --------
    >>> import numpy as np
    >>> from lifecycle_widgets.advisor.workload.workload import Stream
    >>> stream = Stream("a", np.array([0.0, 60.0]), np.array([5.0, 70.0]), np.array([True]), 3)
    >>> asked_of(Workload((stream,), "an example"))
    (Asked(model='a', at_s=0.0, answer_s=5.0), Asked(model='a', at_s=60.0, answer_s=10.0))
    """
    asked = [
        Asked(stream.name, began_s, until_s - began_s)
        for stream in workload.streams
        for began_s, until_s in zip(
            stream.busy_from_s.tolist(), stream.busy_until_s.tolist(), strict=True
        )
    ]
    return tuple(sorted(asked, key=lambda one: one.at_s))
