"""The values of a server: an installed model, one in memory, a step of a pull."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone

FOREVER = timedelta(days=20 * 365)  # Ollama's own test for "forever" in `ollama ps`

Capabilities = frozenset[str] | None
"""What a model can do, in Ollama's words ("completion", "embedding", "thinking", "tools",
"vision"); None: the server does not tell."""


@dataclass(frozen=True)
class Model:
    """An installed model (/api/tags). What the server does not tell is None, or empty.

    ``size_bytes`` is its size on disk. ``is_cloud``: it runs on another machine, ``remote_host``,
    so prompts leave this one and a keep_alive means nothing.
    """

    name: str
    size_bytes: int | None
    quantization: str = ""
    parameter_size: str = ""
    family: str = ""
    digest: str = ""
    is_cloud: bool = False
    remote_host: str = ""
    _ask: Callable[[], Capabilities] | None = field(default=None, repr=False, compare=False)
    _look: Callable[[], Capabilities] | None = field(default=None, repr=False, compare=False)

    @property
    def capabilities(self) -> Capabilities:
        """What it can do. Asks the server (/api/show, which resets no timer), at most once."""
        return self._ask() if self._ask is not None else None

    @property
    def known_capabilities(self) -> Capabilities:
        """As `capabilities`, but nobody is asked: None also while it is not known yet."""
        return self._look() if self._look is not None else None

    @property
    def can_chat(self) -> bool:
        """False for one that only makes embeddings; True also where it is not told."""
        told = self.capabilities
        return told is None or "completion" in told

    @property
    def can_think(self) -> bool:
        """Whether it is told that it can think."""
        return "thinking" in (self.capabilities or ())

    @property
    def can_use_tools(self) -> bool:
        """Whether it is told that it can use tools."""
        return "tools" in (self.capabilities or ())

    @property
    def can_see(self) -> bool:
        """Whether it is told that it takes images."""
        return "vision" in (self.capabilities or ())


@dataclass(frozen=True)
class Resident:
    """A model in memory (/api/ps). What the server does not tell is None, or empty.

    ``size_bytes`` is what Ollama counts for it (weights, context, compute buffers; not the
    process's RSS), ``size_vram_bytes`` the part of it on GPUs. ``expires_at`` is by this machine's
    clock; it is set when a request ends: while one is running it can lie in the past.
    """

    name: str
    size_bytes: int | None
    size_vram_bytes: int | None = None
    expires_at: datetime | None = None
    context_length: int | None = None
    digest: str = ""

    @property
    def is_forever(self) -> bool:
        """True when no time limit is in force (Ollama says: more than 20 years ahead)."""
        left_s = self.expires_in_s()
        return left_s is not None and left_s > FOREVER.total_seconds()

    def expires_in_s(self, now: datetime | None = None) -> float | None:
        """Seconds until it expires; negative when overdue (busy, or about to leave).

        None when the server does not tell.
        """
        if self.expires_at is None:
            return None
        return (self.expires_at - (now or datetime.now(timezone.utc))).total_seconds()


@dataclass(frozen=True)
class PullProgress:
    """One step of a pull: what it does, and how far (0 to 1; None when not known)."""

    status: str
    fraction: float | None
