"""A griptape tool for agents in tests."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from griptape.tools import BaseTool

CLOCK = {"name": "Clock_now", "arguments": {}}
"""A call of it, for a scripted answer's ``tool_calls``."""


def clock(takes_s: float = 0.0) -> BaseTool:
    """A tool that tells the time, and takes so long for it. (griptape takes a second to import.)"""
    from griptape.artifacts import TextArtifact
    from griptape.tools import BaseTool
    from griptape.utils.decorators import activity
    from schema import Schema

    class Clock(BaseTool):  # type: ignore[misc]
        @activity(config={"description": "Tells the time", "schema": Schema({})})
        def now(self, _: Any) -> TextArtifact:
            time.sleep(takes_s)
            return TextArtifact("noon")

    return Clock(install_dependencies_on_init=False)
