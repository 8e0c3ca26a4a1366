"""Why a model left: the words for it, and the one sentence that is shown with each."""

from __future__ import annotations

WHYS = {
    "expired": "its keep_alive had run out (0 runs out with the answer)",
    "requested": "it was unloaded from here",
    "requested elsewhere": "another client unloaded it, or sent a prompt with keep_alive 0",
    "evicted": "another load needed its place",
    "crashed": "its runner ended by itself",
    "server gone": "the server was gone",
    "unknown": "why is not known",
}
"""Every value of `Residency.why`, which is also its label everywhere, with its sentence."""
