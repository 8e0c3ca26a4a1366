"""ServerSwitch beside an own Ollama that is there, and cannot be used as it is."""

from __future__ import annotations

from typing import Any

import ipywidgets as widgets
import pytest
from widget_parts import parts, shown, until

from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets.server_switch import ServerSwitch
from tests.recorded import Answer, RecordedServer, ollama

pytestmark = pytest.mark.filterwarnings("ignore:OLLAMA_HOST is:UserWarning")

OWN = "your own Ollama"
PAGE = b"<html>" + b"<p>Bad gateway</p>" * 200 + b"</html>"


def offered(switch: ServerSwitch) -> tuple[str, ...]:
    return tuple(parts(switch, widgets.ToggleButtons)[0].options)


def press(switch: ServerSwitch, name: str) -> None:
    parts(switch, widgets.ToggleButtons)[0].value = name


@pytest.fixture
def in_use(server: Server) -> Server:
    """The server that the switch begins with: the sandbox of the tests."""
    return server


@pytest.mark.parametrize(
    ("own", "says"),
    [
        ({"needs": {"Authorization": "Bearer k"}}, "key"),
        ({"routes": ollama(version=Answer(PAGE, 502, "text/html"))}, "502"),
        ({"routes": {}}, None),  # something else listens there
    ],
    ids=["wants a key", "a gateway without Ollama", "no Ollama"],
)
def test_an_own_one_that_cannot_be_used_is_told_in_a_sentence(
    in_use: Server, shut: Any, monkeypatch: pytest.MonkeyPatch, own: dict[str, Any], says: str
) -> None:
    with RecordedServer(**({"routes": ollama()} | own)) as there:
        monkeypatch.setenv("OLLAMA_HOST", there.url)
        switch = shut(ServerSwitch(in_use))
        until(lambda: switch._version)
        if says is not None:
            until(lambda: OWN in offered(switch))
            assert says in shown(switch)
            press(switch, OWN)
            until(lambda: switch.error and not switch.busy)
            assert says in switch.error
            assert len(switch.error) < 500
        assert "<p>" not in shown(switch).replace("&lt;p", "<p")
        assert switch.server is in_use, "nothing takes its place by itself"


def test_one_that_hangs_is_told_and_holds_up_nothing(
    in_use: Server, shut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Answer({"version": "0.32.15"}, delay_s=60)
    with RecordedServer(ollama(version=slow, tags=slow)) as there:
        monkeypatch.setenv("OLLAMA_HOST", there.url)
        switch = shut(ServerSwitch(in_use))
        until(lambda: OWN in offered(switch), 40)
        assert "Your own Ollama: " in shown(switch)
        assert switch.server is in_use


def test_what_a_look_meets_never_ends_it(
    in_use: Server, shut: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for odd in ("http://[", "localhost:99999", "gopher://x", "http://localhost:1"):
        monkeypatch.setenv("OLLAMA_HOST", odd)
        switch = shut(ServerSwitch(in_use))
        until(lambda switch=switch: switch._version)
        assert in_use.url in shown(switch)


def test_a_version_that_is_not_told(shut: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordedServer(ollama(version=None)) as there:
        monkeypatch.setenv("OLLAMA_HOST", there.url)
        switch = shut(ServerSwitch(there.url))
        until(lambda: "version not told" in shown(switch))
        assert "not told at" not in shown(switch)
        assert switch._kind() == OWN


def test_an_address_or_a_sandbox(sandbox: Any, shut: Any) -> None:
    assert shut(ServerSwitch(sandbox.url)).server.url == sandbox.url
