"""What the tests of the hold share: a run's requests, another client's, and looking."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from lifecycle_widgets.agent.hold import Hold
from lifecycle_widgets.agent.hold.hold import THREAD_NAME
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Resident, Server
from tests.live_requests import LiveRequest
from tests.sandbox.sandbox_tools import SMALL, eventually

Holds = Callable[..., Hold]
SHORT = {"num_predict": 2}
HELLO = [{"role": "user", "content": "Hello"}]
LOAD_S = 0.2


def step(
    hold: Hold,
    server: Server,
    chosen: Any = 0,
    model: str = SMALL,
    options: Mapping[str, Any] = SHORT,
    before: Callable[[], Any] = lambda: None,
    after: Callable[[], Any] = lambda: None,
) -> bool:
    """One request of a run, as the agent sends it; returns whether it loaded the model."""
    sent = hold.asked(server, model, KeepAlive(chosen), options)
    before()  # what happens between the look and the request
    reply = server.client.chat(
        model=model, messages=HELLO, options=options, keep_alive=sent.to_json()
    )
    after()  # what happens before the run has read the end
    loaded = (reply.load_duration or 0) / 1e9 >= LOAD_S
    hold.ended(server, model, loaded=loaded)
    return loaded


def other_client(server: Server, keep_alive: Any, **options: Any) -> None:
    """Another client's request."""
    options = {**SHORT, **options}
    server.client.chat(model=SMALL, messages=HELLO, options=options, keep_alive=keep_alive)


def other_client_begins(server: Server, tokens: int, keep_alive: Any) -> LiveRequest:
    """One that is under way, until so many tokens have come."""
    port = int(server.url.rpartition(":")[2])
    options = {"num_predict": tokens, "temperature": 0, "stop": []}
    body = {"model": SMALL, "prompt": "Count: 1 2 3", "raw": True, "options": options}
    request = LiveRequest(port, {**body, "keep_alive": keep_alive})
    assert eventually(lambda: _seen(request).has_begun, 10)
    return request


def ends(request: LiveRequest) -> None:
    """Wait until it has."""
    assert eventually(lambda: _seen(request).is_over, 30)
    request.hang_up()


def _seen(request: LiveRequest) -> LiveRequest:
    request.look()
    return request


def left_s(server: Server, model: str = SMALL) -> float:
    """For how long the model stays, in seconds; 0 when it is not in memory."""
    resident = server.resident(model)
    return 0.0 if resident is None else resident.expires_in_s() or 0.0


def is_gone(server: Server, within_s: float = 2.0, model: str = SMALL) -> bool:
    """Whether it has left by then."""
    return eventually(lambda: server.resident(model) is None, within_s)


def there(server: Server, model: str = SMALL) -> Resident:
    """The model in memory."""
    resident = server.resident(model)
    assert resident is not None
    return resident


def pause(seconds: float) -> None:
    """A tool that takes so long."""
    time.sleep(seconds)


def threads() -> list[str]:
    """The threads of holds."""
    return [thread.name for thread in threading.enumerate() if thread.name == THREAD_NAME]
