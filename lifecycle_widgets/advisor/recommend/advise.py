"""advise: the keep_alive for each model, and the settings for the server, from what was done."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from lifecycle_widgets.advisor.price import NotMeasured, Price
from lifecycle_widgets.advisor.recommend.advice import Advice
from lifecycle_widgets.advisor.recommend.evidence.known import (
    DEFAULT,
    OLLAMAS_DEFAULT,
    AnyWorkload,
    Known,
    check_names,
    known,
    reload_of,
    today_of,
)
from lifecycle_widgets.advisor.recommend.evidence.learned import learned_s
from lifecycle_widgets.advisor.recommend.evidence.reload_cost import ReloadCost
from lifecycle_widgets.advisor.recommend.one_model import advise_model
from lifecycle_widgets.advisor.recommend.server_advice import advise_server
from lifecycle_widgets.advisor.recommend.telling.words import called
from lifecycle_widgets.advisor.recommend.values import ModelAdvice
from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.history.reading.asked import Moment
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Server


def advise(
    of: AnyWorkload = None,
    *,
    price: Price | float,
    today: Mapping[str, KeepAlive | str | float] | KeepAlive | str | float | None = None,
    model: str | None = None,
    server: Server | str | None = None,
    since: Moment = None,
    until: Moment = None,
    reload_s: Mapping[str, float] | float | None = None,
    held_bytes: Mapping[str, float] | float | None = None,
    most_reloads_per_hour: float | None = None,
) -> Advice:
    """Which keep_alive to use, for what was done: what it costs and saves, and how sure that is.

    What was done before is taken for what will be done: the more days, the surer. Nothing is set;
    nothing is asked of a server.

    Parameters
    ----------
    of:
        A `History`, a `Workload`, a file (`read_workload`), or what `known` has made of one, where
        advice at several prices is wanted; None: the person's own history.
    price:
        What an idle model in memory is worth; a number is a T* in seconds.
    today:
        The value in force, for all or by model, to compare with. None: as it was seen; of a file,
        Ollama's default of 5m.
    model, server, since, until:
        Of a history: only this model; of which server; from when to when, as `History.requests`.
        Of a file the first two.
    reload_s, held_bytes:
        What a reload takes (load and prompt) in seconds, and the model in memory, for all or by
        model. None: as it was measured.
    most_reloads_per_hour:
        No value that reloads more often than that in an hour of use.

    Returns
    -------
    Advice
        A model without a single gap that was watched has none, and ``notes`` says so.

    Raises
    ------
    WorkloadError
        Where there is nothing to advise from.
    NotMeasured
        Where T* of no model follows from the price before something is measured, or given.
    ValueError
        For a price, a value or a limit that is none.
    HistoryError
        Where the history cannot be read.

    Examples
    --------
    A model that is asked each hour, at a T* of two minutes:

    >>> import numpy as np
    >>> from lifecycle_widgets.advisor.workload.workload import Stream, Workload
    >>> at = 3600.0 * np.arange(40)
    >>> stream = Stream("a", at, at + 5, np.full(39, True), 40)
    >>> advice = advise(Workload((stream,), "an example"), price=120)
    >>> advice.models[0].keep_alive, advice.models[0].today
    (KeepAlive('0'), KeepAlive('5m'))
    """
    price = Price.of(price)
    _check_limit(most_reloads_per_hour)
    told = known(of, model=model, server=server, since=since, until=until)
    for given in (today, reload_s, held_bytes):
        check_names(told, given)
    reloads = {s.name: reload_of(told, s.name, reload_s, held_bytes) for s in told.workload.streams}
    t_stars_s, lacking = _t_stars_s(told.workload, price, reloads)
    learned = learned_s(told.workload, t_stars_s)
    models = [
        advise_model(
            stream,
            told.workload,
            learned[stream.name],
            price,
            today=today_of(told, stream.name, today),
            reload=reloads[stream.name],
            most_reloads_per_hour=most_reloads_per_hour,
        )
        for stream in sorted(told.workload.streams, key=lambda one: -one.requests)
        if stream.name in learned
    ]
    return Advice(
        models=tuple(models),
        server=advise_server(told.workload, models, most_reloads_per_hour),
        price=price,
        source=told.workload.source,
        notes=(*told.workload.notes, *lacking, *_not_seen(told, models)),
    )


def _t_stars_s(
    workload: Workload, price: Price, reloads: Mapping[str, ReloadCost]
) -> tuple[dict[str, float], list[str]]:
    """T* of each stream that can be advised on, one at least; a sentence about each that cannot."""
    t_stars_s, lacking = {}, []
    for stream in workload.streams:
        reload = reloads[stream.name]
        if not len(stream.gaps_s):
            lacking.append(
                f"{called(stream.name)}: no idle gap of it was watched, so no advice for it."
            )
            continue
        try:
            t_stars_s[stream.name] = price.t_star(reload.seconds, reload.held_bytes)
        except NotMeasured as fault:
            offer = reload.told if reload.seconds is None else ""
            lacking.append(f"{called(stream.name)}: {fault} {offer}".rstrip())
    if not workload.gaps:
        raise WorkloadError(f"There is no idle gap in {workload.source} to learn from.")
    if not t_stars_s:
        how = "Give reload_s= and held_bytes=, or a T* in seconds as the price."
        raise NotMeasured(f"{lacking[0]} {how}")
    return t_stars_s, lacking


def _not_seen(told: Known, models: Sequence[ModelAdvice]) -> Iterator[str]:
    """What was not seen, and so is taken to be as it mostly is; or left out."""
    guessed = [one.model for one in models if one.today_from == DEFAULT]
    if guessed:
        whose = "" if len(guessed) == len(models) else f" of {', '.join(guessed)}"
        yield (
            f"Today's keep_alive{whose} was not seen: Ollama's default of {OLLAMAS_DEFAULT} stands "
            "for it. Give today= where it is another."
        )
    if not told.is_history and all(one.reload is None for one in models):
        yield "What a reload takes is not told: give reload_s= to see the waiting in seconds."


def _check_limit(most_reloads_per_hour: float | None) -> None:
    if most_reloads_per_hour is not None and not 0 <= most_reloads_per_hour < math.inf:
        raise ValueError(
            f"most_reloads_per_hour is {most_reloads_per_hour}: give a number, 0 or more."
        )
