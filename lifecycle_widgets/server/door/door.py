"""Door: the one way to a server: proxies, headers, certificates, redirects, time limits."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit, urlunsplit

import httpx

from lifecycle_widgets.server.door.address import is_loopback, is_this_machine, parse_address
from lifecycle_widgets.server.door.clock import ServerClock
from lifecycle_widgets.server.door.ollama_package import ollama_package
from lifecycle_widgets.server.door.proxies import proxy_for
from lifecycle_widgets.server.door.tls import Verify, no_context, ssl_context
from lifecycle_widgets.server.errors import ServerError

if TYPE_CHECKING:
    import ollama

CONNECT_TIMEOUT_S = 3.0
_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_HOPS = 5
_KEPT = 2  # connections that stay open while nothing is asked
_KEY = "OLLAMA_API_KEY"
_CLOSED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
REPEATABLE = {"repeatable": True}
"""The ``extensions`` of a request that may be sent twice, because nothing comes of it but an answer
or a state that is the same when it is asked for again. A GET is so without it."""


class Door:
    """The way to one server; everything that talks to it goes through here.

    Parameters
    ----------
    host:
        As `Server` takes it; a user and password may be in it.
    headers:
        Sent with each request. Without an ``Authorization`` among them it is made of the user and
        password in ``host``, else of OLLAMA_API_KEY, as ollama-python does.
    verify:
        Whose certificates are trusted; see `tls.Verify`.
    """

    def __init__(
        self, host: str, *, headers: Mapping[str, str] | None = None, verify: Verify = True
    ) -> None:
        address = parse_address(host)
        self.url, self.verify = address.url, verify
        self.clock = ServerClock()
        self._given = {
            _checked_name(name): _checked(name, value) for name, value in (headers or {}).items()
        }
        self._user = address.authorization
        self._password = address.password
        if not isinstance(verify, bool):
            ssl_context(verify)  # a file that is not there is told now
        self._lock = threading.Lock()
        self._client: httpx.Client | None = None
        self._ollama: ollama.Client | None = None

    def __repr__(self) -> str:
        return f"Door({self.url!r})"  # never the headers

    @property
    def headers(self) -> dict[str, str]:
        """What is sent with each request. Holds secrets: not for showing."""
        sent = dict(self._given)
        key = os.environ.get(_KEY, "").strip()
        if "authorization" not in sent and (self._user or key):
            sent["authorization"] = self._user or f"Bearer {_checked(_KEY, key)}"
        return sent

    @property
    def is_plain(self) -> bool:
        """Whether a program that is given the address alone gets through: no key, no certificate
        of one's own."""
        return not self.headers and (self.verify is True or self.url.startswith("http://"))

    def scrubbed(self, text: str) -> str:
        """The text without the secrets, should somebody have put one into it."""
        secrets = {self._password, quote(self._password, safe=""), os.environ.get(_KEY, "").strip()}
        for value in (*self._given.values(), self._user or ""):
            secrets |= {value, value.rpartition(" ")[2]}
        for secret in sorted(secrets, key=len, reverse=True):
            if len(secret) >= _SHORTEST_SECRET:
                text = text.replace(secret, "***")
        return text

    @cached_property
    def base_url(self) -> str:
        """Where requests go: as ``url``, but 0.0.0.0, which is for listening, is loopback."""
        url = self.url.replace("://0.0.0.0:", "://127.0.0.1:").replace("://[::]:", "://[::1]:")
        if os.name == "nt":  # which would try ::1 for two seconds first
            url = url.replace("://localhost:", "://127.0.0.1:")
        return url

    # --- clients ---------------------------------------------------------------------------------

    @property
    def http(self) -> httpx.Client:
        """The client for what is asked now and then; shared by all threads."""
        with self._lock:
            if self._client is None:
                self._client = self.http_client()
            return self._client

    def http_client(self, *, timeout_s: float | None = None) -> httpx.Client:
        """A new `httpx.Client` through this door, for whoever sends requests of his own."""
        return httpx.Client(
            base_url=self.base_url,
            transport=self.transport(),
            trust_env=False,  # the transport has read it
            headers={"accept": "application/json"},
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_TIMEOUT_S),
        )

    @property
    def ollama(self) -> ollama.Client:
        """An `ollama.Client` without a read timeout: a cold model takes as long as it takes."""
        with self._lock:
            if self._ollama is None:
                self._ollama = ollama_package().Client(**self.for_ollama())
            return self._ollama

    def for_ollama(self, **more: Any) -> dict[str, Any]:
        """The keywords with which an `ollama.Client`, or a kind of one, goes through this door."""
        return {
            "host": self.base_url,
            "headers": self.headers,
            "transport": self.transport(keep_connections=False),
            "trust_env": False,
            "follow_redirects": False,
            "timeout": httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
            **more,
        }

    def transport(self, *, keep_connections: bool = True) -> httpx.BaseTransport:
        """A new transport through this door; with a new connection each time, if so wanted."""
        return _Transport(self, keep_connections)

    def close(self) -> None:
        """Close the connections; the next question opens new ones."""
        with self._lock:
            client, self._client = self._client, None
            other, self._ollama = self._ollama, None
        if client is not None:
            client.close()
        if other is not None:
            other._client.close()


_SHORTEST_SECRET = 4


class BadHeader(ValueError):
    """A header that cannot be sent; the message names it, and not its value."""


def _checked(name: str, value: object) -> str:
    """What a header can hold. What is wrong is told without the value, which may be a secret."""
    text = str(value).strip()
    if not text.isascii() or not text.isprintable():
        raise BadHeader(
            f"{name!r} has a line break or a letter in it that no header can hold. Look at how it "
            "was read (a file ends with a line break)."
        )
    return text


def _checked_name(name: str) -> str:
    if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
        raise BadHeader(f"{name!r} cannot be the name of a header: letters, digits and dashes can.")
    return name.lower()


class _Transport(httpx.BaseTransport):
    """Sends a request by the right proxy with the right certificates, and follows redirects.

    A redirect keeps its method: httpx would make a GET of a POST, as browsers do.
    """

    def __init__(self, door: Door, keep_connections: bool) -> None:
        self._door, self._keep = door, keep_connections
        self._lock = threading.Lock()
        self._ways: dict[tuple[str, str], httpx.HTTPTransport] = {}
        self._moved: tuple[str, str] | None = None  # from, to

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        for name, value in self._door.headers.items():
            request.headers.setdefault(name, value)
        if self._moved is not None and str(request.url).startswith(self._moved[0]):
            there = self._moved[1] + str(request.url)[len(self._moved[0]) :]
            request = self._sent_to(request, there)
        for _ in range(_MOST_HOPS):
            sent_at = time.time()
            response = self._response(request)
            self._door.clock.heard(response.headers.get("date"), sent_at=sent_at)
            location = response.headers.get("location")
            if response.status_code not in _REDIRECTS or not location:
                return response
            response.close()
            request = self._followed(request, urljoin(str(request.url), location))
        raise ServerError(
            f"{self._door.url} redirects in a circle. Set its address to the last one."
        )

    def _response(self, request: httpx.Request) -> httpx.Response:
        """Send it; once more where a connection that was kept open turns out to be closed.

        Gateways close what is idle, tinyproxy after each answer, and a request may cross that on
        its way. It was not answered, and may be repeated (RFC 9112, 9.3.1).
        """
        way, opened = self._way(request.url), threading.Event()
        if not self._keep or not (request.method == "GET" or request.extensions.get("repeatable")):
            return way.handle_request(request)

        def seen(event: str, _: object) -> None:
            if ".connect_tcp." in event:
                opened.set()

        request.extensions = {**request.extensions, "trace": seen}
        for _ in range(_KEPT):
            try:
                return way.handle_request(request)
            except _CLOSED:
                if opened.is_set():
                    raise
        return way.handle_request(request)

    def _way(self, url: httpx.URL) -> httpx.HTTPTransport:
        proxy = proxy_for(str(url))
        key = (url.scheme, proxy[0] if proxy else "")
        with self._lock:
            if key not in self._ways:
                is_tls = "https" in (url.scheme, key[1].partition(":")[0])
                self._ways[key] = httpx.HTTPTransport(
                    verify=ssl_context(self._door.verify) if is_tls else no_context(),
                    proxy=key[1] or None,
                    limits=httpx.Limits(max_keepalive_connections=_KEPT if self._keep else 0),
                )
            return self._ways[key]

    def _followed(self, request: httpx.Request, target: str) -> httpx.Request:
        """The same request, sent where the server has redirected it; refused if that is unsafe."""
        here, there = urlsplit(str(request.url)), urlsplit(target)
        if there.scheme not in ("http", "https") or not there.hostname:
            raise ServerError(
                f"{self._door.url} redirects to {target[:60]!r}, which is no address of an Ollama. "
                "Look at its gateway."
            )
        base = urlunsplit((there.scheme, there.netloc.rpartition("@")[2], "", "", ""))
        api = here.path[max(here.path.find("/api/"), 0) :]
        if not there.path.endswith(api):
            raise ServerError(
                f"{self._door.url} sends every question on to {base}{there.path[:60]}: a page to "
                "sign in, most likely. Give a key (OLLAMA_API_KEY), or the address of the API."
            )
        prefix = f"{base}{there.path.removesuffix(api)}"
        if not _may_follow(here.hostname or "", there.hostname or ""):
            raise ServerError(
                f"{self._door.url} redirects to another machine, {prefix}. If that is right, give "
                "its address (OLLAMA_HOST)."
            )
        if here.scheme == "https" and there.scheme != "https":
            raise ServerError(
                f"{self._door.url} redirects to {prefix}, without encryption. If that is right, "
                "give that address (OLLAMA_HOST)."
            )
        asked_for = f"{here.scheme}://{here.netloc}{here.path.removesuffix(api)}"
        self._moved = (asked_for, prefix)
        return self._sent_to(request, target)

    def _sent_to(self, request: httpx.Request, url: str) -> httpx.Request:
        """The same request to another URL; a key or password only to the same place."""
        request.read()
        left_out = {"host"}
        if not _is_same_place(request.url.host, urlsplit(url).hostname or ""):
            left_out |= self._door.headers.keys()
        headers = [(n, v) for n, v in request.headers.multi_items() if n.lower() not in left_out]
        return httpx.Request(
            request.method,
            url,
            headers=headers,
            content=request.content,
            extensions=request.extensions,
        )

    def close(self) -> None:
        with self._lock:
            ways, self._ways = list(self._ways.values()), {}
        for way in ways:
            way.close()


def _may_follow(here: str, there: str) -> bool:
    """To the same place, or within this machine: a prompt goes nowhere else."""
    return _is_same_place(here, there) or (is_this_machine(here) and is_loopback(there))


_LOCAL = {"localhost", "127.0.0.1", "::1"}


def _is_same_place(here: str, there: str) -> bool:
    names = {here.lower(), there.lower()}
    return len(names) == 1 or names <= _LOCAL


def read_all(
    response: httpx.Response, *, most_bytes: int, until_s: float | None
) -> Iterator[bytes]:
    """The body in pieces; ends with an exception when it is too long or takes too long.

    An answer that is there late, because this process was busy, is an answer; it takes too long
    when more of it is still to come.
    """
    count, is_late = 0, False
    for piece in response.iter_bytes():
        count += len(piece)
        if count > most_bytes:
            raise httpx.DecodingError(f"an answer of more than {most_bytes / 1e6:.0f} MB")
        if is_late:
            raise httpx.ReadTimeout("the answer comes too slowly")
        is_late = until_s is not None and time.monotonic() > until_s
        yield piece
