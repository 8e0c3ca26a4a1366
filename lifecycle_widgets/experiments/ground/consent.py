"""Consent: what an experiment may unload: what this process has used last, and what was allowed."""

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
    """``models`` are in memory, and somebody else has used them last: it asks first.

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
        are, it = ("is", "it has") if len(self.models) == 1 else ("are", "they have")
        super().__init__(
            f"{self.named} {are} in memory already, by somebody else's request, and this "
            f"experiment would unload what they may be using. Wait until {it} left, or, if it is "
            "all right to unload: run(may_unload=True)."
        )


@dataclass(frozen=True)
class _Loan:
    """A request of ours that loaded a model or found it ours: when, and the keep_alive in force."""

    began_at: datetime
    ended_at: datetime
    keep_alive: KeepAlive

    def is_all_that(self, resident: Resident) -> bool:
        """Whether its deadline is this request's doing: one of somebody else's would move it."""
        if resident.expires_at is None or self.keep_alive.is_default:
            return True  # not told
        seconds = self.keep_alive.seconds or 0.0
        is_forever = seconds > FOREVER.total_seconds()
        if is_forever or resident.is_forever:
            return is_forever and resident.is_forever
        left_at = resident.expires_at - timedelta(seconds=seconds)
        return self.began_at - _SLACK <= left_at <= self.ended_at + _SLACK

    def is_in_force(self) -> bool:
        """Whether the model should still be in memory, for all that this request asked for."""
        if self.keep_alive.is_default:
            return False  # not told until when
        seconds = min(self.keep_alive.seconds or 0.0, FOREVER.total_seconds())
        return datetime.now(timezone.utc) + _SLACK < self.ended_at + timedelta(seconds=seconds)


class Consent:
    """What one run of an experiment may unload on a server.

    The weights are the model, whatever it is called. Nothing is unloaded, and no timer is set anew,
    unless this process has used the model last (the experiment, or what else the notebook has
    asked), or it was allowed; that is looked up right before each request. In a sandbox that this
    process has started nobody else's models are; the one of `lifecycle-lab` is shared by its
    kernels.

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
        named = (allowed,) if isinstance(allowed, str) else allowed
        self._allowed: tuple[str, ...] = () if isinstance(named, bool) else tuple(named)
        self._all_allowed = allowed is True or server.is_private
        self._loans: dict[str, tuple[_Loan, ...]] = {}  # of each model the last two

    def residents(self) -> dict[str, Resident]:
        """Those of the models that are in memory. Raises NotTold."""
        return self.server.in_memory(self.models) if self.models else {}

    def require(self, *models: str) -> dict[str, Resident]:
        """Raise NeedsConsent unless these may be touched; those of them that are in memory."""
        here = self.server.in_memory(models)
        asked = {
            name: r.name
            for name, r in here.items()
            if not (self._is_allowed(name) or self._is_of_this_process(name, r))
        }
        if asked:
            residents = self.residents().items()
            more = {n: r.name for n, r in residents if not self._is_of_this_process(n, r)}
            raise NeedsConsent({**more, **asked})
        return here

    def refuse(self, model: str) -> None:
        """Raise NeedsConsent for a model that somebody has just loaded, unless it was allowed."""
        if not self._is_allowed(model):
            raise NeedsConsent({model: model})

    def lent(
        self, model: str, keep_alive: KeepAlive | str | float | None, began_at: datetime
    ) -> None:
        """A request of ours for the model has just ended, which found it ours or loaded it."""
        value, before = KeepAlive(keep_alive), self._loans_of(model)
        if value.is_default and before:
            value = before[-1].keep_alive  # the one that was in force still is
        loan = _Loan(began_at, datetime.now(timezone.utc), value)
        # while a request that was stopped has not ended on the server, the one before it counts
        key = next((n for n in self._loans if self.server.same_model(n, model)), model)
        self._loans[key] = (*before[-1:], loan)

    def is_disturbed(self, model: str, resident: Resident | None) -> bool:
        """Whether the model was used, or made to leave, by somebody else since our last request.

        Parameters
        ----------
        resident:
            Its entry among the models in memory; None when it is not there.
        """
        if resident is not None:
            return not self._is_ours(model, resident)
        if len(self.models) > 1:
            return False  # our own other models may have taken its place
        return any(loan.is_in_force() for loan in self._loans_of(model)[-1:])

    def unload(self, model: str) -> None:
        """Unload it, if it is in memory. Raises NeedsConsent when it may not be touched."""
        if self.require(model):
            self.server.unload(model)
        self._loans = {n: x for n, x in self._loans.items() if not self.server.same_model(n, model)}

    def leave(self) -> None:
        """Unload what we have loaded and nobody else has used since; other people's stays."""
        for model in self.models:
            resident = self.server.resident(model)
            if resident is not None and (self.server.is_private or self._is_ours(model, resident)):
                self.server.unload(model)

    def _is_allowed(self, model: str) -> bool:
        return self._all_allowed or any(self.server.same_model(n, model) for n in self._allowed)

    def _is_of_this_process(self, model: str, resident: Resident) -> bool:
        """By whatever it was asked in this notebook, also before the experiment."""
        return self._is_ours(model, resident) or self.server.is_ours(resident)

    def _is_ours(self, model: str, resident: Resident) -> bool:
        """By a request of this experiment."""
        by_a_name_of_ours = any(same_name(resident.name, name) for name in self.models)
        loans = self._loans_of(model)
        return by_a_name_of_ours and any(loan.is_all_that(resident) for loan in loans)

    def _loans_of(self, model: str) -> tuple[_Loan, ...]:
        names = (name for name in self._loans if self.server.same_model(name, model))
        return self._loans[name] if (name := next(names, None)) is not None else ()
