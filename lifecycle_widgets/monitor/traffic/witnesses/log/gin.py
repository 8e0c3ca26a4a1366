"""Ollama's lines of requests in its log: when one ended, how long it took, how, and where to.

``[GIN] 2026/11/26 - 12:18:52 | 200 |  1.728292888s |  127.0.0.1 | POST     "/api/chat"``: whole
seconds of the server's own time, and the duration as Go writes it. Nothing else of a line is kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from lifecycle_widgets.go_duration import NS_PER_S, from_json

MARK = b"[GIN] "
KINDS = {
    "/api/chat": "chat",
    "/api/generate": "generate",
    "/api/embed": "embed",
    "/api/embeddings": "embed",
    "/v1/chat/completions": "chat",
    "/v1/completions": "generate",
    "/v1/embeddings": "embed",
    "/v1/messages": "chat",
    "/v1/responses": "chat",
    "/v1/audio/transcriptions": "chat",
}
"""The paths that ask a model for something, and what for."""

_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")  # where the server writes to a terminal
_LINE = re.compile(
    rb"\[GIN\] (\d{4}/\d\d/\d\d - \d\d:\d\d:\d\d) \|\s*(\d{3})\s*\|\s*(\S+) \|[^|]*\|"
    rb"\s*([A-Z]+)\s+\"([^\"?]*)"
)


@dataclass(frozen=True)
class GinLine:
    """One request that has ended; ``at`` is by the server's own clock, and zone."""

    at: datetime
    status: int
    duration_s: float
    method: str
    path: str

    @property
    def kind(self) -> str | None:
        """What it asked a model for; None: it was no such request."""
        return KINDS.get(self.path) if self.method == "POST" else None


def parse_line(line: bytes) -> GinLine | None:
    """What a line of the log tells of a request; None for any other line.

    Examples
    --------
    >>> line = b'[GIN] 2026/11/26 - 12:00:01 | 200 |  1.5s |  ::1 | POST     "/api/chat"'
    >>> told = parse_line(line)
    >>> told.kind, told.duration_s, told.status
    ('chat', 1.5, 200)
    >>> parse_line(b"llama_model_loader: loaded meta data") is None
    True
    """
    found = _LINE.search(_COLOUR.sub(b"", line))
    if found is None:
        return None
    try:
        at = datetime.strptime(found[1].decode(), "%Y/%m/%d - %H:%M:%S")
        duration_s = (from_json(found[3].decode()) or 0) / NS_PER_S
    except ValueError:
        return None
    return GinLine(at, int(found[2]), duration_s, found[4].decode(), found[5].decode())
