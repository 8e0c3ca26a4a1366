"""Server: one Ollama endpoint, found or started; its models, and what is in memory."""

from __future__ import annotations

import difflib
import os
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lifecycle_widgets.error_advice import advised, out_of_descriptors
from lifecycle_widgets.keep_alive import KeepAlive

if TYPE_CHECKING:
    import ollama

    from lifecycle_widgets.sandbox import Progress, Sandbox

SANDBOX_URL_VARIABLE = "LIFECYCLE_SANDBOX_URL"
"""Where `lifecycle-lab` hands the address of its sandbox to the kernels."""

_DEFAULT_PORT = 11434
CONNECT_TIMEOUT_S = 3.0
_QUICK_TIMEOUT_S = 10.0  # for what Ollama answers from memory: ps, tags, show, version
FOREVER = timedelta(days=20 * 365)  # Ollama's own test for "forever" in `ollama ps`


class ServerUnreachable(ConnectionError):
    """Nothing answers at the address, or what answers is not Ollama."""


class ServerError(RuntimeError):
    """Ollama answered with an error; the message is its own, with what to do where we know."""


class UnknownModel(LookupError):
    """The model is not installed on this server; ``nearest`` has the closest installed names."""

    def __init__(self, model: str, installed: list[str], url: str) -> None:
        self.model = model
        self.nearest = difflib.get_close_matches(model, installed, n=3, cutoff=0.4)
        hint = (
            "It has no models at all." if not installed else f"Installed: {', '.join(installed)}."
        )
        if self.nearest:
            hint = f"Did you mean {' or '.join(self.nearest)}?"
        super().__init__(
            f"The model {model!r} is not installed on {url}. {hint} "
            f"To install it: ollama pull {model}"
        )


@dataclass(frozen=True)
class Model:
    """An installed model (/api/tags). ``size_bytes`` is its size on disk."""

    name: str
    size_bytes: int
    quantization: str
    parameter_size: str
    family: str
    digest: str


@dataclass(frozen=True)
class Resident:
    """A model in memory (/api/ps).

    ``size_bytes`` is what Ollama counts for it (weights, context, compute buffers; not the
    process's RSS), ``size_vram_bytes`` the part of it on GPUs. ``expires_at`` is set when a
    request ends: while one is running it can lie in the past.
    """

    name: str
    size_bytes: int
    size_vram_bytes: int
    expires_at: datetime
    context_length: int | None
    digest: str

    @property
    def is_forever(self) -> bool:
        """True when no time limit is in force (Ollama says: more than 20 years ahead)."""
        return self.expires_at - datetime.now(timezone.utc) > FOREVER

    def expires_in_s(self, now: datetime | None = None) -> float:
        """Seconds until it expires; negative when overdue (busy, or about to leave)."""
        return (self.expires_at - (now or datetime.now(timezone.utc))).total_seconds()


@dataclass(frozen=True)
class PullProgress:
    """One step of a pull: what it does, and how far (0 to 1; None when not known)."""

    status: str
    fraction: float | None


class Server:
    """One Ollama endpoint.

    Parameters
    ----------
    host:
        In any form that OLLAMA_HOST takes: ``"127.0.0.1:11434"``, ``"myhost"``, ``":8080"``,
        ``"https://host/path"``, ``"[::1]:11434"``.
    quick_timeout_s:
        How long to wait, in seconds, for what Ollama answers from memory (ps, tags, show).

    Examples
    --------
    >>> server = Server("localhost")
    >>> server.url
    'http://localhost:11434'
    """

    def __init__(self, host: str, *, quick_timeout_s: float = _QUICK_TIMEOUT_S) -> None:
        self.url = parse_host(host)
        self._quick_timeout_s = quick_timeout_s
        #: (name, monotonic time) of what this object unloaded: the monitor tells "requested" by it
        self.unloads: deque[tuple[str, float]] = deque(maxlen=100)
        #: (name, monotonic time) of requests with keep_alive 0 that have ended: such a model
        #: expires at once, though /api/ps may have shown a later deadline until then
        self.zeroed: deque[tuple[str, float]] = deque(maxlen=100)

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
        SandboxError
            When no server answers and the sandbox cannot be prepared; says what to do.
        """
        return cls.own() or cls.sandbox(progress=progress)

    @classmethod
    def own(cls) -> Server | None:
        """The person's own Ollama (OLLAMA_HOST, else localhost:11434); None if none answers."""
        named = os.environ.get("OLLAMA_HOST", "").strip().strip("\"'")
        if named:
            server = cls(named)
            if server.answers(CONNECT_TIMEOUT_S):  # it may be far away
                return server
            warnings.warn(
                f"OLLAMA_HOST is {named}, but no Ollama answers there; looking elsewhere.",
                stacklevel=3,
            )
        server = cls(f"localhost:{_DEFAULT_PORT}")
        return server if server.answers() else None

    @classmethod
    def sandbox(cls, *, progress: Callable[[Progress], None] | None = None) -> Server:
        """The private sandbox: the lab's, if it handed one to this kernel, else one of our own."""
        handed = os.environ.get(SANDBOX_URL_VARIABLE)
        if handed and cls(handed).answers():
            return cls(handed)
        return cls(_start_sandbox(progress).url)

    @property
    def is_sandbox(self) -> bool:
        """True for the private Ollama that this product started."""
        handed = os.environ.get(SANDBOX_URL_VARIABLE)
        ours = _sandbox.url if _sandbox is not None and _sandbox.is_running else None
        return self.url in (ours, parse_host(handed) if handed else None)

    @property
    def is_local(self) -> bool:
        """True when it runs on this machine, so that its processes and memory can be watched."""
        host = urlsplit(self.url).hostname or ""
        return host in ("localhost", "::1", "0.0.0.0", "::") or host.startswith("127.")

    # --- asking ----------------------------------------------------------------------------------

    def answers(self, timeout_s: float = 1.0) -> bool:
        """True when an Ollama answers at the address within ``timeout_s`` seconds."""
        try:
            self._version(timeout_s)
        except ServerUnreachable:
            return False
        return True

    @property
    def version(self) -> str:
        """Ollama's version, such as ``"0.32.15"``. Raises ServerUnreachable."""
        return self._version(_QUICK_TIMEOUT_S)

    def models(self) -> tuple[Model, ...]:
        """The installed models, most recently changed first. Raises ServerUnreachable."""
        with self._faults():
            listed = self._quick.list().models
        return tuple(
            Model(
                name=m.model or "",
                size_bytes=int(m.size or 0),
                quantization=(m.details and m.details.quantization_level) or "",
                parameter_size=(m.details and m.details.parameter_size) or "",
                family=(m.details and m.details.family) or "",
                digest=m.digest or "",
            )
            for m in listed
        )

    def residents(self) -> tuple[Resident, ...]:
        """The models in memory, the last to expire first. Resets no timer."""
        with self._faults():
            listed = self._quick.ps().models
        return tuple(
            Resident(
                name=m.model or m.name or "",
                size_bytes=int(m.size or 0),
                size_vram_bytes=int(m.size_vram or 0),
                expires_at=m.expires_at or datetime.now(timezone.utc),
                context_length=m.context_length,
                digest=m.digest or "",
            )
            for m in listed
        )

    def resident(self, model: str) -> Resident | None:
        """The model's entry among the residents; None when it is not in memory."""
        wanted = full_name(model)
        return next((r for r in self.residents() if full_name(r.name) == wanted), None)

    def require(self, model: str) -> Model:
        """The installed model of that name. Raises UnknownModel with the nearest names."""
        installed = self.models()
        for candidate in installed:
            if full_name(candidate.name) == full_name(model):
                return candidate
        raise UnknownModel(model, [m.name for m in installed], self.url)

    def weights_digest(self, model: str) -> str | None:
        """SHA-256 of the model's weights file, by which its runner is known; None if not told."""
        path = self.weights_path(model)
        return path.name.removeprefix("sha256-") if path is not None else None

    def weights_path(self, model: str) -> Path | None:
        """The model's weights file, on the server's machine; None if it is not told."""
        with self._faults(model):
            modelfile = self._quick.show(model).modelfile or ""
        for line in modelfile.splitlines():
            if line.startswith("FROM ") and "sha256-" in line:
                return Path(line.removeprefix("FROM ").strip())
        return None

    # --- changing --------------------------------------------------------------------------------

    def preload(self, model: str, keep_alive: KeepAlive | str | float | None = None) -> None:
        """Load the model into memory without asking it anything; returns when it is loaded.

        With a ``keep_alive`` also changes the value of a model that is loaded already.

        Raises
        ------
        UnknownModel, ServerUnreachable, ServerError
        """
        value = KeepAlive(keep_alive).to_json()
        if value == 0:
            raise ValueError("keep_alive 0 would unload the model. To do that, call unload().")
        with self._faults(model):
            self.client.generate(model=model, keep_alive=value)

    def unload(self, model: str, timeout_s: float = 10.0) -> None:
        """Unload the model, and wait until it is gone from /api/ps (its process has then ended).

        Harmless when it is not in memory. A model that is answering leaves when it has finished.

        Parameters
        ----------
        timeout_s:
            How long to wait, in seconds.

        Raises
        ------
        TimeoutError
            When it is still there: busy, or loading. It leaves when its requests have ended.
        UnknownModel, ServerUnreachable, ServerError
        """
        event = full_name(model), time.monotonic()
        self.unloads.append(event)
        try:
            with self._faults(model):
                self._quick.generate(model=model, keep_alive=0)
        except UnknownModel:
            self.unloads.remove(event)
            if (left := self.resident(model)) is None:
                raise
            until = "Ollama ends" if left.is_forever else f"{left.expires_at.astimezone():%H:%M:%S}"
            raise ServerError(
                f"{model} was deleted while it was in memory, and Ollama unloads only models that "
                f"are installed. It stays until {until}; to be rid of it sooner, install it again "
                "and unload it, or start Ollama anew."
            ) from None
        deadline = time.monotonic() + timeout_s
        while self.resident(model) is not None:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"{model} is still in memory after {timeout_s:g} s: it is answering a request. "
                    "It leaves when that has ended; stop the request to be rid of it sooner."
                )
            time.sleep(0.05)

    def pull(self, model: str) -> Iterator[PullProgress]:
        """Download a model to the server; yields the progress. Never called unasked."""
        with self._faults():
            for step in self.client.pull(model, stream=True):
                fraction = (step.completed or 0) / step.total if step.total else None
                yield PullProgress(step.status or "", fraction)

    # --- plumbing --------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the connections to the server; the next question opens new ones."""
        for name in ("client", "_quick"):
            client = self.__dict__.pop(name, None)  # where cached_property keeps it
            if client is not None:
                client.close()

    @cached_property
    def client(self) -> ollama.Client:
        """An `ollama.Client` without a read timeout: a cold model takes as long as it takes."""
        import httpx
        import ollama

        return ollama.Client(host=self.url, timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S))

    @cached_property
    def _quick(self) -> ollama.Client:
        import httpx
        import ollama

        connect_s = min(CONNECT_TIMEOUT_S, self._quick_timeout_s)
        timeout = httpx.Timeout(self._quick_timeout_s, connect=connect_s)
        return ollama.Client(host=self.url, timeout=timeout)

    def _version(self, timeout_s: float) -> str:
        import httpx

        try:
            reply = httpx.get(f"{self.url}/api/version", timeout=timeout_s)
            return str(reply.raise_for_status().json()["version"])
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            OSError,
            ValueError,
            KeyError,
            TypeError,
        ) as fault:
            raise self.unreachable(fault) from fault

    def unreachable(self, fault: BaseException) -> ServerUnreachable:
        """The one exception for a server that does not answer, with what to do."""
        import httpx

        if out_of_descriptors(fault):
            return ServerUnreachable(
                f"This process has too many open files to ask Ollama at {self.url}. Close what is "
                "not needed any more, or restart it (in a notebook: the kernel)."
            )
        if isinstance(fault, (httpx.ReadTimeout, httpx.WriteTimeout)):
            return ServerUnreachable(
                f"Ollama at {self.url} is there, but did not answer within "
                f"{self._quick_timeout_s:g} s: it hangs, or the machine is very busy. Wait and try "
                "again; if that does not help, start it anew."
            )
        # of what the client library says only the cause is news: it gives advice of its own
        cause = fault.__context__ if type(fault) is ConnectionError else None
        return ServerUnreachable(
            f"No Ollama answers at {self.url} ({cause or fault or type(fault).__name__}). Start it "
            "('ollama serve'), set OLLAMA_HOST to one that runs, or use the private sandbox: "
            "Server.sandbox()."
        )

    @contextmanager
    def _faults(self, model: str | None = None) -> Iterator[None]:
        """Turn the client library's exceptions into ours."""
        import httpx
        import ollama

        try:
            yield
        except (httpx.TransportError, ConnectionError) as fault:
            if isinstance(fault, ServerUnreachable):
                raise
            raise self.unreachable(fault) from fault
        except ollama.ResponseError as fault:
            raise self.explain(fault, model) from fault
        except OSError as fault:  # before there is a connection: the client opens files
            if out_of_descriptors(fault):
                raise self.unreachable(fault) from fault
            raise

    def explain(self, fault: ollama.ResponseError, model: str | None = None) -> Exception:
        """Our exception for an error that Ollama answered with."""
        if fault.status_code == 404 and model is not None:
            installed = [m.name for m in self.models()]
            if full_name(model) in map(full_name, installed):
                return ServerError(
                    f"{model} is installed on {self.url}, but its file is not there. Install it "
                    f"anew: ollama rm {model}; ollama pull {model}"
                )
            return UnknownModel(model, installed, self.url)
        return ServerError(
            f"Ollama at {self.url} answered with an error: {advised(fault.error, model)}"
        )


# --- names and addresses ------------------------------------------------------------------------


def full_name(model: str) -> str:
    """The name with its tag, as /api/ps and /api/tags show it.

    Examples
    --------
    >>> full_name("llama3.2"), full_name("registry.ollama.ai/library/llama3.2:1b")
    ('llama3.2:latest', 'llama3.2:1b')
    """
    name = model.removeprefix("registry.ollama.ai/").removeprefix("library/")
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def parse_host(host: str) -> str:
    """The URL for an OLLAMA_HOST in any form that ollama-python takes.

    Raises
    ------
    ValueError
        For a port that is no port, or an address that cannot be read.

    Examples
    --------
    >>> parse_host(":56789"), parse_host("https://example.com"), parse_host("[::1]")
    ('http://127.0.0.1:56789', 'https://example.com:443', 'http://[::1]:11434')
    """
    text = host.strip()
    scheme, separator, rest = text.partition("://")
    default_port = {"http": 80, "https": 443}.get(scheme, _DEFAULT_PORT)
    if not separator:
        scheme, rest, default_port = "http", text, _DEFAULT_PORT
    try:
        parts = urlsplit(f"{scheme}://{rest}")
        name, port = parts.hostname or "127.0.0.1", parts.port or default_port
    except ValueError as fault:
        raise ValueError(f"The Ollama address {host!r} cannot be read: {fault}.") from None
    if ":" in name:
        name = f"[{name}]"
    path = parts.path.strip("/")
    return f"{scheme}://{name}:{port}" + (f"/{path}" if path else "")


# --- the sandbox of this process ----------------------------------------------------------------

_sandbox: Sandbox | None = None
_sandbox_lock = threading.Lock()


def _start_sandbox(progress: Callable[[Any], None] | None) -> Sandbox:
    """Start the one sandbox that serves this process, unless it runs already."""
    from lifecycle_widgets.sandbox import Sandbox

    global _sandbox
    with _sandbox_lock:
        if _sandbox is None or not _sandbox.is_running:
            _sandbox = Sandbox(progress=progress).start()
        return _sandbox
