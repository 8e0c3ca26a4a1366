"""What people say about keep_alive: one table, with the lesson's cell that measures each claim.

`CLAIMS` are the claims; `claims` gives the verdict on each, on the reader's server.
"""

from __future__ import annotations

from lifecycle_widgets.facts.claims.claim import Claim, Verdict
from lifecycle_widgets.facts.claims.table import CLAIMS
from lifecycle_widgets.facts.claims.told import Claims, claims, judged

__all__ = ["CLAIMS", "Claim", "Claims", "Verdict", "claims", "judged"]
