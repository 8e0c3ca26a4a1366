"""one_ttl: what one TTL would have held and reloaded, as fast as memory can be read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from lifecycle_widgets.advisor.replay.kernels.threads import over_threads
from lifecycle_widgets.advisor.replay.profile import COMPILED_FROM, Held
from lifecycle_widgets.advisor.workload.workload import Seconds


def one_ttl(gaps_s: npt.ArrayLike, ttl_s: float) -> Held:
    """What one TTL would have held and reloaded over these gaps; for many of them see `profile`.

    Parameters
    ----------
    gaps_s:
        The gaps in seconds, finite and not below 0, in any order.
    ttl_s:
        The TTL in seconds; inf: for ever.

    Examples
    --------
    >>> one_ttl([10.0, 60.0, 300.0], 60.0)
    Held(held_s=130.0, reloads=1)
    """
    gaps = np.ascontiguousarray(gaps_s, dtype=np.float64)
    if len(gaps) < COMPILED_FROM:
        return Held(float(np.minimum(gaps, ttl_s).sum()), int((gaps > ttl_s).sum()))
    from lifecycle_widgets.advisor.replay.kernels.gap_kernels import (
        held_and_reloads,  # imports numba
    )

    def of_piece(piece: Seconds) -> tuple[float, int]:
        held: tuple[float, int] = held_and_reloads(piece, float(ttl_s))
        return held

    pieces = over_threads(of_piece, gaps)
    return Held(sum(held_s for held_s, _ in pieces), sum(reloads for _, reloads in pieces))
