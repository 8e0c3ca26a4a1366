"""Adviser: reads a workload once, and advises from it at one price after the other."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.recommend.advice import Advice
from lifecycle_widgets.advisor.recommend.advise import advise
from lifecycle_widgets.advisor.recommend.evidence.known import Known, known
from lifecycle_widgets.advisor.replay.profile import Profile, profile
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.history import History
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.advice_panel.curve import Curve

Source = History | Workload | Path | str


class Adviser:
    """The advice of one workload, and the curves behind it. Asks no server.

    Parameters
    ----------
    of:
        Where the workload is from.
    today, since, reload_s, held_bytes, most_reloads_per_hour:
        As `advise` takes them.

    Examples
    --------
    >>> import numpy as np
    >>> from lifecycle_widgets.advisor.workload.workload import Stream
    >>> at = 3600.0 * np.arange(40)
    >>> stream = Stream("a", at, at + 5, np.full(39, True), 40)
    >>> adviser = Adviser(Workload((stream,), "an example"))
    >>> adviser.advice(Price(t_star_s=120), None).models[0].keep_alive
    KeepAlive('0')
    >>> adviser.curve("a", 120.0).at(300.0).over  # of T* + one reload each
    3.5
    """

    def __init__(
        self,
        of: Source,
        *,
        today: KeepAlive | None = None,
        since: timedelta | None = None,
        reload_s: float | None = None,
        held_bytes: float | None = None,
        most_reloads_per_hour: float | None = None,
    ) -> None:
        self._of, self._today, self._since = of, today, since
        self._reload_s, self._held_bytes = reload_s, held_bytes
        self._most_reloads_per_hour = most_reloads_per_hour
        self._known: Known | None = None
        self._profiles: dict[str, Profile] = {}

    def forget(self) -> None:
        """Read the workload again when it is next wanted."""
        self._known, self._profiles = None, {}

    def advice(self, price: Price, server: Server | None) -> Advice:
        """The advice at a price. Raises what `advise` does."""
        return advise(
            self._read(server),
            price=price,
            today=self._today,
            reload_s=self._reload_s,
            held_bytes=self._held_bytes,
            most_reloads_per_hour=self._most_reloads_per_hour,
        )

    def curve(self, model: str, t_star_s: float) -> Curve:
        """What every fixed keep_alive would have cost a model that the workload has."""
        if model not in self._profiles:
            assert self._known is not None  # there is an advice for the model
            self._profiles[model] = profile(self._known.workload.stream(model).gaps_s)
        return Curve(self._profiles[model], t_star_s)

    def _read(self, server: Server | None) -> Known:
        """What an advice rests on; of a history what is known of this server alone."""
        if self._known is None:
            whose = server if isinstance(self._of, History) else None
            self._known = known(self._of, server=whose, since=self._since)
        return self._known
