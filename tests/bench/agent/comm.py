"""What a panel sends to its page while an answer streams: messages and bytes, on every comm."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import comm
from comm.base_comm import BaseComm

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from lifecycle_widgets.widgets import AgentPanel
from tests.bench.agent.arms import KEPT, MODEL, PROMPT, options_of
from tests.bench.agent.spread import Row

TOKENS = 1000
_OF_TEXT = ("append", "whole")  # what a TextStream's own messages are


@dataclass(frozen=True)
class Sent:
    """What one run has sent.

    Parameters
    ----------
    tokens, seconds:
        Of the run.
    text:
        The size of the answer in bytes.
    messages, total_bytes:
        All that was sent, and the size of its content as JSON.
    pieces, pieces_bytes:
        Of these, those that carry the text as it comes.
    """

    tokens: int
    seconds: float
    text: int
    messages: int
    total_bytes: int
    pieces: int
    pieces_bytes: int


@contextmanager
def kept_messages() -> Iterator[list[Any]]:
    """The content of all that widgets which are made meanwhile would send to a page."""
    messages: list[Any] = []

    class Kept(BaseComm):
        def publish_msg(self, _: str, data: Any = None, **__: Any) -> None:
            messages.append(data)

    before, comm.create_comm = comm.create_comm, Kept
    try:
        yield messages
    finally:
        comm.create_comm = before


def sent_by_a_run(server: Server, tokens: int) -> Sent:
    """Run a prompt by a panel, and count from its start until all is said of its end."""
    choices = {"model": MODEL, "keep_alive": KEPT, "options": options_of(tokens), "memory": None}
    with kept_messages() as messages, AgentPanel(server, prompt=PROMPT, **choices) as panel:
        messages.clear()  # of its beginning
        run = panel.start().wait()
        sent = list(messages)
    sizes = [(one, len(json.dumps(one, default=repr).encode())) for one in sent]
    pieces = [size for one, size in sizes if _is_text(one)]
    return Sent(
        tokens=run.timings.output_tokens or 0,
        seconds=run.timings.total_s,
        text=len(run.answer.encode()),
        messages=len(sizes),
        total_bytes=sum(size for _, size in sizes),
        pieces=len(pieces),
        pieces_bytes=sum(pieces),
    )


def _is_text(message: Any) -> bool:
    content = (message or {}).get("content")
    return isinstance(content, dict) and content.get("kind") in _OF_TEXT


def bench_comm(row: Row, tokens: int = TOKENS) -> None:
    """Per 1,000 tokens, at the rate of a small model here."""
    with Sandbox(models=[MODEL]) as sandbox:
        server = Server(sandbox.url)
        server.preload(MODEL, KEPT)
        sent = sent_by_a_run(server, tokens)
    each = 1000 / sent.tokens
    rate = f"{sent.tokens / sent.seconds:.0f} tokens/s, {each * sent.text:,.0f} bytes of text"
    row("a panel to its page, per 1,000 tokens", f"({rate})")
    row("  messages, all", f"{each * sent.messages:.0f}")
    row("    of it pieces of the text (at most 20 a second)", f"{each * sent.pieces:.0f}")
    row("  bytes of their content, all", f"{each * sent.total_bytes:,.0f}")
    row("    of it pieces of the text", f"{each * sent.pieces_bytes:,.0f}")
