"""What is in force at a server, beside what was asked: of the process, and of each runner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone


@dataclass(frozen=True)
class RunnerSettings:
    """How a runner was started, as its command line says; None for what that does not tell.

    Parameters
    ----------
    context_length:
        Tokens of context in all, as it was given (for all parallel requests together).
    parallel:
        How many requests it serves at once.
    batch, ubatch:
        Tokens that are read at a time: logical, physical.
    kv_type_k, kv_type_v:
        The types of the cache ("f16", "q8_0").
    flash_attention:
        "on", "off" or "auto".
    gpu_layers:
        How many layers were asked for on GPUs; -1 is all.
    mmap:
        Whether the weights' file is mapped into memory instead of read.
    threads:
        How many threads compute.
    engine:
        What runs: "llama-server", "ollama runner", "ollama runner --ollama-engine", ...
    """

    context_length: int | None = None
    parallel: int | None = None
    batch: int | None = None
    ubatch: int | None = None
    kv_type_k: str | None = None
    kv_type_v: str | None = None
    flash_attention: str | None = None
    gpu_layers: int | None = None
    mmap: bool | None = None
    threads: int | None = None
    engine: str | None = None


@dataclass(frozen=True)
class InForce:
    """What is in force at a server now. What cannot be seen is None, and ``unseen`` says why.

    Parameters
    ----------
    version:
        The version that answers now (while nothing answers: that did last); None where it is not
        told.
    pid, started_at:
        The server's process, and since when it, or its container, runs (wall clock).
    restarts:
        How often another process, or another version, has come in its place while it was watched.
    environment:
        The ``OLLAMA_*`` variables (and those of the GPUs' visibility) that the server's *process*
        was started with; keys and passwords are masked. None where they cannot be seen.
    environment_from:
        Where they were read: "process", "systemd unit", "container".
    default_keep_alive_s:
        The server's default keep_alive in seconds (endless: forever); None where it is not known.
    default_keep_alive_from:
        "measured" (a request without keep_alive of ours has loaded a model, and its deadline said
        so), "environment" (as its process was started), "not set" (it was
        started without one, so it is Ollama's own), or None.
    unseen:
        Why its process, or what it was started with, cannot be seen, in a sentence; None where it
        can.
    """

    version: str | None = None
    pid: int | None = None
    started_at: datetime | None = None
    restarts: int = 0
    environment: Mapping[str, str] | None = field(default=None, hash=False)
    environment_from: str | None = None
    default_keep_alive_s: float | None = None
    default_keep_alive_from: str | None = None
    unseen: str | None = None

    @property
    def uptime_s(self) -> float | None:
        """For how long the server has been running by now, in seconds; None where it is not known.

        Examples
        --------
        >>> InForce().uptime_s is None
        True
        """
        if self.started_at is None:
            return None
        return max(0.0, (datetime.now(timezone.utc) - self.started_at).total_seconds())
