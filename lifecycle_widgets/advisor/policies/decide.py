"""next_keep_alive_s: what the advice would be now, after all that a stream has shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lifecycle_widgets.advisor.policies.in_time import in_time
from lifecycle_widgets.advisor.policies.learners.foresight import SMEARS, unknown
from lifecycle_widgets.advisor.policies.slack_bank import K_RELOADS
from lifecycle_widgets.advisor.workload.workload import Stream


@dataclass(frozen=True)
class Decision:
    """A keep_alive for the gap that begins now, and why that.

    Parameters
    ----------
    ttl_s:
        For how long to keep the model, in seconds.
    learned_ttl_s:
        What the learner would do if everything were affordable, in seconds.
    is_affordable:
        Whether that can be paid for; else `ttl_s` is T*.
    slack:
        What the bank holds, in reloads.
    gaps:
        How many gaps of the stream itself it rests on.
    why:
        In a sentence.
    """

    ttl_s: float
    learned_ttl_s: float
    is_affordable: bool
    slack: float
    gaps: int
    why: str


def next_keep_alive_s(stream: Stream, t_star_s: float, others: Sequence[Stream] = ()) -> Decision:
    """What the advice would send for a stream, if a gap began now.

    Parameters
    ----------
    stream:
        Of one model, with all its past.
    t_star_s:
        T* in seconds.
    others:
        The other streams of its host, by the same clock.

    Examples
    --------
    >>> import numpy as np
    >>> at = 3600.0 * np.arange(9)
    >>> stream = Stream("a", at, at + 5, np.full(8, True), 9)
    >>> next_keep_alive_s(stream, 30.0).ttl_s
    0.0
    """
    from lifecycle_widgets.advisor.replay.kernels.mixture_kernel import (
        mixture_ttls,  # imports numba
    )

    t_star_s = float(t_star_s)  # a whole number would be another type, and compiled anew
    streams = (stream, *others)
    known = in_time(streams, tails=True)
    # the gap that begins now is the stream's own last one; the others' last ones go on
    kept = ~(np.isnan(known.gap_s) & (known.which == 0))
    now_s = known.at_s[-1] if len(known.at_s) else 0.0
    _, learned, slacks = mixture_ttls(
        np.append(known.at_s[kept], now_s) / t_star_s,
        np.append(known.begins[kept], True),
        np.append(known.which[kept], 0),
        np.append(known.gap_s[kept], np.nan) / t_star_s,
        len(streams),
        unknown(t_star_s),
        SMEARS,
        K_RELOADS,
    )
    learned_s, slack = float(learned[-1]) * t_star_s, float(slacks[-1])
    is_affordable = bool(abs(learned[-1] - 1) <= slack)
    gaps, of_others = len(stream.gaps_s), sum(len(one.gaps_s) for one in others)
    ttl_s = learned_s if is_affordable else t_star_s
    return Decision(
        ttl_s, learned_s, is_affordable, slack, gaps, _why(gaps, of_others, is_affordable)
    )


def _why(gaps: int, of_others: int, is_affordable: bool) -> str:
    if not gaps + of_others:
        return "No gap has been seen yet: T* is the value that never does badly."
    seen = f"{gaps:,} gaps of its own" + (f" and {of_others:,} of others" if of_others else "")
    if is_affordable:
        return f"The cheapest by {seen}; if that is wrong, it can be paid for."
    return f"T*: another would be the cheapest by {seen}, but its worst cannot be paid for."
