"""MeteredClient: an `ollama.Client` that measures each request and can stop it.

griptape's drivers take it as ``client=``. They drop what the model thinks and the final chunk's
metrics, and have no way to cancel; a client of ours sees every chunk, and knows the socket.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx

from lifecycle_widgets.agent.requests.meter import Meter
from lifecycle_widgets.agent.requests.transport import ChunkTransport
from lifecycle_widgets.agent.requests.whole_prompt import Sent
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Step, Timings
from lifecycle_widgets.server import OwnRequest, Server
from lifecycle_widgets.server.door import ollama_package

if TYPE_CHECKING:
    import ollama
else:
    ollama = ollama_package()


class MeteredClient(ollama.Client):
    """An `ollama.Client` whose requests are metered, and that can be stopped for good.

    All that it is given is called in the thread of the request.

    Parameters
    ----------
    server:
        The server; it is asked by its door, with its headers, certificates and proxy.
    on_step:
        Called with the `Step` of each request when it ends, however it ends, and with what was
        `Sent`.
    on_text, on_thinking:
        Called with each piece of text, and of what the model thinks.
    on_token:
        Called when the first token of a request has come, of any kind.
    on_ask:
        Called with the keywords of each request before it is sent; it may change them.
    task:
        The griptape task that asks by it.

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
        on_text: Callable[[str], None] = lambda _: None,
        on_thinking: Callable[[str], None] = lambda _: None,
        on_token: Callable[[], None] = lambda: None,
        on_ask: Callable[[dict[str, Any]], None] = lambda _: None,
        task: str = "",
    ) -> None:
        # no read timeout: while a cold model loads, no byte arrives; and a connection for each
        # request, so that the trace below always sees its socket
        there = ChunkTransport(server.door.transport(keep_connections=False), self._told)
        hooks: dict[str, Any] = {"request": [self._trace]}
        super().__init__(**server.door.for_ollama(transport=there, event_hooks=hooks))
        self._own = server.own_requests
        self.remote_host: str | None = None  # where a cloud model runs
        self.run_began_s = time.monotonic()
        self.fault: BaseException | None = None  # what ended the last request of a driver of ours
        self._task, self._on_ask, self._on_step = task, on_ask, on_step
        self._on_text, self._on_thinking, self._on_token = on_text, on_thinking, on_token
        self._meters: list[Meter] = []
        self._of_thread = threading.local()  # .counts, and .final: the final chunk as it was sent
        self._stop = threading.Event()
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    @property
    def is_waiting(self) -> bool:
        """True while a request is in flight of which nothing has come."""
        return any(meter.is_waiting for meter in self._meters[-1:])

    @property
    def has_begun(self) -> bool:
        """Whether anything has come of its last request."""
        return any(meter.has_token for meter in self._meters[-1:])

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

    def counts(self) -> tuple[int | None, int | None]:
        """How many tokens the last chat of this thread has read and written, as far as told."""
        return getattr(self._of_thread, "counts", (None, None))

    def chat(self, model: str = "", messages: Any = None, **more: Any) -> Any:
        """As `ollama.Client.chat`; a stopped stream ends early instead of raising."""
        request = {"model": model, "messages": messages, **more}
        self._on_ask(request)
        meter = Meter(self._on_thinking, self.run_began_s)
        self._meters.append(meter)
        sent = Sent.of(messages or (), request.get("tools"))
        if not request.get("stream"):
            return self._whole(meter, sent, request)
        stream = self._of_thread.stream = self._metered(meter, sent, request)
        return stream

    def end_stream(self) -> None:
        """End the answer that this thread was reading, if it has not come to its end."""
        if (stream := getattr(self._of_thread, "stream", None)) is not None:
            stream.close()

    def embeddings(  # type: ignore[override]  # whatever it takes is passed on
        self, model: str = "", prompt: str | None = None, **more: Any
    ) -> Any:
        """As `ollama.Client.embeddings`."""
        return self._embedded(super().embeddings, {"model": model, "prompt": prompt, **more})

    def embed(  # type: ignore[override]
        self, model: str = "", input: Any = "", **more: Any
    ) -> Any:
        """As `ollama.Client.embed`."""
        return self._embedded(super().embed, {"model": model, "input": input, **more})

    def _embedded(self, ask: Callable[..., Any], request: dict[str, Any]) -> Any:
        self._on_ask(request)
        began_s, reply = time.monotonic(), None
        try:
            with self._noted("embed", request) as own:
                reply = ask(**request)
        finally:
            now_s = time.monotonic()
            told = reply if reply is not None and reply.get("total_duration") else None
            timings = Timings.from_response(told, total_s=now_s - began_s, ttft_s=None)
            own.took(timings)
            step = Step(began_s - self.run_began_s, timings, kind="embed")
            self._on_step(self._named(step, request), Sent())
        return reply

    def _noted(self, kind: str, request: dict[str, Any]) -> AbstractContextManager[OwnRequest]:
        """What is sent in the block is known to be ours by whoever watches the server."""
        try:
            seconds = KeepAlive(request.get("keep_alive")).seconds
        except (ValueError, TypeError):  # the server will say what is wrong with it
            seconds = None
        return self._own.noted(request["model"], kind, seconds)

    def _named(self, step: Step, request: dict[str, Any]) -> Step:
        """With what it asked, and for whom."""
        sent = KeepAlive(request.get("keep_alive"))
        return replace(step, task=self._task, model=request["model"], keep_alive=sent)

    def _metered(self, meter: Meter, sent: Sent, request: dict[str, Any]) -> Iterator[Any]:
        final = self._of_thread.final = None
        try:
            # the stream is a generator: closing it closes the socket
            with self._noted("chat", request) as own, closing(super().chat(**request)) as chunks:
                for chunk in chunks:
                    if chunk.done:
                        final = self._of_thread.final
                        meter.ended()
                        own.ended(is_broken_off=False)
                    if self.stopped:
                        return
                    is_first = not meter.has_token
                    meter.saw(chunk.message)
                    if chunk.message.content:
                        self._on_text(chunk.message.content)
                    if is_first and meter.has_token:
                        self._on_token()  # after it: nobody is to wait for what that does
                    yield chunk
            if final is None and not self.stopped and not meter.repeats_itself:
                raise httpx.RemoteProtocolError("the answer ended without its final chunk")
        except httpx.TransportError:
            if not self.stopped:
                raise
        finally:
            step = meter.step(final)
            own.took(step.timings)
            own.is_broken_off = final is None
            self._step_ended(step, request, sent)

    def _whole(self, meter: Meter, sent: Sent, request: dict[str, Any]) -> Any:
        """An answer in one piece, as a driver of a person's own may want it."""
        reply = None
        try:
            with self._noted("chat", request) as own:
                reply = super().chat(**request)
            meter.keep(reply.message)
            if reply.message.content:
                self._on_text(reply.message.content)
            self._on_token()
        finally:
            step = meter.step(reply)
            own.took(step.timings)
            self._step_ended(step, request, sent)
        return reply

    def _step_ended(self, step: Step, request: dict[str, Any], sent: Sent) -> None:
        self._of_thread.counts = step.timings.prompt_tokens, step.timings.output_tokens
        self._on_step(self._named(step, request), sent)

    def _told(self, chunk: dict[str, Any]) -> None:
        """A chunk as it was sent, with what ollama-python leaves out."""
        self.remote_host = chunk.get("remote_host") or self.remote_host
        if chunk.get("done"):
            self._of_thread.final = chunk

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
