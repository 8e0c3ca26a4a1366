"""A person's driver, as it asks for the time of a run: by a client of ours.

It is a copy of theirs, of their own class, so that whatever that class does it goes on doing; what
differs is said here. Theirs stays untouched, and may be used by others meanwhile.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecycle_widgets.agent.requests.client import MeteredClient


class Stopped(BaseException):
    """The run was stopped. No Exception: griptape would make an artifact of it and go on."""


def lent(driver: Any, kind: str, client: MeteredClient) -> Any:
    """The driver that asks in place of a person's own.

    It streams, so that the answer is shown as it comes, but for one whose class has an own way to
    take it in one piece; and it never asks twice (a retry would repeat the text that was shown). A
    chat's token counts reach griptape's events. keep_alive is the client's matter.
    """
    ours = copy.copy(driver)
    ours.client = client
    ours.max_attempts = 1
    ours.after_hook = _nothing  # the default one prints, and sets up the root logger
    if kind == "chat":
        ours.stream = driver.stream or not _takes_it_whole(type(driver))
        asked = dict(driver.extra_params)
        asked.pop("keep_alive", None)
        ours.extra_params = asked
        ours.__class__ = _metered(type(driver))  # type: ignore[arg-type]  # a class is hashable
    return ours


def _takes_it_whole(kind: type) -> bool:
    from griptape.drivers.prompt.ollama import OllamaPromptDriver

    return next(one for one in kind.__mro__ if "try_run" in vars(one)) is not OllamaPromptDriver


def _nothing(_: Any) -> None:
    """For tenacity's hook."""


class _Metered:
    """What a driver's class does besides, when it asks for a run."""

    __slots__ = ()
    client: MeteredClient

    def run(self, prompt_input: Any) -> Any:
        """As the driver's own; what ends it ends the answer that was being read, too."""
        try:
            return super().run(prompt_input)  # type: ignore[misc]
        finally:
            self.client.end_stream()  # else a traceback keeps it open, and the server goes on

    def try_run(self, prompt_stack: Any) -> Any:
        """As the driver's own; with the token counts, which griptape's leaves out."""
        with self._watched():
            message = super().try_run(prompt_stack)  # type: ignore[misc]
        message.usage.input_tokens, message.usage.output_tokens = self.client.counts()
        return message

    def try_stream(self, prompt_stack: Any) -> Iterator[Any]:
        """The same; the token counts come at the end."""
        from griptape.common import DeltaMessage

        with self._watched():
            yield from super().try_stream(prompt_stack)  # type: ignore[misc]
        read, written = self.client.counts()
        yield DeltaMessage(usage=DeltaMessage.Usage(input_tokens=read, output_tokens=written))

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Remember what goes wrong; after a stop, that is nothing but the stop."""
        try:
            yield
        except Exception as fault:
            if self.client.stopped:
                raise Stopped from None
            self.client.fault = fault
            raise
        if self.client.stopped:
            raise Stopped


@lru_cache(maxsize=64)
def _metered(kind: type) -> type:
    """The driver's class with that in front. Without slots of its own, a copy can become one."""
    return type(kind)(kind.__name__, (_Metered, kind), {"__slots__": ()})
