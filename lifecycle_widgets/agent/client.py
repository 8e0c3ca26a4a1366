"""MeteredClient: an `ollama.Client` that measures each chat request and can stop it.

griptape's driver takes it as ``client=``. The driver drops the final chunk's metrics and has no
way to cancel; a client of ours sees every chunk, and knows the socket.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import ollama

from lifecycle_widgets.runs import Timings
from lifecycle_widgets.server import Server


class MeteredClient(ollama.Client):
    """An `ollama.Client` whose chat requests are metered, and that can be stopped for good.

    Parameters
    ----------
    server:
        The server; it is asked by its door, with its headers, certificates and proxy.
    on_timings:
        Called with the `Timings` of each chat request when it ends, however it ends; in the
        thread of the run.

    Examples
    --------
    >>> client = MeteredClient(Server("127.0.0.1:11434"), on_timings=print)
    >>> client.stop()
    >>> client.stopped
    True
    """

    def __init__(
        self, server: Server, *, on_timings: Callable[[Timings], None] = lambda _: None
    ) -> None:
        # no read timeout: while a cold model loads, no byte arrives; and a connection for each
        # request, so that the trace below always sees its socket
        super().__init__(**server.door.for_ollama(event_hooks={"request": [self._trace]}))
        self._on_timings = on_timings
        self._stop = threading.Event()
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

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
        started = time.monotonic()
        if kwargs.get("stream"):
            return self._metered(super().chat(*args, **kwargs), started)
        reply = super().chat(*args, **kwargs)
        self._report(started, None, reply)
        return reply

    def _metered(self, chunks: Iterator[Any], started: float) -> Iterator[Any]:
        ttft_s = final = None
        try:
            for chunk in chunks:
                if ttft_s is None and chunk.message.content:
                    ttft_s = time.monotonic() - started
                if chunk.done:
                    final = chunk
                if self.stopped:
                    return
                yield chunk
            if final is None and not self.stopped:
                raise httpx.RemoteProtocolError("the answer ended without its final chunk")
        except httpx.TransportError:
            if not self.stopped:
                raise
        finally:
            chunks.close()  # type: ignore[attr-defined]  # a generator: closes the socket
            self._report(started, ttft_s, final)

    def _report(self, started: float, ttft_s: float | None, final: Any) -> None:
        total_s = time.monotonic() - started
        self._on_timings(Timings.from_response(final, total_s=total_s, ttft_s=ttft_s))

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
