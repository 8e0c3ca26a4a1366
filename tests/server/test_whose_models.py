"""Whose a model in memory is: ours, where this process has used it last; and what may be chosen."""

from __future__ import annotations

import time

import pytest

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Resident, Server, smallest_chat_models
from tests.somebody import preloads, somebodys

SMALL, MIDDLE = "smollm2:135m", "smollm2:135m-f16"


def held(server: Server, model: str = SMALL) -> Resident:
    time.sleep(0.3)  # the deadline is set a moment after the answer
    found = server.resident(model)
    assert found is not None
    return found


def test_a_sandbox_that_was_started_here_is_private_until_it_is_handed_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server.of(sandbox)
    assert (server.is_sandbox, server.is_private) == (True, False), "as in a kernel of the lab"
    monkeypatch.delenv(SANDBOX_URL_VARIABLE)
    assert server.is_private
    assert server.with_timeout(5).is_private
    assert not Server(sandbox.url).is_private, "by its address alone it is anybody's"


@pytest.mark.slow
def test_a_sandbox_of_another_process_is_not_private() -> None:
    with somebodys(models=[SMALL]) as theirs:
        assert not Server(theirs.url).is_private
    with Sandbox(models=[SMALL]) as own:
        server = Server.of(own)
        assert server.is_private
    assert not server.is_private, "it has ended"


def test_who_has_used_it_last(server: Server) -> None:
    server.preload(SMALL, "5m")
    assert server.is_ours(held(server))
    preloads(server.url, SMALL, "10m")
    assert not server.is_ours(held(server))
    server.preload(SMALL, "forever")
    assert Server(server.url).is_ours(held(server)), "whichever Server of this process has asked"
    time.sleep(1.0)  # two that end within half a second are not told apart
    preloads(server.url, SMALL, -1)
    assert not server.is_ours(held(server)), "forever by somebody else is another deadline"


def test_while_a_request_of_ours_goes_on_it_is_ours(server: Server) -> None:
    preloads(server.url, SMALL, "10m")
    there = held(server)
    assert not server.is_ours(there)
    with server.own_requests.noted(SMALL, "chat"):
        assert server.is_ours(there)
    assert not server.is_ours(there)


def test_what_nobody_else_needs_can_be_chosen(
    server: Server, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.preload(SMALL, "5m")
    assert smallest_chat_models(server, not_in_memory=True) == [SMALL], "as when a cell runs again"
    preloads(server.url, SMALL, "10m")
    time.sleep(0.3)
    assert smallest_chat_models(server, not_in_memory=True) == [MIDDLE]
    for name in smallest_chat_models(server, 3):
        preloads(server.url, name, "10m")
    time.sleep(0.3)
    with pytest.raises(LookupError, match=r"somebody else may be using it\. Wait until one"):
        smallest_chat_models(server, not_in_memory=True)
    monkeypatch.delenv(SANDBOX_URL_VARIABLE)  # then it is this process's own
    assert smallest_chat_models(Server.of(sandbox), not_in_memory=True) == [SMALL]
