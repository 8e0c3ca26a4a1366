"""A griptape tool that is known to take its time."""

from __future__ import annotations

import time
from typing import Any

TOOL_S = 0.7
CALL = {"name": "Clock_now", "arguments": {}}
"""What a script calls that tool by."""


def slow_clock() -> Any:
    """A griptape tool that takes its time."""
    from griptape.artifacts import TextArtifact
    from griptape.tools import BaseTool
    from griptape.utils.decorators import activity
    from schema import Schema

    class Clock(BaseTool):  # type: ignore[misc]
        @activity(config={"description": "Tells the time", "schema": Schema({})})
        def now(self, _: Any) -> TextArtifact:
            time.sleep(TOOL_S)
            return TextArtifact("noon")

    return Clock(install_dependencies_on_init=False)
