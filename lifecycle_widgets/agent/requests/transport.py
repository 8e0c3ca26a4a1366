"""ChunkTransport: streamed answers to chat, as ollama-python and griptape can read them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from lifecycle_widgets.agent.requests.chunks import chunk_lines


class ChunkTransport(httpx.BaseTransport):
    """Passes requests on to another transport, and reads streamed answers to chat by `chunk_lines`.

    Parameters
    ----------
    transport:
        The one that talks to the server.
    on_chunk:
        Called with each chunk before ollama-python reads it.

    Examples
    --------
    >>> said = httpx.Response(200, content=b'{"message": null, "done": "true"}')
    >>> there = ChunkTransport(httpx.MockTransport(lambda request: said))
    >>> client, asked = httpx.Client(transport=there), {"stream": True}
    >>> client.post("http://localhost/api/chat", json=asked).json()["message"]
    {'role': 'assistant', 'content': ''}
    """

    def __init__(
        self,
        transport: httpx.BaseTransport,
        on_chunk: Callable[[dict[str, Any]], None] = lambda _: None,
    ) -> None:
        self._transport, self._on_chunk = transport, on_chunk

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """As httpx has it."""
        reply = self._transport.handle_request(request)
        if not (reply.is_success and _is_streamed_chat(request)):
            return reply
        return httpx.Response(
            reply.status_code,
            headers={"Content-Type": "application/x-ndjson"},
            stream=_Lines(reply, self._on_chunk),
            extensions=reply.extensions,
        )

    def close(self) -> None:
        """As httpx has it."""
        self._transport.close()


def _is_streamed_chat(request: httpx.Request) -> bool:
    if not request.url.path.endswith("/api/chat"):
        return False
    return json.loads(request.read()).get("stream") is True


class _Lines(httpx.SyncByteStream):
    def __init__(self, reply: httpx.Response, on_chunk: Callable[[dict[str, Any]], None]) -> None:
        self._reply, self._on_chunk = reply, on_chunk

    def __iter__(self) -> Iterator[bytes]:
        for chunk, line in chunk_lines(self._reply.iter_bytes()):
            self._on_chunk(chunk)
            yield line + b"\n"

    def close(self) -> None:
        self._reply.close()
