"""AskedModel: a model that a run asks on a server, with what was chosen for it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from lifecycle_widgets.agent.choices import checked_keep_alives
from lifecycle_widgets.agent.requests.in_memory import InMemory
from lifecycle_widgets.agent.structures.seats import Seat, tasks_of
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import AnyServer, Server

_TEMPERATURE = 0.1  # griptape's


@dataclass(eq=False)
class AskedModel:
    """A model on a server, as a run asks it.

    Parameters
    ----------
    server, model:
        Where, and what.
    choice:
        The keep_alive that is to apply to it; it may be one that decides anew for each request.
    memory:
        What /api/ps tells of it before and during the run.
    seats:
        The drivers that ask it.
    can_repeat:
        Whether the run can have more than one request of it.
    remote_host:
        Where it runs, when that is another machine than the server's.
    """

    server: Server
    model: str
    choice: KeepAlive
    memory: InMemory
    seats: list[Seat] = field(default_factory=list)
    can_repeat: bool = False
    remote_host: str | None = None
    _decided: KeepAlive | None = field(default=None, init=False)

    @property
    def chosen(self) -> KeepAlive:
        """What applies: as was decided for the last request; before the first, the choice now."""
        return KeepAlive(self.choice) if self._decided is None else self._decided

    def choose(self, *, more: bool) -> KeepAlive:
        """A request is about to be sent: decide. ``more``: another one is certain to follow."""
        self._decided = self.choice.for_request(self.model, self.server, more=more)
        return self._decided

    @property
    def options(self) -> dict[str, Any]:
        """Ollama's options of its requests, without what griptape sends of itself."""
        driver = self.seats[0].driver
        if self.seats[0].kind != "chat":
            return {}
        own = {"temperature": _TEMPERATURE, "num_predict": None}
        sent = {**driver.options, **driver.extra_params.get("options", {})}
        return {
            name: value
            for name, value in sent.items()
            if name != "stop" and own.get(name, ...) != value
        }

    def is_needed(self, ended: set[str]) -> bool:
        """Whether it can be asked once more, when these tasks have ended."""
        return any(not seat.tasks or not seat.tasks <= ended for seat in self.seats)

    def is_certain_again(self, ended: set[str]) -> bool:
        """Whether a task that asks it has still to come, when these have ended."""
        own = (seat for seat in self.seats if seat.is_a_tasks_own)
        return any(not seat.tasks <= ended for seat in own)


class AskedModels:
    """All models that a structure asks, by the seats of their drivers.

    Parameters
    ----------
    seats:
        Those of the structure.
    server:
        Where all are asked; None: each driver's own.
    keep_alive:
        One value, or a mapping model -> value; None: what a driver has itself.

    Raises
    ------
    ValueError
        For a keep_alive that Ollama would reject, or for a model that is not asked.
    """

    def __init__(
        self,
        seats: Iterable[Seat],
        server: AnyServer,
        keep_alive: Any,
    ) -> None:
        given = None if server is None else Server.of(server)
        seats = list(seats)
        chosen = checked_keep_alives(keep_alive, [seat.driver.model for seat in seats])
        hosts: dict[Any, Server] = {}
        self._by_seat: dict[int, AskedModel] = {}
        models: dict[tuple[str, str], AskedModel] = {}
        for seat in seats:
            where, model = given or hosts.get(_host(seat.driver)), seat.driver.model
            if where is None:
                where = hosts[_host(seat.driver)] = _server_of(seat.driver)
            key = where.url, model
            if key not in models:
                value = chosen.get(model)
                own = _own(seat.driver) if value is None else value
                models[key] = AskedModel(where, model, own, InMemory(where, model))
            asked = self._by_seat[id(seat)] = models[key]
            asked.can_repeat = asked.can_repeat or bool(asked.seats) or _asks_often(seat)
            asked.seats.append(seat)
        self.all = list(models.values())
        self.found = list(hosts.values())  # the servers that nobody else has

    def of(self, seat: Seat) -> AskedModel:
        """The one that a seat's driver asks."""
        return self._by_seat[id(seat)]


def answers_seat(structure: Any, seats: list[Seat]) -> Seat:
    """The seat that gives the answer: of the last task, or else of the last that asks a model."""
    last = _last_task(structure)
    own = [seat for seat in seats if seat.is_a_tasks_own]
    return next((seat for seat in own if seat.holder is last), (own or seats)[-1])


def _last_task(structure: Any) -> Any:
    """The output task, also of a workflow whose tasks griptape links only when it runs."""
    tasks = tasks_of(structure)
    if not hasattr(structure, "order_tasks"):
        return tasks[-1]
    before = {
        task.id: {t.id for t in tasks if t.id in task.parent_ids or task.id in t.child_ids}
        for task in tasks
    }
    *_, last = TopologicalSorter(before).static_order()
    return structure.find_task(last)


def _asks_often(seat: Seat) -> bool:
    """Whether a single task can ask by it more than once."""
    if not seat.is_a_tasks_own:
        return True  # of a tool, an engine, a memory: as often as it likes
    return bool(seat.holder.tools or seat.holder.output_schema)


def _own(driver: Any) -> KeepAlive:
    """What a person's driver sends by itself."""
    return KeepAlive.of(getattr(driver, "extra_params", {}).get("keep_alive"))


def _host(driver: Any) -> Any:
    client = driver._client
    return (driver.host, id(client)) if client is not None else (driver.host, 0)


def _server_of(driver: Any) -> Server:
    """Where a person's driver asks: by its client, its host, or else what `Server.find` finds."""
    headers: dict[str, str] = dict(driver.headers or {})
    if driver.api_key is not None:
        headers.setdefault("Authorization", f"Bearer {driver.api_key}")
    http = getattr(driver._client, "_client", None)  # ollama-python keeps httpx's there
    if http is not None:
        given = {k: v for k, v in http.headers.items() if k.lower() not in _HTTPX}
        return Server(str(http.base_url), headers={**given, **headers})
    if driver.host is None and not headers:
        return Server.find()
    host = driver.host or os.environ.get("OLLAMA_HOST", "")  # as ollama-python does
    return Server(host, headers=headers or None)


_HTTPX = {"accept", "accept-encoding", "connection", "content-type", "user-agent"}
