"""Consent: what an experiment may unload: what it has loaded itself, and what it was allowed to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import FOREVER, Resident, Server, same_name

# Two clocks, and the moment between the end of an answer and the new deadline. A request of
# somebody else's within so few seconds of ours is not noticed.
_SLACK = timedelta(seconds=3)


class NeedsConsent(PermissionError):
    """``models`` are in memory, and the experiment did not load them: it asks first.

    Parameters
    ----------
    loaded_as:
        The experiment's names of them, each with the name that it is in memory under: the same
        weights can have several.
    """

    def __init__(self, loaded_as: Mapping[str, str]) -> None:
        self.models = tuple(loaded_as)
        #: the same in words: ``"mine (in memory as smollm2:135m)"``
        self.named = ", ".join(
            model if same_name(model, other) else f"{model} (in memory as {other})"
            for model, other in loaded_as.items()
        )
        are = "is" if len(self.models) == 1 else "are"
        super().__init__(
            f"{self.named} {are} in memory already, and this experiment would unload what "
            "somebody may be using. If that is all right: run(may_unload=True)."
        )


@dataclass(frozen=True)
class _Loan:
    """A model that we have loaded: when our last request ended, and the keep_alive in force."""

    used_at: datetime
    keep_alive: KeepAlive

    def is_all_that(self, resident: Resident) -> bool:
        """Whether nobody else has used it since: a request of theirs would move its deadline."""
        if resident.expires_at is None or self.keep_alive.is_default:
            return True  # not told
        seconds = self.keep_alive.seconds or 0.0
        is_forever = seconds > FOREVER.total_seconds()
        if is_forever or resident.is_forever:
            return is_forever and resident.is_forever
        due = self.used_at + timedelta(seconds=seconds)
        return abs(resident.expires_at - due) <= _SLACK


class Consent:
    """What one run of an experiment may unload on a server.

    The weights are the model, whatever it is called. Nothing is unloaded, and no timer is set anew,
    unless we have loaded the model ourselves and nobody else has used it since, or it was allowed;
    that is looked up right before each request. In the private sandbox nobody else's models are.

    Parameters
    ----------
    server:
        The server that it is about. What was allowed counts on this one only.
    models:
        The models that the experiment loads and unloads there.
    allowed:
        Those of them that it may unload though it did not load them; True: all.
    """

    def __init__(
        self, server: Server, models: Iterable[str], allowed: bool | Collection[str] = False
    ) -> None:
        self.server, self.models = server, tuple(models)
        self._allowed: tuple[str, ...] = tuple(allowed) if not isinstance(allowed, bool) else ()
        self._all_allowed = allowed is True or server.is_sandbox
        self._loans: dict[str, _Loan] = {}

    def residents(self) -> dict[str, Resident]:
        """Those of the models that are in memory. Raises NotTold."""
        return self.server.in_memory(self.models) if self.models else {}

    def require(self, *models: str) -> dict[str, Resident]:
        """Raise NeedsConsent unless these may be touched; those of them that are in memory."""
        here = self.server.in_memory(models)
        asked = {
            name: r.name
            for name, r in here.items()
            if not (self._is_allowed(name) or self._is_ours(name, r))
        }
        if asked:
            more = {n: r.name for n, r in self.residents().items() if not self._is_ours(n, r)}
            raise NeedsConsent({**more, **asked})
        return here

    def refuse(self, model: str) -> None:
        """Raise NeedsConsent for a model that somebody has just loaded, unless it was allowed."""
        if not self._is_allowed(model):
            raise NeedsConsent({model: model})

    def lent(self, model: str, keep_alive: KeepAlive | str | float | None) -> None:
        """A request of ours for the model has just ended, which found it ours or loaded it."""
        value, before = KeepAlive(keep_alive), self._loan(model)
        if value.is_default and before is not None:
            value = before.keep_alive  # the one that was in force still is
        self._loans[model] = _Loan(datetime.now(timezone.utc), value)

    def unload(self, model: str) -> None:
        """Unload it, if it is in memory. Raises NeedsConsent when it may not be touched."""
        if self.require(model):
            self.server.unload(model)
        for name in [n for n in self._loans if self.server.same_model(n, model)]:
            del self._loans[name]

    def leave(self) -> None:
        """Unload what we have loaded and nobody else has used since; other people's stays."""
        for model in self.models:
            resident = self.server.resident(model)
            if resident is not None and (self.server.is_sandbox or self._is_ours(model, resident)):
                self.server.unload(model)

    def _is_allowed(self, model: str) -> bool:
        return self._all_allowed or any(self.server.same_model(n, model) for n in self._allowed)

    def _is_ours(self, model: str, resident: Resident) -> bool:
        loan = self._loan(model)
        by_a_name_of_ours = any(same_name(resident.name, name) for name in self.models)
        return loan is not None and by_a_name_of_ours and loan.is_all_that(resident)

    def _loan(self, model: str) -> _Loan | None:
        loans = (loan for n, loan in self._loans.items() if self.server.same_model(n, model))
        return max(loans, key=lambda loan: loan.used_at, default=None)
