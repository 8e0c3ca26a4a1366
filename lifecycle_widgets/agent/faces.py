"""The faces of a run: iterated, iterated asynchronously, awaited. Who leaves one stops the run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from queue import SimpleQueue
from typing import Protocol

from lifecycle_widgets.agent.events import RunEnded, RunEvent
from lifecycle_widgets.runs import Run
from lifecycle_widgets.waiting import next_of, told_if_interrupted

STOPPED = "the run was stopped, and the server no longer generates."
"""What an interrupt of a run says."""

_LOOK_S = 0.005


class Followed(Protocol):
    """What a face needs of a `StructureRun`."""

    @property
    def running(self) -> bool:
        """Whether it goes on."""

    @property
    def is_started(self) -> bool:
        """Whether it was begun."""

    def start(self) -> object:
        """Begin."""

    def follow(self, listener: Callable[[RunEvent], None], /) -> object:
        """Have the listener told of every event from now on."""

    def stop(self) -> object:
        """Stop it for good."""

    def wait(self, timeout_s: float | None = None, /) -> Run:
        """Its end; raises what went wrong."""


def events_of(run: Followed) -> Iterator[RunEvent]:
    """See `StructureRun.__iter__`."""
    events: SimpleQueue[RunEvent] = SimpleQueue()
    _begin(run, events.put)
    try:
        while True:
            with told_if_interrupted(STOPPED):
                event = next_of(events)
            yield event
            if isinstance(event, RunEnded):
                break
    finally:
        if run.running:
            run.stop()
        while run.running:
            time.sleep(_LOOK_S)
    run.wait(0)  # raises what went wrong


async def async_events_of(run: Followed) -> AsyncIterator[RunEvent]:
    """See `StructureRun.__aiter__`."""
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[RunEvent] = asyncio.Queue()
    _begin(run, lambda event: _in_loop(loop, lambda: events.put_nowait(event)))
    try:
        while True:
            event = await events.get()
            yield event
            if isinstance(event, RunEnded):
                break
    finally:
        await _left(run)
    run.wait(0)


async def awaited(run: Followed) -> Run:
    """See `StructureRun.__await__`."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()

    def heard(event: RunEvent) -> None:
        if isinstance(event, RunEnded):
            _in_loop(loop, ended.set)

    _begin(run, heard)
    try:
        await ended.wait()
    finally:
        await _left(run)
    return run.wait(0)


async def _left(run: Followed) -> None:
    """Stop it, unless it has ended; that takes a moment."""
    if run.running:
        run.stop()
    while run.running:
        await asyncio.sleep(_LOOK_S)


def _begin(run: Followed, listener: Callable[[RunEvent], None]) -> None:
    """Start it, unless it was; a run that is over tells its end once more."""
    run.follow(listener)
    if not run.is_started:
        run.start()


def _in_loop(loop: asyncio.AbstractEventLoop, work: Callable[[], object]) -> None:
    try:
        loop.call_soon_threadsafe(work)
    except RuntimeError:
        pass  # the loop is closed: nobody waits any more
