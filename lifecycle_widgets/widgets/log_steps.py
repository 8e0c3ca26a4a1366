"""The steps of a logarithmic slider, on which the page puts whatever value it is given."""

from __future__ import annotations

import math


def same_step(one: float, other: float, step: float) -> bool:
    """Whether a slider with that step (in powers of ten) shows two values in the same place.

    The page rounds a value to a step and sends it back: that is nobody's moving it.

    Examples
    --------
    >>> same_step(3.0, 3.16, 0.05), same_step(3.0, 3.55, 0.05)
    (True, False)
    """
    return round(math.log10(one) / step) == round(math.log10(other) / step)
