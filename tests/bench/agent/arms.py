"""The ways to ask one prompt whose costs are compared. The clock is outside of all of them.

Whatever can be made before a call is made before it: ollama-python's client (which then keeps its
connection), griptape's agent, and the agent that is given to `lw.run`. `run_agent` makes all that
it needs for each call. All send the same messages and options, and neither has a memory.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import Any

import ollama
from griptape.drivers.prompt.ollama import OllamaPromptDriver
from griptape.events import EventListener, TextChunkEvent
from griptape.structures import Agent
from griptape.tasks import PromptTask

import lifecycle_widgets as lw
from lifecycle_widgets.server import Server

MODEL = "smollm2:135m"
PROMPT = "Write a long story about a lighthouse."
KEPT = "10m"

Hears = Callable[[str], None]
Arm = Callable[[Hears], None]
"""Asks the prompt once, and calls what it is given with each piece of text."""


@dataclass(frozen=True)
class Asked:
    """One call.

    Parameters
    ----------
    first_s, last_s, total_s:
        From the call to the first text, to the last, and to its return.
    cpu_s:
        What this process has used the processors meanwhile; it hardly depends on what else runs.
    text:
        What came.
    """

    first_s: float
    last_s: float
    total_s: float
    cpu_s: float
    text: str


def ask(arm: Arm) -> Asked:
    """Ask once, by clocks that know nothing of how."""
    stamps: list[float] = []
    pieces: list[str] = []

    def hear(piece: str) -> None:
        if piece:
            stamps.append(time.perf_counter())
            pieces.append(piece)

    cpu_s, began_s = time.process_time(), time.perf_counter()
    arm(hear)
    ended_s, cpu_s = time.perf_counter(), time.process_time() - cpu_s
    first_s, last_s = stamps[0] - began_s, stamps[-1] - began_s
    return Asked(first_s, last_s, ended_s - began_s, cpu_s, "".join(pieces))


def options_of(tokens: int) -> dict[str, Any]:
    """What every arm sends, so that the server's work is the same."""
    return {"temperature": 0, "num_predict": tokens}


def bare(server: Server, tokens: int) -> Arm:
    """ollama-python by itself; its client is made before, and keeps its connection."""
    client = ollama.Client(server.url)

    def arm(hear: Hears) -> None:
        message = {"role": "user", "content": PROMPT}
        chunks = client.chat(
            model=MODEL,
            messages=[message],
            stream=True,
            keep_alive=KEPT,
            options=options_of(tokens),
        )
        for chunk in chunks:
            hear(chunk.message.content or "")

    return arm


def agent_of(server: Server, tokens: int) -> Agent:
    """A griptape agent as its documentation has it, but that it takes the text as it is."""
    driver = OllamaPromptDriver(
        model=MODEL,
        host=server.url,
        stream=True,
        options=options_of(tokens),
        extra_params={"keep_alive": KEPT},
    )
    task = PromptTask("{{ args[0] }}", prompt_driver=driver)
    return Agent(tasks=[task], conversation_memory=None)


def plain(server: Server, tokens: int, *, log: bool) -> Arm:
    """griptape by itself: with its log as it comes (onto a page that is no terminal), or quiet."""
    agent, logger = agent_of(server, tokens), logging.getLogger("griptape")

    def arm(hear: Hears) -> None:
        with EventListener(lambda event: hear(event.token), event_types=[TextChunkEvent]):
            agent.run(PROMPT)

    def quiet(hear: Hears) -> None:
        level = logger.level
        logger.setLevel(logging.CRITICAL)
        try:
            arm(hear)
        finally:
            logger.setLevel(level)

    def logged(hear: Hears) -> None:
        with redirect_stdout(io.StringIO()):
            arm(hear)

    return logged if log else quiet


def ours(server: Server, tokens: int) -> Arm:
    """`lw.run` of such an agent, made before."""
    agent = agent_of(server, tokens)

    def arm(hear: Hears) -> None:
        lw.run(agent, PROMPT, server=server, on_text=hear)

    return arm


def short_way(server: Server, tokens: int) -> Arm:
    """`run_agent`, which makes all that it needs for each call."""
    options = options_of(tokens)

    def arm(hear: Hears) -> None:
        lw.run_agent(
            PROMPT, model=MODEL, keep_alive=KEPT, server=server, options=options, on_text=hear
        )

    return arm
