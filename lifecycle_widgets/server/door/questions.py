"""Questions: asks a server by its door; an answer is JSON, and a fault one of our exceptions."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from lifecycle_widgets.server.answers import Unreadable, parsed
from lifecycle_widgets.server.door.address import is_loopback
from lifecycle_widgets.server.door.door import (
    CONNECT_TIMEOUT_S,
    REPEATABLE,
    BadHeader,
    Door,
    read_all,
)
from lifecycle_widgets.server.door.explain import (
    error_of,
    is_about_a_model,
    no_answer,
    said,
)
from lifecycle_widgets.server.door.proxies import BadProxy, proxy_for
from lifecycle_widgets.server.errors import ServerError, ServerUnreachable, UnknownModel
from lifecycle_widgets.server.names import same_name

_MOST_BYTES = 64_000_000
_MOST_OF_AN_ERROR = 100_000
Names = Callable[[], list[str]]


class Questions:
    """Asks through a door.

    Parameters
    ----------
    door:
        The way to the server.
    quick_timeout_s:
        How long to wait, in seconds, for what is answered from memory.
    """

    def __init__(self, door: Door, quick_timeout_s: float) -> None:
        self._door, self.quick_timeout_s = door, quick_timeout_s

    def get(self, path: str) -> Any:
        """The JSON at a path. Raises ServerUnreachable, ServerError, Unreadable."""
        return parsed(self.content(path))

    def content(self, path: str) -> bytes:
        """The bytes at a path. Raises ServerUnreachable, ServerError."""
        return self._content("GET", path, None, self.quick_timeout_s, None, None)

    def post(
        self,
        path: str,
        body: Any,
        *,
        model: str | None = None,
        timeout_s: float | None = -1.0,
        named: Names | None = None,
    ) -> Any:
        """The JSON that a POST is answered with.

        Parameters
        ----------
        model, named:
            The model that it is about, and a way to the names of those installed.
        timeout_s:
            Seconds to wait; None: as long as it takes; left out: not long.

        Raises
        ------
        ServerUnreachable, ServerError, UnknownModel
        """
        wait_s = self.quick_timeout_s if timeout_s == -1.0 else timeout_s
        try:
            return parsed(self._content("POST", path, body, wait_s, model, named))
        except Unreadable as fault:
            raise ServerError(f"{self._door.url} answers nothing readable ({fault}).") from fault

    def stream(self, path: str, body: Any) -> Iterator[dict[str, Any]]:
        """The objects of an answer in lines, as they come. Raises as `post`."""
        with self._faults(None), self._sent("POST", path, body, None) as response:
            self._refuse_errors(response, None, None)
            for line in response.iter_lines():
                try:
                    step = parsed(line.encode()) if line.strip() else None
                except Unreadable as fault:
                    raise ServerError(f"{self._door.url} answers in no JSON ({fault}).") from fault
                if isinstance(step, dict) and step.get("error"):
                    raise self.error(500, line, None, None)
                if isinstance(step, dict):
                    yield step

    # --- one question ----------------------------------------------------------------------------

    def _content(
        self,
        method: str,
        path: str,
        body: Any,
        timeout_s: float | None,
        model: str | None,
        named: Names | None,
    ) -> bytes:
        until_s = None if timeout_s is None else time.monotonic() + timeout_s + 0.5
        with self._faults(timeout_s), self._sent(method, path, body, timeout_s) as response:
            self._refuse_errors(response, model, named)
            return b"".join(read_all(response, most_bytes=_MOST_BYTES, until_s=until_s))

    def _sent(self, method: str, path: str, body: Any, timeout_s: float | None) -> Any:
        connect_s = min(CONNECT_TIMEOUT_S, timeout_s or CONNECT_TIMEOUT_S)
        timeout = httpx.Timeout(timeout_s, connect=connect_s)
        return self._door.http.stream(
            method, path, json=body, timeout=timeout, extensions=REPEATABLE
        )

    def _refuse_errors(
        self, response: httpx.Response, model: str | None, named: Names | None
    ) -> None:
        if response.is_success:
            return
        until_s = time.monotonic() + self.quick_timeout_s
        pieces = read_all(response, most_bytes=_MOST_OF_AN_ERROR, until_s=until_s)
        body = b""
        try:
            for piece in pieces:
                body += piece
        except httpx.HTTPError:
            pass  # its beginning is enough
        raise self.error(response.status_code, body.decode(errors="replace"), model, named)

    # --- faults ----------------------------------------------------------------------------------

    @contextmanager
    def _faults(self, timeout_s: float | None) -> Iterator[None]:
        try:
            yield
        except (ServerUnreachable, ServerError, UnknownModel, Unreadable):
            raise
        except (
            httpx.HTTPError,
            httpx.InvalidURL,
            httpx.StreamError,
            OSError,
            ImportError,  # a socks proxy, and no package for it
            BadProxy,
            UnicodeError,  # a host name that no address can have
        ) as fault:
            raise self.unreachable(fault, timeout_s) from fault
        except BadHeader as fault:
            raise ServerError(f"{self._door.url} cannot be asked: {fault}") from fault
        except RuntimeError as fault:  # httpx's word for it, when another thread closed it just now
            if "has been closed" not in str(fault):
                raise
            raise ServerUnreachable(f"{self._door.url} was not asked: it was closed.") from fault

    def unreachable(
        self, fault: BaseException, timeout_s: float | None = None
    ) -> ServerUnreachable:
        """The one exception for a server that does not answer, with what to do."""
        url = self._door.url
        if isinstance(fault, ServerUnreachable):
            return fault
        proxy = self._proxy_variable()
        broke_off = isinstance(fault, (httpx.RemoteProtocolError, httpx.ReadError))
        told = no_answer(
            fault,
            url,
            waited_s=timeout_s or self.quick_timeout_s,
            proxy=proxy,
            speaks_tls=broke_off and not proxy and _speaks_tls(self._door.base_url),
        )
        return ServerUnreachable(self._door.scrubbed(str(told)), is_there=told.is_there)

    def error(
        self, status: int, body: str, model: str | None = None, named: Names | None = None
    ) -> Exception:
        """Our exception for an answer with an error status."""
        words, _ = said(body)
        if status == 404 and model is not None and named is not None and is_about_a_model(words):
            try:
                return self._unknown(model, named())
            except (ServerUnreachable, ServerError) as fault:
                return fault
        return error_of(
            status,
            self._door.scrubbed(body),
            self._door.url,
            model=model,
            proxy=self._proxy_variable(),
        )

    def _proxy_variable(self) -> str:
        """The variable that names the proxy on the way; empty when there is none."""
        try:
            way = proxy_for(self._door.url)
        except BadProxy:
            return ""
        return way[1] if way else ""

    def _unknown(self, model: str, installed: list[str]) -> Exception:
        if any(same_name(model, name) for name in installed):
            return ServerError(
                f"{model} is installed on {self._door.url}, but its file is not there. Install it "
                f"anew: ollama rm {model}; ollama pull {model}"
            )
        return UnknownModel(model, installed, self._door.url)


def _speaks_tls(url: str) -> bool:
    """Whether https is spoken where http was tried."""
    import socket

    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname is None or parts.port is None:
        return False
    host = parts.hostname
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, parts.port), 1.0) as plain:
            name = None if is_loopback(host) else host
            with context.wrap_socket(plain, server_hostname=name):
                return True
    except OSError:
        return False
