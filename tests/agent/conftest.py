"""Fixtures: an Ollama whose model says what a test writes."""

from tests.scripted import box, file, script

__all__ = ["box", "file", "script"]
