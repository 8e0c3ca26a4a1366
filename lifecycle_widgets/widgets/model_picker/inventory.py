"""Inventory: the models of one server as a picker needs them. Asks; shows nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from lifecycle_widgets.monitor import Loading
from lifecycle_widgets.server import (
    Model,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    full_name,
    same_name,
)

_PATIENCE_S = 3.0


class Inventory:
    """What is installed on a server, what of it is in memory, and which to choose at first.

    Examples
    --------
    >>> Inventory(Server("localhost:1")).models  # nothing is asked yet
    ()
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.models: tuple[Model, ...] = ()
        #: what is in memory; None when the server does not tell
        self.residents: tuple[Resident, ...] | None = ()
        #: the loads that go on, as far as is known
        self.loads: tuple[Loading, ...] = ()
        self._other_names: dict[str, str] = {}  # an installed name: the one its weights run under

    def ask(self) -> None:
        """Ask what is installed and in memory. Raises ServerUnreachable, ServerError."""
        models = self.server.models()
        try:
            self.residents = self.server.residents()
        except (ServerUnreachable, ServerError):
            self.residents = None  # some servers list models only; those are worth showing
        named = {full_name(m.name): m for m in reversed(models) if m.name}  # the first of a name
        # by name: Ollama's own order changes from one answer to the next where the times are equal
        self.models = tuple(sorted(named.values(), key=lambda m: (m.name.lower(), m.name)))

    def find(self, name: str) -> Model | None:
        """The installed model of that name: as it is written, else however it is written."""
        exact = (m for m in self.models if full_name(m.name) == full_name(name))
        same = (m for m in self.models if same_name(m.name, name))
        return next(exact, None) or next(same, None)

    def resident(self, model: Model) -> Resident | None:
        """What holds the model's weights, as far as is known without asking; None: nothing."""
        names = model.name, self._other_names.get(model.name, model.name)
        held = self.residents or ()
        return next((r for name in names for r in held if same_name(r.name, name)), None)

    def load(self, model: Model) -> Loading | None:
        """The load of the model's weights that goes on; None: none is known of."""
        names = model.name, self._other_names.get(model.name, model.name)
        return next((one for n in names for one in self.loads if same_name(one.model, n)), None)

    def first_choice(self, needs: Iterable[str]) -> str:
        """The name of a model that can chat on the server itself; "" when there is none.

        The first of ``needs``, else one in memory, else the first by name. The server is asked
        about as many as it takes.
        """
        needed = [found for name in needs if (found := self.find(name)) is not None]
        held = [model for model in self.models if self.resident(model) is not None]
        ordered = dict.fromkeys([*needed, *held, *self.models])
        return next((m.name for m in ordered if not m.is_cloud and m.can_chat), "")

    def learn(self) -> Iterator[None]:
        """Ask about each model what is not known yet; yields after each, so that it can be left."""
        models, residents = self.models, self.residents or ()
        for model in (m for m in models if m.known_capabilities is None):
            began_s = time.monotonic()
            told = model.capabilities
            yield
            if told is None and time.monotonic() - began_s > _PATIENCE_S:
                break  # such a server must not be asked 200 times
        others: dict[str, str] = {}
        for model in models if residents else ():
            if (held := self.server.match(model.name, residents)) is not None:
                others[model.name] = held.name
            yield
        self._other_names = others
        yield
