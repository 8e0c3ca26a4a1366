"""Plain: a request of a driver that is not run by us; when it began, and when griptape had it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Plain:
    """One request; by the monotonic clock. ``ended_s`` None: it goes on, or nobody tells.

    griptape publishes an event when a driver has its answer: it is listened for from the request
    until then, in griptape's own context, which is the person's. Nothing else of it is heard.
    """

    model: str
    began_s: float = field(default_factory=time.monotonic)
    ended_s: float | None = None

    def listen(self, ended: Callable[[], None]) -> None:
        """Have its end told, in the thread of the request; of what is not griptape's none is."""
        events: Any = sys.modules.get("griptape.events")
        if events is None:
            return

        def heard(event: Any) -> None:
            if not self.model or event.model == self.model:
                events.EventBus.remove_event_listener(listener)
                self.ended_s = time.monotonic()
                ended()

        listener = events.EventListener(heard, event_types=[events.FinishPromptEvent])
        others = events.EventBus.event_listeners  # one of a request that came to nothing goes
        events.EventBus.event_listeners = [o for o in others if not _is_ours(o)] + [listener]


def _is_ours(listener: Any) -> bool:
    return getattr(listener.on_event, "__module__", None) == __name__
