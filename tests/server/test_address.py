"""Addresses: a user and password in them, this machine's own, and what cannot be read."""

from __future__ import annotations

import socket

import psutil
import pytest

from lifecycle_widgets.server import Server
from lifecycle_widgets.server.door.address import is_loopback, is_this_machine, parse_address


@pytest.mark.parametrize(
    ("host", "url", "pair"),
    [
        ("http://me:pw@gpu:1", "http://gpu:1", "me:pw"),
        ("https://me:p%2Fw%40@gpu/ollama/", "https://gpu:443/ollama", "me:p/w@"),
        ("me:pw@gpu", "http://gpu:11434", "me:pw"),
        ("http://me@gpu:1", "http://gpu:1", "me:"),
        ("http://me:p@ss@gpu:1", "http://gpu:1", "me:p@ss"),
    ],
)
def test_a_user_and_password(host: str, url: str, pair: str) -> None:
    import base64

    address = parse_address(host)
    assert address.url == url
    assert address.authorization == "Basic " + base64.b64encode(pair.encode()).decode()
    password = pair.partition(":")[2]
    server = Server(host)
    assert not password or password not in repr((server, server.door, address, server.url))


@pytest.mark.parametrize(
    "host", ["http://me:a/hush@gpu:1", "me:hush@gpu:port", "ftp://me:hush@gpu", "http://[::1"]
)  # fmt: skip
def test_what_cannot_be_read_is_told_without_the_password(host: str) -> None:
    with pytest.raises(ValueError, match="cannot be read") as told:
        Server(host)
    assert "hush" not in str(told.value)


def test_quotes_and_letters_case_do_not_matter() -> None:
    assert Server(' "HTTP://Localhost:1234" ').url == "http://localhost:1234"


@pytest.mark.parametrize(
    "name", ["localhost", "LOCALHOST.", "127.0.0.53", "::1", "[::1]", "0.0.0.0"]
)
def test_loopback(name: str) -> None:
    assert is_loopback(name)
    assert is_this_machine(name)


def test_this_machine_by_its_name_and_addresses() -> None:
    assert is_this_machine(socket.gethostname())
    assert Server(f"{socket.gethostname()}:1234").is_local
    for card in psutil.net_if_addrs().values():
        for entry in card:
            if entry.family == socket.AF_INET:
                assert is_this_machine(entry.address)
                assert Server(f"http://{entry.address}:1").is_local


def test_another_machine() -> None:
    assert not Server("203.0.113.7").is_local  # an address that is nobody's (RFC 5737)
    assert not Server("nobody.invalid").is_local


@pytest.mark.parametrize("value", ["Bearer a\nb", "Bearer k€y", "a\r\nX: y"])
def test_a_header_that_cannot_be_sent_is_told_without_its_value(value: str) -> None:
    with pytest.raises(ValueError, match="'Authorization'") as told:
        Server("localhost", headers={"Authorization": value})
    assert "earer" not in str(told.value)


def test_certificates_that_are_not_there_are_told_at_once() -> None:
    with pytest.raises(ValueError, match="no certificates can be read"):
        Server("https://localhost", verify="not-there.pem")
