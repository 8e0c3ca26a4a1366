"""Seen: what the doctor has looked at; the checks are functions of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lifecycle_widgets.doctor.unanswered import Unanswered
from lifecycle_widgets.monitor import InForce, Request, Residency, Sample
from lifecycle_widgets.server import NOT_TOLD, Model, Resident, full_name, same_name
from lifecycle_widgets.server.answers import Shown


@dataclass(frozen=True)
class Seen:
    """What was looked at; None is what could not be, and ``untold`` says why.

    Parameters
    ----------
    url, version:
        The server's address, and the version that answers now.
    samples, stays, requests:
        As a monitor has them; at least one sample.
    models:
        What is installed.
    shown:
        What /api/show tells, by the names of models; not of all where there are very many.
    taken_bytes:
        The most that a runner of that model has been seen to take in this process.
    here:
        The variables of this process that matter to an Ollama, secrets masked.
    unit:
        Those that the server's systemd unit gives, where its process is a unit's.
    unanswered:
        Clients' requests of which the server has not answered a byte.
    stays_before, requests_before:
        What a history has of the last days.
    errors:
        What has failed lately: (model, what Ollama said).
    untold:
        Why something could not be looked at, in a sentence, by the name of its field here.
    """

    url: str
    version: str = NOT_TOLD
    samples: tuple[Sample, ...] = ()
    stays: tuple[Residency, ...] = ()
    requests: tuple[Request, ...] = ()
    models: tuple[Model, ...] | None = None
    shown: Mapping[str, Shown] = field(default_factory=dict)
    taken_bytes: Mapping[str, int] = field(default_factory=dict)
    here: Mapping[str, str] = field(default_factory=dict)
    unit: Mapping[str, str] | None = None
    unanswered: tuple[Unanswered, ...] | None = None
    stays_before: tuple[Residency, ...] | None = None
    requests_before: tuple[Request, ...] | None = None
    errors: tuple[tuple[str, str], ...] = ()
    untold: Mapping[str, str] = field(default_factory=dict)

    @property
    def latest(self) -> Sample | None:
        """The last sample."""
        return self.samples[-1] if self.samples else None

    @property
    def residents(self) -> tuple[Resident, ...] | None:
        """What is in memory now; None where the server does not tell."""
        return self.latest.residents if self.latest else None

    @property
    def in_force(self) -> InForce:
        """What is in force at the server, as last seen."""
        found = next((s.in_force for s in reversed(self.samples) if s.in_force is not None), None)
        return found or InForce()

    def is_one_model(self, one: str, other: str) -> bool:
        """Whether two names are one model: the same name, or the same weights."""
        if same_name(one, other):
            return True
        told = {full_name(name).lower(): shown.weights for name, shown in self.shown.items()}
        weights = told.get(full_name(one).lower())
        return weights is not None and weights == told.get(full_name(other).lower())

    def why_not(self, field_name: str) -> str:
        """Why that could not be looked at, in a sentence."""
        latest = self.latest
        if field_name == "residents":
            told = latest and (latest.not_told or latest.error)
        elif field_name == "runners":
            told = latest and latest.unseen
        else:
            told = None
        return self.untold.get(field_name) or told or "It is not told."
