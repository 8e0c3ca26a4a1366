"""MeteredClient: an `ollama.Client` that measures each chat request and can stop it.

griptape's driver takes it as ``client=``. The driver drops what the model thinks and the final
chunk's metrics, and has no way to cancel; a client of ours sees every chunk, and knows the socket.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import httpx

from lifecycle_widgets.agent.meter import Meter
from lifecycle_widgets.agent.transport import ChunkTransport
from lifecycle_widgets.agent.whole_prompt import Sent
from lifecycle_widgets.runs import Step
from lifecycle_widgets.server import Server
from lifecycle_widgets.server.door import ollama_package

if TYPE_CHECKING:
    import ollama
else:
    ollama = ollama_package()


class MeteredClient(ollama.Client):
    """An `ollama.Client` whose chat requests are metered, and that can be stopped for good.

    Parameters
    ----------
    server:
        The server; it is asked by its door, with its headers, certificates and proxy.
    on_step:
        Called with the `Step` of each chat request when it ends, however it ends, and with what
        was `Sent`; in the thread of the run.
    on_thinking:
        Called with each piece of what the model thinks; in the thread of the run.
    on_token:
        Called when the first token of a request has come, of any kind; in the thread of the run.

    Attributes
    ----------
    run_began_s:
        When the run began, by the monotonic clock; its steps count from there.

    Examples
    --------
    >>> client = MeteredClient(Server("127.0.0.1:11434"), on_step=print)
    >>> client.stop()
    >>> client.stopped
    True
    """

    def __init__(
        self,
        server: Server,
        *,
        on_step: Callable[[Step, Sent], None] = lambda *_: None,
        on_thinking: Callable[[str], None] = lambda _: None,
        on_token: Callable[[], None] = lambda: None,
    ) -> None:
        # no read timeout: while a cold model loads, no byte arrives; and a connection for each
        # request, so that the trace below always sees its socket
        there = ChunkTransport(server.door.transport(keep_connections=False), self._told)
        hooks: dict[str, Any] = {"request": [self._trace]}
        super().__init__(**server.door.for_ollama(transport=there, event_hooks=hooks))
        self.remote_host: str | None = None  # where a cloud model runs
        self.run_began_s = time.monotonic()
        self._on_step, self._on_thinking, self._on_token = on_step, on_thinking, on_token
        self._final: dict[str, Any] | None = None  # the final chunk as it was sent
        self._meters: list[Meter] = []
        self._stop = threading.Event()
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    @property
    def has_token(self) -> bool:
        """True once any token has come: of text, thinking or a tool call."""
        return any(meter.has_token for meter in self._meters)

    @property
    def is_thinking(self) -> bool:
        """True while thinking is what came last."""
        return any(meter.is_thinking for meter in self._meters[-1:])

    @property
    def thinking_s(self) -> float | None:
        """How long it has thought so far, in all its requests; None when it has not."""
        known = [m.thinking_s for m in self._meters if m.thinking_s is not None]
        return sum(known) if known else None

    @property
    def stopped(self) -> bool:
        """True once `stop` was called; the client is then used up."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End the request in flight and every later one, from any thread.

        The connection is shut down, which a blocked read notices at once, also while a cold model
        loads: Ollama then stops generating, or gives up the load.
        """
        self._stop.set()
        with self._lock:
            for connection in self._sockets:
                _shut(connection)

    def chat(self, *args: Any, **kwargs: Any) -> Any:
        """As `ollama.Client.chat`; a stopped stream ends early instead of raising."""
        meter = Meter(self._on_thinking, self.run_began_s)
        self._meters.append(meter)
        messages = kwargs.get("messages", args[1] if len(args) > 1 else None)
        sent = Sent.of(messages or (), kwargs.get("tools"))
        if kwargs.get("stream"):
            return self._metered(super().chat(*args, **kwargs), meter, sent)
        reply = super().chat(*args, **kwargs)
        self._on_step(meter.step(reply), sent)
        return reply

    def _metered(self, chunks: Iterator[Any], meter: Meter, sent: Sent) -> Iterator[Any]:
        final = self._final = None
        try:
            for chunk in chunks:
                if chunk.done:
                    final = self._final
                    meter.ended()
                if self.stopped:
                    return
                is_first = not meter.has_token
                meter.saw(chunk.message)
                if is_first and meter.has_token:
                    self._on_token()
                yield chunk
            if final is None and not self.stopped:
                raise httpx.RemoteProtocolError("the answer ended without its final chunk")
        except httpx.TransportError:
            if not self.stopped:
                raise
        finally:
            chunks.close()  # type: ignore[attr-defined]  # a generator: closes the socket
            self._on_step(meter.step(final), sent)

    def _told(self, chunk: dict[str, Any]) -> None:
        """A chunk as it was sent, with what ollama-python leaves out."""
        self.remote_host = chunk.get("remote_host") or self.remote_host
        if chunk.get("done"):
            self._final = chunk

    # --- the socket, by httpx's documented "trace" extension ----------------------------------

    def _trace(self, request: httpx.Request) -> None:
        request.extensions["trace"] = self._seen

    def _seen(self, event: str, info: dict[str, Any]) -> None:
        """Note each socket: of a plain connection, of TLS (which takes the plain one's place),
        and of a connection by a proxy."""
        if not event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            return
        connection = info["return_value"].get_extra_info("socket")
        if connection is None:
            return
        with self._lock:
            self._sockets = [s for s in self._sockets if s.fileno() != -1] + [connection]
            if self.stopped:  # stop() came while we were connecting
                _shut(connection)


def _shut(connection: socket.socket) -> None:
    try:
        # not SSLSocket's own, which takes the encryption away under a read that goes on
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
    except OSError:
        pass  # it has ended already
