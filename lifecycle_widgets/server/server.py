"""Server: one Ollama endpoint, found or started; its models, and what is in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import answers, finding, private, unloading
from lifecycle_widgets.server.answers import Shown
from lifecycle_widgets.server.asking_nothing import Kind, asking_nothing
from lifecycle_widgets.server.book import ModelBook
from lifecycle_widgets.server.door.address import is_this_machine
from lifecycle_widgets.server.door.door import Door
from lifecycle_widgets.server.door.questions import Questions
from lifecycle_widgets.server.door.tls import Verify
from lifecycle_widgets.server.errors import (
    NotTold,
    ServerError,
    ServerUnreachable,
    UnknownModel,
)
from lifecycle_widgets.server.names import same_name
from lifecycle_widgets.server.own_events import OwnEvents
from lifecycle_widgets.server.polling import ResidentsPoll, no_list
from lifecycle_widgets.server.values import Capabilities, Model, PullProgress, Resident

if TYPE_CHECKING:
    import ollama

    from lifecycle_widgets.sandbox import Progress, Sandbox

_SAME_CLOCK_S = 0.5  # between the end of an answer and the new deadline
_OTHER_CLOCK_S = 1.5  # and another machine's clock is known to a second
_QUICK_TIMEOUT_S = 10.0  # for what Ollama answers from memory: ps, tags, show, version
NOT_TOLD = "not told"
AnyServer: TypeAlias = "Server | Sandbox | str | None"
"""What `Server.of` takes."""


class Server:
    """One Ollama endpoint.

    Parameters
    ----------
    host:
        In any form that OLLAMA_HOST takes: ``"127.0.0.1:11434"``, ``"myhost"``, ``":8080"``,
        ``"https://user:password@host/path"``, ``"[::1]:11434"``.
    headers:
        Sent with each request, such as ``{"Authorization": "Bearer ..."}``. Without that one a
        user and password in ``host`` are sent, or the key in OLLAMA_API_KEY. None of it is ever
        shown or stored.
    verify:
        Whose certificates are trusted: True (public ones, the system's, and SSL_CERT_FILE's), the
        path of an authority's own (PEM), an `ssl.SSLContext`, or False (anybody's).
    quick_timeout_s:
        How long to wait, in seconds, for what Ollama answers from memory (ps, tags, show).

    Raises
    ------
    ValueError
        For an address, headers or certificates that cannot be read.

    Examples
    --------
    >>> server = Server("localhost")
    >>> server.url
    'http://localhost:11434'
    """

    def __init__(
        self,
        host: str,
        *,
        headers: Mapping[str, str] | None = None,
        verify: Verify = True,
        quick_timeout_s: float = _QUICK_TIMEOUT_S,
    ) -> None:
        #: the one connection to it: proxies, headers, certificates, redirects
        self.door = Door(host, headers=headers, verify=verify)
        self.url = self.door.url  #: without the user and password, if there are any
        own = OwnEvents.of(self.url)
        #: (name, monotonic time) of what this process unloaded: "requested", to the monitor
        self.unloads = own.unloads
        #: (name, monotonic time) of this process's requests with keep_alive 0 that have ended: such
        #: a model expires at once, though /api/ps may have shown a later deadline until then
        self.zeroed = own.zeroed
        #: which deadlines in /api/ps are made by requests of this process
        self.own_deadlines = own.deadlines
        #: what this process has asked of its models, and when
        self.own_requests = own.requests
        self._ask = Questions(self.door, quick_timeout_s)
        self._book = ModelBook(self._show, self._listed)
        self._is_view = False
        self._box: Any = None  # the Sandbox object that it was made of, if it was

    def __repr__(self) -> str:
        return f"Server({self.url!r})"

    # --- finding one -----------------------------------------------------------------------------

    @classmethod
    def find(cls, *, progress: Callable[[Progress], None] | None = None) -> Server:
        """The person's own Ollama if one answers, else the private sandbox (started if need be).

        Tries OLLAMA_HOST, then localhost:11434, then the sandbox that `lifecycle-lab` handed to
        this kernel, then starts one, which takes minutes the very first time on a machine.

        Parameters
        ----------
        progress:
            Called with each step of preparing the sandbox; by default lines are printed.

        Raises
        ------
        ServerUnreachable, ServerError, ValueError
            For an own one that is there, but hangs, wants a key, or has another address.
        SandboxError
            When no server answers and the sandbox cannot be prepared; says what to do.
        """
        return cls.own() or cls.sandbox(progress=progress)

    @classmethod
    def of(cls, server: AnyServer) -> Server:
        """A Server of whatever stands for one: itself, an address, a Sandbox; None: `find`.

        Raises
        ------
        TypeError
            For anything else; and what `find` raises.
        """
        if server is None:
            return cls.find()
        if isinstance(server, Server):
            return server
        address = getattr(server, "url", server)  # a Sandbox has one while it runs
        if isinstance(address, str):
            made = cls(address)
            made._box = None if address is server else server
            return made
        raise TypeError(
            f"server is a {type(server).__name__}. Give a Server, an address such as "
            "'localhost:11434', a Sandbox, or leave it out: then Server.find() looks for one."
        )

    @classmethod
    def own(cls) -> Server | None:
        """The person's own Ollama (OLLAMA_HOST, else localhost:11434); None if there is none.

        Raises
        ------
        ServerUnreachable, ServerError, ValueError
            For one that is there, but hangs, wants a key, or has another address: says what was
            found, and what to change.
        """
        return finding.own(cls)

    @classmethod
    def sandbox(cls, *, progress: Callable[[Progress], None] | None = None) -> Server:
        """The private sandbox: the lab's, if it handed one to this kernel, else one of our own."""
        handed = os.environ.get(private.SANDBOX_URL_VARIABLE)
        if handed and cls(handed).answers():
            return cls(handed)
        return cls(private.started(progress).url)

    def with_timeout(self, quick_timeout_s: float) -> Server:
        """The same server by the same connections, with another patience, in seconds."""
        view = object.__new__(type(self))
        view.__dict__ |= self.__dict__
        view._ask = Questions(self.door, quick_timeout_s)
        view._is_view = True
        return view

    @property
    def quick_timeout_s(self) -> float:
        """How long it waits, in seconds, for what Ollama answers from memory."""
        return self._ask.quick_timeout_s

    @property
    def is_sandbox(self) -> bool:
        """True for the private Ollama that this product started."""
        return self.url in private.urls()

    @property
    def is_private(self) -> bool:
        """True for a sandbox that this process has started: nobody else's models are in it.

        That is its own (`Server.find`, `Server.sandbox`), and one that is given as a `Sandbox`; by
        its address alone a server is anybody's. The one that `lifecycle-lab` hands to its kernels
        is a sandbox too, but they share it.
        """
        if self._box is not None:
            return bool(self._box.is_running) and not private.is_handed(self.url)
        return private.is_own(self.url)

    def is_ours(self, resident: Resident) -> bool:
        """Whether this process, and nobody else, has used a model in memory last.

        A request that ends sets the model's deadline, and only those of our own requests are
        known. In a private server everything is ours. Where no deadline is told, what we asked
        for ourselves cannot be known again. May ask the server whose weights are whose.

        Raises nothing.
        """
        if self.is_private:
            return True
        slack_s = _SAME_CLOCK_S if self.is_local else _OTHER_CLOCK_S
        if self.own_deadlines.seconds(resident, self.same_model, slack_s) is not None:
            return True
        goes_on = (one for one in self.own_requests.all() if one.ended_s is None)
        return any(
            one.kind != "unload" and self.same_model(one.model, resident.name) for one in goes_on
        )

    @property
    def is_local(self) -> bool:
        """True when the address is this machine's.

        Whether the processes behind it can be seen is another matter: it may be a container's
        published port, or the end of a tunnel. `Monitor` finds that out.
        """
        return is_this_machine(self.url.partition("://")[2].partition("/")[0].rpartition(":")[0])

    @property
    def clock_offset_s(self) -> float:
        """Seconds that the server's clock is ahead of ours; 0.0 while they may be the same."""
        return self.door.clock.ahead_s

    # --- asking ----------------------------------------------------------------------------------

    def answers(self, timeout_s: float = 1.0) -> bool:
        """True when an Ollama answers at the address within ``timeout_s`` seconds."""
        try:
            return bool(self.with_timeout(timeout_s).version)
        except (ServerUnreachable, ServerError):
            return False

    @property
    def version(self) -> str:
        """Ollama's version, such as ``"0.32.15"``; "not told" by a server that only speaks its API.

        Raises ServerUnreachable, ServerError.
        """
        try:
            told = answers.version(self._ask.get("/api/version"))
        except (NotTold, answers.Unreadable):
            told = None
        if told is None:
            self._listed()  # raises when it does not speak the API at all
        return told or NOT_TOLD

    def models(self) -> tuple[Model, ...]:
        """The installed models, most recently changed first. Raises ServerUnreachable, ServerError.

        What a model can do (`Model.capabilities`) is asked for when it is first wanted.
        """
        return self._book.described(self._listed())

    def residents(self) -> tuple[Resident, ...]:
        """The models in memory, the last to expire first. Resets no timer.

        Raises
        ------
        NotTold
            When the server has no list of them.
        ServerUnreachable, ServerError
        """
        try:
            body = self._ask.get("/api/ps")
            return tuple(answers.residents(body, self.clock_offset_s))
        except (NotTold, answers.Unreadable) as fault:
            raise no_list(self.url, fault) from fault

    def poll(self) -> ResidentsPoll:
        """`residents` for whoever asks again and again; see `ResidentsPoll`. Asks nothing yet."""
        return ResidentsPoll(self.door, self._ask)

    def resident(self, model: str) -> Resident | None:
        """The entry of the model's weights among the residents, under whatever name they were
        loaded; None when they are not in memory.

        Raises NotTold, ServerUnreachable, ServerError.
        """
        return self._book.match(model, self.residents())

    def match(self, model: str, residents: Iterable[Resident]) -> Resident | None:
        """As `resident`, among residents that are known already. Raises nothing."""
        return self._book.match_by_name_at_least(model, residents)

    def in_memory(self, models: Iterable[str]) -> dict[str, Resident]:
        """Those of the models whose weights are in memory, with their entry there.

        Raises NotTold, ServerUnreachable, ServerError.
        """
        listed = self.residents()
        found = {model: self._book.match(model, listed) for model in models}
        return {model: resident for model, resident in found.items() if resident is not None}

    def same_model(self, one: str, other: str) -> bool:
        """Whether two names are one model: the same weights. Raises nothing."""
        return self._book.same(one, other)

    def require(self, model: str) -> Model:
        """The installed model of that name. Raises UnknownModel with the nearest names."""
        installed = self.models()
        for candidate in installed:
            if same_name(candidate.name, model):
                return candidate
        raise UnknownModel(model, [m.name for m in installed], self.url)

    def capabilities(self, model: str) -> Capabilities:
        """What the model can do, in Ollama's words; None when it is not told. Asked once.

        Raises nothing.
        """
        return self._book.capabilities(model)

    def shown(self, model: str) -> Shown:
        """What /api/show tells of the model: its shape, its own context's length. Asked once.

        Raises UnknownModel, ServerUnreachable.
        """
        return self._book.shown(model)

    def weights_digest(self, model: str) -> str | None:
        """SHA-256 of the model's weights file, by which its runner is known; None if not told.

        Raises UnknownModel, ServerUnreachable.
        """
        return self._book.shown(model).weights

    def weights_path(self, model: str) -> Path | None:
        """The model's weights file, on the server's machine; None if it is not told.

        Raises UnknownModel, ServerUnreachable.
        """
        path = self._book.shown(model).weights_path
        return Path(path) if path is not None else None

    # --- changing --------------------------------------------------------------------------------

    def preload(self, model: str, keep_alive: KeepAlive | str | float | None = None) -> None:
        """Load the model into memory without asking it anything; returns when it is loaded.

        With a ``keep_alive`` also changes the value of a model that is loaded already.

        Raises
        ------
        UnknownModel, ServerUnreachable, ServerError
        """
        value = KeepAlive(keep_alive)
        if value.is_zero:
            raise ValueError("keep_alive 0 would unload the model. To do that, call unload().")
        self._ask_nothing(model, value, "generate", noted_as="load")
        if value.seconds is not None:
            self.own_deadlines.note(model, value.seconds)

    def touch(
        self,
        model: str,
        keep_alive: KeepAlive | str | float | None = None,
        *,
        kind: Kind = "chat",
        options: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
    ) -> None:
        """Begin the model's time in memory anew by a request that asks it nothing.

        Loads a model that is not in memory, or is there with other ``options``. With a
        ``keep_alive`` of 0 it unloads, and returns before the model has left.

        Parameters
        ----------
        keep_alive:
            None leaves the value that is in force as it is.
        kind:
            The endpoint; a model that only makes embeddings takes "embed".
        options:
            Ollama's, such as ``{"num_ctx": 8192}``.
        timeout_s:
            How long to wait, in seconds; None: as long as a load takes. Ollama gives a load up
            when nobody waits for it.

        Raises
        ------
        UnknownModel, ServerUnreachable, ServerError
        """
        value = KeepAlive(keep_alive)
        as_what = "unload" if value.is_zero else "touch"
        self._ask_nothing(model, value, kind, options, timeout_s, noted_as=as_what)

    def unload(self, model: str, timeout_s: float = 10.0) -> None:
        """Unload the model, and wait until it is gone from /api/ps (its process has then ended).

        Its weights are what leaves, under whatever name they were loaded. Harmless when they are
        not in memory. A model that is answering leaves when it has finished.

        Parameters
        ----------
        timeout_s:
            How long to wait, in seconds.

        Raises
        ------
        TimeoutError
            When it is still there: busy, loading, or stuck.
        UnknownModel, ServerUnreachable, ServerError
        """
        unloading.unload(self, model, timeout_s)

    def pull(self, model: str) -> Iterator[PullProgress]:
        """Download a model to the server; yields the progress. Never called unasked.

        Raises ServerUnreachable, ServerError.
        """
        for step in self._ask.stream("/api/pull", {"model": model, "stream": True}):
            done, total = answers.size(step.get("completed")), answers.size(step.get("total"))
            fraction = min((done or 0) / total, 1.0) if total else None
            yield PullProgress(answers.text(step.get("status")), fraction)

    def close(self) -> None:
        """Close the connections to the server; the next question opens new ones."""
        if not self._is_view:
            self.door.close()

    @property
    def client(self) -> ollama.Client:
        """An `ollama.Client` without a read timeout: a cold model takes as long as it takes."""
        return self.door.ollama

    # --- our exceptions for others' --------------------------------------------------------------

    def unreachable(self, fault: BaseException) -> ServerUnreachable:
        """The one exception for a server that does not answer, with what to do."""
        return self._ask.unreachable(fault)

    def explain(self, fault: ollama.ResponseError, model: str | None = None) -> Exception:
        """Our exception for an error that a request of `client` was answered with."""
        return self._ask.error(fault.status_code, fault.error, model, self._names)

    # --- plumbing --------------------------------------------------------------------------------

    def _ask_nothing(
        self,
        model: str,
        keep_alive: KeepAlive,
        kind: Kind,
        options: Mapping[str, Any] | None = None,
        timeout_s: float | None = None,
        *,
        noted_as: str,
    ) -> None:
        path, body = asking_nothing(model, keep_alive, kind, options)
        with self.own_requests.noted(model, noted_as, keep_alive.seconds):
            self._ask.post(path, body, model=model, timeout_s=timeout_s, named=self._names)

    def _listed(self) -> list[Model]:
        try:
            return answers.models(self._ask.get("/api/tags"))
        except answers.NoJson as fault:
            raise ServerUnreachable(
                f"What answers at {self.url} is not Ollama ({fault})."
            ) from fault
        except answers.Unreadable as fault:
            raise ServerError(f"{self.url} does not tell which models it has ({fault}).") from fault

    def _names(self) -> list[str]:
        return [model.name for model in self._listed()]

    def _show(self, model: str) -> Any:
        return self._ask.post("/api/show", {"model": model}, model=model, named=self._names)
