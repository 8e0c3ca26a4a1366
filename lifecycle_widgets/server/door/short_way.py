"""A short way for what is asked again and again: one small answer by one socket that stays open.

httpx takes a millisecond of CPU for a question; asked twice a second, that is most of what a
monitor costs. So the same GET goes by a bare socket, while nothing is out of the ordinary: no
proxy, no encryption, no redirect, and an answer with status 200. Whatever else comes
is asked for once more through the door, whose answer, or fault, is what counts.
"""

from __future__ import annotations

import math
import re
import socket
import time
from urllib.parse import urlsplit

import httpx

from lifecycle_widgets.server.door.door import Door
from lifecycle_widgets.server.door.proxies import proxy_for
from lifecycle_widgets.server.door.questions import Questions

_MOST_BYTES = 1_000_000
_PIECE_BYTES = 16384
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,8})\r\n")
_TRY_AGAIN_S = 60.0  # where the server's answers are none for the short way


class ShortWay:
    """Asks one thing, from one thread at a time.

    Parameters
    ----------
    door, questions:
        The way for all that is not ordinary; its patience holds here, too.
    path:
        What is asked for, by GET.
    """

    def __init__(self, door: Door, questions: Questions, path: str) -> None:
        self._door, self._questions, self._path = door, questions, path
        self._socket: socket.socket | None = None
        self._is_open = False  # the door has answered since the last trouble here
        self._not_before_s = -math.inf

    def get(self) -> bytes:
        """The answer's bytes.

        Raises
        ------
        ServerUnreachable, ServerError
            As the door says it.
        """
        if self._is_open:
            try:
                return self._asked()
            except TimeoutError as fault:  # the door would wait as long once more
                self.close()
                late = httpx.ReadTimeout(str(fault))
                raise self._questions.unreachable(late) from fault
            except (OSError, ValueError) as fault:
                self.close()
                if isinstance(fault, _OutOfTheOrdinary):
                    self._not_before_s = time.monotonic() + _TRY_AGAIN_S
        content = self._questions.content(self._path)
        self._is_open = time.monotonic() >= self._not_before_s and self._is_straight()
        return content

    def close(self) -> None:
        """Close the socket; the next question goes through the door."""
        self._is_open = False
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _is_straight(self) -> bool:
        return self._door.base_url.startswith("http://") and proxy_for(self._door.base_url) is None

    # --- one question ----------------------------------------------------------------------------

    def _asked(self) -> bytes:
        """Ask; once more where the socket turns out to have been closed meanwhile."""
        if self._socket is not None:
            try:
                return self._answer(self._socket)
            except ConnectionError:  # it was not answered
                self._socket.close()
                self._socket = None
        self._socket = self._connected()
        return self._answer(self._socket)

    def _connected(self) -> socket.socket:
        parts = urlsplit(self._door.base_url)
        address = parts.hostname or "", parts.port or 80
        try:
            return socket.create_connection(address, self._questions.quick_timeout_s)
        except TimeoutError as fault:  # nobody is there: that is not being slow
            raise ConnectionError(str(fault)) from fault

    def _answer(self, connection: socket.socket) -> bytes:
        until_s = time.monotonic() + self._questions.quick_timeout_s + 0.5
        sent_at = time.time()
        connection.sendall(self._request())
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += _more(connection, received, until_s)
        length, date, stays = _head(received[:end])
        while (body := _body(received[end + 4 :], length)) is None:
            received += _more(connection, received, until_s)
        self._door.clock.heard(date, sent_at=sent_at)
        if not stays:
            connection.close()
            self._socket = None
        return body

    def _request(self) -> bytes:
        parts = urlsplit(self._door.base_url)
        headers = {"host": parts.netloc, "accept": "application/json"} | self._door.headers
        lines = [f"GET {parts.path}{self._path} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("ascii")


class _OutOfTheOrdinary(ValueError):
    """An answer that is left to the door."""


def _more(connection: socket.socket, received: bytes, until_s: float) -> bytes:
    """The next piece. Raises OSError, _OutOfTheOrdinary."""
    if received and time.monotonic() > until_s:
        raise TimeoutError("the answer comes too slowly")
    if len(received) > _MOST_BYTES:
        raise _OutOfTheOrdinary("a long answer")
    piece = connection.recv(_PIECE_BYTES)
    if not piece:
        broken_off = _OutOfTheOrdinary if received else ConnectionResetError
        raise broken_off("the connection was closed")
    return piece


def _head(head: bytes) -> tuple[int | None, str | None, bool]:
    """The length of the body (None: in chunks), the Date, and whether the connection stays open.

    Raises
    ------
    _OutOfTheOrdinary
        For any answer that is not simply there.
    """
    status, *lines = head.decode("latin-1").split("\r\n")
    if not status.startswith("HTTP/1.1 200"):
        raise _OutOfTheOrdinary(status)
    fields = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    length, coding = fields.get("content-length", ""), fields.get("transfer-encoding", "")
    is_chunked = coding.lower() == "chunked" and not length
    if "content-encoding" in fields or not (is_chunked or (length.isdecimal() and not coding)):
        raise _OutOfTheOrdinary("an answer of no told length")
    stays = fields.get("connection", "").lower() != "close"
    return None if is_chunked else int(length), fields.get("date"), stays


def _body(received: bytes, length: int | None) -> bytes | None:
    """The body, once all of it is there; None until then. Raises _OutOfTheOrdinary."""
    if length is not None:
        if len(received) > length:
            raise _OutOfTheOrdinary("more than was told")
        return received if len(received) == length else None
    body = b""
    while match := _CHUNK.match(received):
        begin, size = match.end(), int(match[1], 16)
        if len(received) < begin + size + 2:
            return None
        if not size:  # the last one
            return body
        body, received = body + received[begin : begin + size], received[begin + size + 2 :]
    if b"\r\n" in received:
        raise _OutOfTheOrdinary("no chunk")
    return None
