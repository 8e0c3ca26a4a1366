"""What is known of a server's models: what /api/show tells, and whose weights are whose."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from lifecycle_widgets.server.answers import Shown, shown
from lifecycle_widgets.server.errors import ServerError, ServerUnreachable, UnknownModel
from lifecycle_widgets.server.names import full_name, same_name
from lifecycle_widgets.server.values import Capabilities, Model, Resident

_AGAIN_S = 30.0  # what was not told, or cannot be tied to a digest, is asked again not sooner


class ModelBook:
    """Keeps what is told of a model by its name and digest: another digest is another model.

    Parameters
    ----------
    show:
        Asks /api/show about a name, and raises as `Server` does.
    list_installed:
        Asks which models are installed, likewise.
    """

    def __init__(
        self, show: Callable[[str], Any], list_installed: Callable[[], list[Model]]
    ) -> None:
        self._show, self._list_installed = show, list_installed
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], tuple[Shown, float]] = {}
        self._digests: dict[str, str] = {}  # of installed names, as last listed

    # --- what /api/show tells --------------------------------------------------------------------

    def shown(self, model: str, digest: str | None = None) -> Shown:
        """What is told of a model; asks where it is not known.

        Raises UnknownModel, ServerUnreachable.
        """
        digest = self._digest(model) if digest is None else digest
        found = self._known(model, digest)
        if found is not None:
            return found
        until_s = math.inf if digest else time.monotonic() + _AGAIN_S
        try:
            found = shown(self._show(model))
        except ServerError:  # it does not tell, now at least
            found, until_s = Shown(), time.monotonic() + _AGAIN_S
        with self._lock:
            self._told[full_name(model).lower(), digest] = (found, until_s)
        return found

    def capabilities(self, model: str, digest: str | None = None) -> Capabilities:
        """What a model can do; None when it is not told. Asks at most once; raises nothing."""
        try:
            return self.shown(model, digest).capabilities
        except (ServerUnreachable, ServerError, UnknownModel):
            return None

    def described(self, models: Iterable[Model]) -> tuple[Model, ...]:
        """The models as listed, each with the ways to what it can do; their digests are noted."""
        listed = tuple(models)
        self._digests = {full_name(m.name).lower(): m.digest for m in listed}
        return tuple(
            m
            if m.known_capabilities is not None
            else replace(
                m,
                _ask=partial(self.capabilities, m.name, m.digest),
                _look=partial(self._capabilities_known, m.name, m.digest),
            )
            for m in listed
        )

    def _capabilities_known(self, model: str, digest: str) -> Capabilities:
        known = self._known(model, digest)
        return known.capabilities if known is not None else None

    def _known(self, model: str, digest: str) -> Shown | None:
        with self._lock:
            found, until_s = self._told.get((full_name(model).lower(), digest), (None, 0.0))
        return found if until_s > time.monotonic() else None

    def _digest(self, model: str) -> str:
        """The manifest's digest, as it was last listed; empty when it was not."""
        return self._digests.get(full_name(model).lower(), "")

    # --- whose weights ---------------------------------------------------------------------------

    def match(self, model: str, residents: Iterable[Resident]) -> Resident | None:
        """The entry of the model's weights, under whatever name they were loaded.

        By the name, by the manifest's digest, and by the weights' file, in this order: each
        answers only what the one before it has left open. Raises as `shown` does.
        """
        listed = tuple(residents)
        named = next((r for r in listed if same_name(r.name, model)), None)
        if named is not None or not listed:
            return named
        self._see_listed(model)
        digest = self._digest(model)
        alike = next((r for r in listed if digest and r.digest == digest), None)
        return alike or self._with_weights(model, listed)

    def match_by_name_at_least(self, model: str, residents: Iterable[Resident]) -> Resident | None:
        """As `match`; by the name alone when the server cannot be asked. Raises nothing."""
        listed = tuple(residents)
        try:
            return self.match(model, listed)
        except (ServerUnreachable, ServerError, UnknownModel):
            return next((r for r in listed if same_name(r.name, model)), None)

    def same(self, one: str, other: str) -> bool:
        """Whether two names are one model: the same weights. Raises nothing."""
        try:
            self._see_listed(other)
        except (ServerUnreachable, ServerError):
            pass
        entry = Resident(other, None, digest=self._digest(other))
        return self.match_by_name_at_least(one, [entry]) is not None

    def _see_listed(self, model: str) -> None:
        """See that the digests are listed, unless the name is among them already."""
        if full_name(model).lower() not in self._digests:
            self.described(self._list_installed())

    def _with_weights(self, model: str, listed: Iterable[Resident]) -> Resident | None:
        weights = self._weights(model, None)
        if weights is None:
            return None
        return next((r for r in listed if self._weights(r.name, r.digest) == weights), None)

    def _weights(self, model: str, digest: str | None) -> str | None:
        try:
            return self.shown(model, digest).weights
        except UnknownModel:  # not installed (any more): only its name could tell
            return None
