"""Fixtures: holds that end with their test, and leave no thread."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hold_tools import Holds, threads

from lifecycle_widgets.agent.hold import Hold


@pytest.fixture
def holds() -> Iterator[Holds]:
    """`Hold`, whose holds are closed after the test; each test ends with none of their threads."""
    made: list[Hold] = []

    def make(**how: float) -> Hold:
        made.append(Hold(**how))
        return made[-1]

    yield make
    before = threads()
    for hold in made:
        hold.close(1)
    assert before == [], "a hold was not closed, or its thread has not ended"
