"""Fixtures of the sandbox's own tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lifecycle_widgets.sandbox import Program
from lifecycle_widgets.sandbox.program import prepare_program


@pytest.fixture(scope="session")
def program() -> Program:
    """The Ollama of the usual cache (or PATH)."""
    return prepare_program()


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder that does not exist yet, for this process and those it starts."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("LIFECYCLE_WIDGETS_CACHE", str(folder))
    return folder


@pytest.fixture
def ollama_on_path(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An `ollama` on PATH, so that a test with an empty cache need not build one."""
    link = tmp_path / "bin" / "ollama"
    link.parent.mkdir()
    link.symlink_to(program.path)
    monkeypatch.setenv("PATH", f"{link.parent}{os.pathsep}{os.environ['PATH']}")
    return link
