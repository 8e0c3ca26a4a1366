"""Fixed: the same keep_alive always, as Ollama, LM Studio and llama-swap have it."""

from __future__ import annotations

import math

FIXED_S: dict[str, float] = {
    "0": 0.0,
    "5m": 300.0,
    "10m": 600.0,
    "60m": 3600.0,
    "forever": math.inf,
}
"""The fixed values of the table: 5m is Ollama's default, 60m LM Studio's, forever llama-swap's."""


class Fixed:
    """One keep_alive for every gap.

    Parameters
    ----------
    ttl_s:
        In seconds; inf: for ever.
    name:
        As in the table; None: the seconds.

    Examples
    --------
    >>> Fixed(300, "5m").next_ttl_s()
    300
    """

    guarantee = "none"
    source = "the defaults of Ollama (5m), LM Studio (60m) and llama-swap (forever)"

    def __init__(self, ttl_s: float, name: str | None = None) -> None:
        self.name = f"{ttl_s:g}s" if name is None else name
        self._ttl_s = ttl_s

    def next_ttl_s(self) -> float:
        return self._ttl_s

    def learn(self, gap_s: float) -> None:
        pass
