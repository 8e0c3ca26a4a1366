"""One stay of a model in memory, and why it left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Residency:
    """One stay of a model in memory.

    A runner that was seen is a stay, whether /api/ps listed its model or not: with ``keep_alive``
    0 a model comes and goes between two readings. Where runners cannot be seen it is what /api/ps
    lists without a gap, and requests with ``keep_alive`` 0 that this `Server` knows of.

    Parameters
    ----------
    model:
        Its name, as in /api/ps; of a runner that was never listed, a name of its weights. Empty
        when that is not told.
    since:
        When it was first seen: its runner, which loads for a while before /api/ps lists it, else
        the listing; the time of the first sample when it was there already.
    until:
        When it was first seen to have left; None while it is still resident.
    why:
        Why it left; None while it is still resident, else one of

        - ``"expired"``: its ``keep_alive`` had run out (0 runs out with the answer);
        - ``"requested"``: it was unloaded through this `Server`;
        - ``"requested elsewhere"``: another client unloaded it, or sent a prompt with
          ``keep_alive`` 0. Known by exclusion: it left before its deadline, the server answered,
          its runner was seen, and no other load can have needed its place;
        - ``"evicted"``: it left before its deadline and another load came in its place, which
          Ollama has no other place for: as many models were in memory as there may be
          (`Sample.most_models`; not told: three), memory was short, a load had just failed, or it
          is the same model with other options (``num_ctx``, for one), which is loaded anew;
        - ``"crashed"``: its runner ended while Ollama still listed it;
        - ``"server gone"``: the server did not answer when it left;
        - ``"unknown"``: none of these can be told from the others, or nothing is known.

        Decided from the samples that follow, so "unknown" may become another some seconds later.
    expires_at:
        The last deadline that was seen: in the past for a model that is busy. None for forever,
        and where none was told.
    is_forever:
        True when no time limit was in force.
    is_told:
        False when the server did not tell until when it stays.
    loads:
        How often it was loaded, at least: once.
    requests:
        How many requests have ended in it, at least: each leaves another deadline in /api/ps, of
        which a sample sees the last, and those with ``keep_alive`` 0 of this `Server` are known.
        A preload is one; an unload is none.
    is_loading:
        True while its runner is there and /api/ps does not list it yet.
    size_bytes, vram_bytes:
        The most that it took: its runner's memory where that was seen, else what Ollama tells; and
        the part on GPUs, as Ollama tells. None: not told.
    loaded_by, touched_by:
        Whose request loaded it, and whose ended last in it: "ours", "another client"; None: not
        known.
    keep_alive_s:
        The keep_alive in force, or last in force, in seconds (endless: forever): as a request has
        it, or as its deadline shows until its first use is over. None: not known.
    load_s:
        How long the load took, or takes by now: as Ollama told us, else from the start of its
        runner to the sample that lists it; None where it was not seen.
    why_resident:
        Why it is in memory now, in a sentence for the reader; empty once it has left.
    overdue_s:
        For how long it has been past its deadline: busy, or stuck; None when it is not.
    is_stuck:
        True when it is past its deadline, its runner does nothing, and nobody is known to wait
        for it ("Stopping..." in `ollama ps`).

    Examples
    --------
    >>> from datetime import timezone
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    >>> stay = Residency("smollm2:135m", noon, noon, "expired", None, False, requests=1)
    >>> f"{stay.why}: {stay.loads} load, {stay.requests} request"
    'expired: 1 load, 1 request'
    """

    model: str
    since: datetime
    until: datetime | None
    why: str | None
    expires_at: datetime | None
    is_forever: bool
    is_told: bool = True
    loads: int = 1
    requests: int = 0
    is_loading: bool = False
    size_bytes: int | None = None
    vram_bytes: int | None = None
    loaded_by: str | None = None
    touched_by: str | None = None
    keep_alive_s: float | None = None
    load_s: float | None = None
    why_resident: str = ""
    overdue_s: float | None = None
    is_stuck: bool = False
