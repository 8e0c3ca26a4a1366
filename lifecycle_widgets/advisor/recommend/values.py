"""ModelAdvice, ServerAdvice, Figures, Evidence: what an advice is made of. Plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lifecycle_widgets.advisor.recommend.evidence.reload_cost import ReloadCost
from lifecycle_widgets.advisor.recommend.telling.plain import plain
from lifecycle_widgets.experiments.statistics import Interval
from lifecycle_widgets.keep_alive import KeepAlive


@dataclass(frozen=True)
class Figures:
    """What one keep_alive would have come to over the gaps that were watched.

    Parameters
    ----------
    cost:
        In reloads: the idle seconds held over T*, and one for each reload.
    cost_over_clairvoyant:
        The same over what it costs whoever knows how long each gap will be; 1 is the least.
    held_s:
        For how long the model would have been idle in memory, in seconds.
    reloads:
        How many requests would have had to load the model.
    reloads_per_hour:
        The same for an hour of use: of a gap longer than an hour one hour counts.
    waiting_s:
        The reloads times what one takes, in seconds; None: what one takes was not measured.
    gb_h:
        The same in GB (1e9 bytes) times hours of idle memory; None: its size was not seen.
    """

    cost: float
    cost_over_clairvoyant: float
    held_s: float
    reloads: int
    reloads_per_hour: float
    waiting_s: float | None
    gb_h: float | None


@dataclass(frozen=True)
class Evidence:
    """What an advice rests on.

    Parameters
    ----------
    requests:
        How many requests there were, at least.
    gaps:
        The idle gaps between them that somebody watched.
    unwatched:
        The gaps that nobody watched all of: they are left out.
    span_s:
        From the first request to the end of the last, in seconds.
    days:
        On how many days it was asked something.
    witnesses:
        How the requests were seen: as `Request.witnesses`, or "trace".
    """

    requests: int
    gaps: int
    unwatched: int
    span_s: float
    days: int
    witnesses: tuple[str, ...]


@dataclass(frozen=True)
class ModelAdvice:
    """The keep_alive for one model, and why.

    Parameters
    ----------
    model:
        Its name, or the stream's.
    keep_alive, today:
        What is recommended, rounded to what a person would write; and what is in force.
    today_from:
        How today's value is known: "given", "seen", "the server's default", "Ollama's default".
    t_star_s:
        The break-even T* of this model, in seconds.
    price_in_words:
        The price as it was said, and what it comes to in the other ways for this model.
    reload:
        What a reload of it takes; None: nothing was measured.
    saves:
        What the recommended value saves against today's, in reloads a day of use, with its
        interval: by the same gaps, drawn again by days or sessions. Below 0: it costs more.
    saves_s:
        The same in seconds of waiting; None: what a reload takes was not measured.
    now, then:
        What today's value and the recommended one come to over the gaps that were seen.
    evidence:
        What it rests on.
    is_enough:
        Whether the value was learned from the gaps; else it is T*, which never does badly.
    guarantee:
        What is promised, in words.
    because:
        Why, in a sentence or two, with the numbers.
    warnings:
        What a person should know before using it.
    """

    model: str
    keep_alive: KeepAlive
    today: KeepAlive
    today_from: str
    t_star_s: float
    price_in_words: str
    reload: ReloadCost | None
    saves: Interval
    saves_s: Interval | None
    now: Figures
    then: Figures
    evidence: Evidence
    is_enough: bool
    guarantee: str
    because: str
    warnings: tuple[str, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether today's value is the recommended one already."""
        return self.keep_alive.seconds == self.today.seconds

    def to_dict(self) -> dict[str, Any]:
        """As JSON has it; what is not known, or endless, is None."""
        return {name: plain(getattr(self, name)) for name in self.__dataclass_fields__}


@dataclass(frozen=True)
class ServerAdvice:
    """The settings for a whole server.

    Parameters
    ----------
    keep_alive:
        OLLAMA_KEEP_ALIVE: the one value that costs least for all that send none.
    max_loaded_models:
        OLLAMA_MAX_LOADED_MODELS; None: of a single model nothing follows.
    because:
        Why, in a sentence or two.
    warnings:
        What a person should know before using it.
    """

    keep_alive: KeepAlive
    max_loaded_models: int | None
    because: str
    warnings: tuple[str, ...] = ()

    @property
    def settings(self) -> dict[str, str]:
        """What to set in the server's environment.

        Examples
        --------
        >>> ServerAdvice(KeepAlive("2m"), 2, "").settings
        {'OLLAMA_KEEP_ALIVE': '2m', 'OLLAMA_MAX_LOADED_MODELS': '2'}
        """
        alive = "-1" if self.keep_alive.is_forever else str(self.keep_alive)
        limit = self.max_loaded_models
        more = {} if limit is None else {"OLLAMA_MAX_LOADED_MODELS": str(limit)}
        return {"OLLAMA_KEEP_ALIVE": alive, **more}
