"""BreakEven: keep a model for as long as a reload is worth, the deterministic ski rental."""

from __future__ import annotations


class BreakEven:
    """T = T*: what is held idle never costs more than the reload that it may save.

    Parameters
    ----------
    t_star_s:
        T* in seconds: a reload is worth as much as that long of an idle model in memory.

    Examples
    --------
    >>> BreakEven(120).next_ttl_s()
    120
    """

    name = "break-even"
    guarantee = "at most twice the clairvoyant optimum; no deterministic rule has less"
    source = "Karlin, Li, Manasse, Owicki, SOSP 1991; Albers, CACM 53(5) 2010 (ALG-D)"

    def __init__(self, t_star_s: float) -> None:
        self._t_star_s = t_star_s

    def next_ttl_s(self) -> float:
        return self._t_star_s

    def learn(self, gap_s: float) -> None:
        pass
