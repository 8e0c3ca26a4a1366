"""claims: what people say about keep_alive, with the verdict on this machine, as one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from lifecycle_widgets.facts.claims.claim import NOT_MEASURED, Claim, Verdict
from lifecycle_widgets.facts.claims.evidence import Evidence, Measured
from lifecycle_widgets.facts.claims.shown import claims_html, claims_markdown, claims_text
from lifecycle_widgets.facts.claims.table import CLAIMS
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import CannotTry, NotSo
from lifecycle_widgets.server import AnyServer, NotTold, Server, ServerError, UnknownModel

if TYPE_CHECKING:
    import pandas as pd

_NOT_SEEN = (
    CannotTry, NotSo, NotTold, ServerError, UnknownModel, TimeoutError, httpx.HTTPError, ValueError,
    LookupError,
)  # fmt: skip


@dataclass(frozen=True, repr=False)
class Claims(Sequence[Claim]):
    """Claims with their verdicts. A sequence of `Claim`; shows itself as a table.

    Parameters
    ----------
    claims, verdicts:
        Each claim, and the verdict on it.
    where:
        What was asked: the server and its version, or that there was none.
    """

    claims: tuple[Claim, ...]
    verdicts: tuple[Verdict, ...]
    where: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row for each: plain JSON values."""
        return [
            {
                "claim": claim.words,
                "said_in": claim.said_in,
                "verdict": verdict.word,
                "because": verdict.because,
                "measured": verdict.is_measured,
                "truth": claim.truth,
                "lesson": claim.lesson,
                "cell": claim.cell,
            }
            for claim, verdict in zip(self.claims, self.verdicts, strict=True)
        ]

    @property
    def frame(self) -> pd.DataFrame:
        """The same as a DataFrame."""
        import pandas as pd  # here: facts need none

        return pd.DataFrame(self.rows)

    def verdict(self, words: str) -> Verdict:
        """The verdict on the claim that has these words in it.

        Raises
        ------
        LookupError
            When none has, or several have.
        """
        found = [
            verdict
            for claim, verdict in zip(self.claims, self.verdicts, strict=True)
            if words.casefold() in claim.words.casefold()
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} claims have {words!r} in their words; it takes one.")
        return found[0]

    def __len__(self) -> int:
        return len(self.claims)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # as a tuple's
        return self.claims[place]

    def __iter__(self) -> Iterator[Claim]:
        return iter(self.claims)

    def __repr__(self) -> str:
        return claims_text(self.where, self.claims, self.verdicts)

    def _repr_html_(self) -> str:
        return claims_html(self.where, self.claims, self.verdicts)

    def _repr_markdown_(self) -> str:
        return claims_markdown(self.where, self.claims, self.verdicts)


def claims(server: AnyServer = None, *, results: Iterable[Measured] = ()) -> Claims:
    """What people say about keep_alive, and whether it is so: tried and measured now.

    On a person's own server models are loaded only while nobody else's is in memory, and only
    those are unloaded; what cannot be tried so says why. It takes about half a minute.

    Parameters
    ----------
    server:
        A `Server`, its address, or a `Sandbox`. None: no server is asked, and what was tried on
        other machines is told.
    results:
        What the lessons' experiments have measured here; they win over short measurements.

    Raises
    ------
    ServerUnreachable
        When the server does not answer, or goes away meanwhile.

    Examples
    --------
    >>> told = claims()
    >>> told.verdict("bare number").word
    'false'
    >>> print(told.verdict("next task"))
    not measured here: run lesson 1, and give its result: lw.claims(server, results=[result]).
    """
    if server is None:
        return judged(None, results)
    asked = Server.of(server)
    view = asked.with_timeout(asked.quick_timeout_s)  # its connections stay open for whose it is
    with closing(Lab(view)) as lab:
        return judged(lab, results)


def judged(lab: Lab | None, results: Iterable[Measured] = ()) -> Claims:
    """The same for a server under trial."""
    evidence = Evidence(lab, results)
    verdicts = tuple(_verdict(claim, evidence) for claim in CLAIMS)
    if lab is None:
        return Claims(CLAIMS, verdicts, "no server was asked")
    return Claims(CLAIMS, verdicts, f"Ollama {lab.server.version} at {lab.server.url}")


def _verdict(claim: Claim, evidence: Evidence) -> Verdict:
    try:
        return claim.judge(evidence)
    except _NOT_SEEN as why:
        return Verdict(NOT_MEASURED, f"{str(why).rstrip('.')}.", is_measured=False)
