"""AdaptiveKeepAlive: a keep_alive that is decided anew for each request, and learns as it works."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lifecycle_widgets.advisor.adaptive.letting_go import let_go
from lifecycle_widgets.advisor.adaptive.models import Models, One
from lifecycle_widgets.advisor.adaptive.signals import Signal
from lifecycle_widgets.advisor.policies.slack_bank import SlackBank
from lifecycle_widgets.advisor.price import Price
from lifecycle_widgets.advisor.workload.workload import Workload
from lifecycle_widgets.history import History
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import AnyServer, Server

_OLLAMAS_DEFAULT_S = 300.0


class AdaptiveKeepAlive(KeepAlive):
    """A keep_alive that learns from the gaps between requests; goes wherever a keep_alive goes.

    It decides when a request is sent, for each model and server by itself, by the advisor's own
    policy: from its making on, what it sends costs each model at most twice what whoever knew
    every gap would pay, and three reloads. It starts from the history, and learns from what this
    process asks, and from other clients' requests where the server's shared monitor runs (a chart,
    the lab, a history that is kept). It has no thread, and asks the server for nothing that would
    keep a model. While a run holds its models, for a lease, that is the run's doing: what was
    chosen counts.

    As a value it is what it would send now: ``KeepAlive(adaptive)`` is that one, for good.

    In a griptape driver of your own, that is not run by `run`, it is given as
    ``extra_params={"keep_alive": adaptive.for_model("llama3.2")}``. When it has its answer,
    griptape tells; another client's (ollama-python's) requests have no end, unless a monitor runs:
    gaps then seem longer by the time of the answer.

    Parameters
    ----------
    price:
        A `Price`; a number is a T* in seconds. What follows from a measured reload is known when
        one was seen: until then nothing is sent (by a plain driver: Ollama's own 5 minutes). The T*
        of a model stays as it was first known.
    server:
        The Ollama that it is for, where it cannot know: in a plain driver, and before a request.
    history:
        What it starts from: a History or a Workload; None: the person's own history. It is
        remembered by whoever keeps a history (`History.keep`, the lab); nothing is written here.
    most_reloads_per_hour:
        No more of a model's reloads in an hour than that, whatever they would save; None: no limit.
        What holding it costs then is promised by nobody.
    knows:
        What else is known of the next request; see `signals`.

    Raises
    ------
    ValueError
        For what is no price, or a limit that is none.

    Examples
    --------
    >>> adaptive = AdaptiveKeepAlive(Price(t_star_s=120), history=Workload((), "nothing"))
    >>> adaptive.would_send("llama3.2")
    KeepAlive('2m')
    >>> print(adaptive.why("llama3.2"))
    No gap has been seen yet: ...
    """

    guarantee = SlackBank.guarantee

    def __init__(
        self,
        price: Price | float,
        *,
        server: AnyServer = None,
        history: History | Workload | None = None,
        most_reloads_per_hour: float | None = None,
        knows: Sequence[Signal] = (),
    ) -> None:
        self.price = Price.of(price)
        self._server = None if server is None else Server.of(server)
        self._models = Models(self.price, history, most_reloads_per_hour, knows)
        self._model = ""

    def for_model(self, model: str) -> AdaptiveKeepAlive:
        """The same, for one model: what it learns, all that it came from have learnt.

        For a driver that does not say which model it asks, where there are several.
        """
        bound = object.__new__(type(self))
        bound.__dict__.update(self.__dict__, _model=model)
        return bound

    # --- a request -------------------------------------------------------------------------------

    def for_request(self, model: str, server: Any = None, *, more: bool = False) -> KeepAlive:
        """What a request that is about to be sent is to carry; see `KeepAlive.for_request`."""
        one = self._models.of(model, server or self._server)
        choice = self._models.decide(one, more=more)
        return KeepAlive(None) if choice is None else KeepAlive(choice.ttl_s)

    def __float__(self) -> float:
        """The same, for a driver that takes it for a number: ollama-python asks for it once.

        That is in seconds, negative: forever.
        """
        one = self._one()
        if one is None:
            one = self._models.of(self._model, self._server)
        choice = self._models.decide_plainly(one)
        ttl_s = _OLLAMAS_DEFAULT_S if choice is None else choice.ttl_s
        return -1.0 if math.isinf(ttl_s) else ttl_s

    # --- what it would do ------------------------------------------------------------------------

    def would_send(self, model: str | None = None) -> KeepAlive:
        """What a request would carry that was sent now; asking changes nothing.

        Parameters
        ----------
        model:
            Which one; None: that was asked last. Before the first, one of which nothing is known.
        """
        one = self._one(model)
        choice = self._models.first if one is None else self._models.would_decide(one)
        return KeepAlive(None) if choice is None else KeepAlive(choice.ttl_s)

    def why(self, model: str | None = None) -> str:
        """Why it would send that, in a sentence or two; parameters as `would_send`."""
        one = self._one(model)
        choice = self._models.first if one is None else self._models.would_decide(one)
        if choice is None:
            why_not = "No model was asked yet." if one is None else one.why_not
            return f"{why_not} Until a request has shown it, the server's default applies."
        return choice.because

    @property
    def t_star_s(self) -> float | None:
        """T* of the model that was asked last, in seconds; None: it is not known yet."""
        one = self._one()
        return self.price.t_star_s if one is None or one.learner is None else one.learner.t_star_s

    @property
    def slack(self) -> float | None:
        """What the bank of the model that was asked last holds, in reloads; None: none was."""
        one = self._one()
        return None if one is None or one.learner is None else one.learner.slack

    @property
    def gaps(self) -> int:
        """From how many gaps of the model that was asked last it has learnt."""
        one = self._one()
        return 0 if one is None or one.learner is None else one.learner.gaps

    def let_go(self) -> tuple[str, ...]:
        """Unload what it has kept, for when the notebook is closed: only if you ask for it.

        ``atexit.register(adaptive.let_go)`` does it when the kernel ends. Only models that were
        asked with it leave, and only where the last request was this process's. Raises nothing.

        Returns
        -------
        tuple
            The models that leave.
        """
        return let_go(self._models)

    def _one(self, model: str | None = None) -> One | None:
        name = model or self._model
        if name:
            return self._models.of(name, self._server or self._last_server())
        return self._models.last

    def _last_server(self) -> Server | None:
        last = self._models.last
        return None if last is None else last.server

    # --- as a KeepAlive --------------------------------------------------------------------------

    @property
    def _ns(self) -> int | None:
        return self.would_send()._ns

    @property
    def is_adaptive(self) -> bool:
        return True

    @property
    def is_default(self) -> bool:
        """False: something was chosen, also while nothing is sent."""
        return False

    def explain(self, default_s: float | None = None, default_from: str | None = None) -> str:
        """One sentence or more: what it would send now, why, and what the server will do."""
        now = self.would_send()
        return f"Decided anew for each request. {self.why()} Now: {now}. " + now.explain(
            default_s, default_from
        )

    def __str__(self) -> str:
        return f"adaptive, now {self.would_send()}"

    def __repr__(self) -> str:
        bound = f", model={self._model!r}" if self._model else ""
        return f"AdaptiveKeepAlive({self.price!r}{bound}, now {self.would_send()})"

    def __copy__(self) -> AdaptiveKeepAlive:
        return self

    def __deepcopy__(self, _: object) -> AdaptiveKeepAlive:
        """Itself: what is copied with it, such as a driver, goes on to teach the same."""
        return self

    def __reduce__(self) -> tuple[type[KeepAlive], tuple[float | None]]:
        """In another process, and in a file, it is what it would send now."""
        return KeepAlive, (self.would_send().to_json(),)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)
