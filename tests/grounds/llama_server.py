"""llama.cpp's own server in a process of its own: with Ollama's routes, and as it is today."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.grounds.programs import free_port, running
from tests.sandbox.sandbox_tools import ask, environment, weights

LAST_WITH_API = "2026.4.8672.1"
"""Later ones have no /api (ggml-org/llama.cpp#22165)."""


@contextmanager
def llama_cpp(weights: Path, folder: Path, path: str | None = None) -> Iterator[str]:
    """It runs with these weights: its address. ``path`` has another xllamacpp than ours."""
    port = free_port()
    script = str(Path(__file__).with_name("llama_cpp.py"))
    command = [sys.executable, script, str(weights), str(port)]
    env = environment(PYTHONPATH=path)
    with running(command, lambda: _loaded(port), folder / "llama.txt", env=env):
        yield f"http://127.0.0.1:{port}"


def linked_weights(folder: Path) -> Path:
    """The sandbox's smallest model (it is there), under a name such as people give it."""
    link = folder / "smollm2.gguf"
    link.symlink_to(weights())
    return link


def older(kept: Path) -> str:
    """A folder with the xllamacpp that has Ollama's routes; fetched once, skipped without."""
    folder = kept / LAST_WITH_API
    if not folder.exists():
        scratch = folder.with_name(f"{folder.name}-{os.getpid()}")
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary"]
        command += [":all:", "--target", str(scratch), f"xllamacpp=={LAST_WITH_API}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            pytest.skip(f"xllamacpp {LAST_WITH_API} cannot be had: {done.stderr.strip()[-200:]}")
        if not folder.exists():
            scratch.rename(folder)
    return str(folder)


def _loaded(port: int) -> bool:
    """Whether the model is loaded; until then everything is answered with 503."""
    try:
        return bool(ask(f"http://127.0.0.1:{port}", "/health"))
    except OSError:
        return False
