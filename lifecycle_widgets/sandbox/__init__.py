"""A private, real Ollama with small models, for machines without one and for the tests.

Imports nothing else of the package, and needs nothing but the standard library until models are
prepared. Names are imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecycle_widgets.sandbox.cache import cache_dir as cache_dir
    from lifecycle_widgets.sandbox.cache import remove as remove
    from lifecycle_widgets.sandbox.errors import SandboxError as SandboxError
    from lifecycle_widgets.sandbox.posix import why_not as why_not
    from lifecycle_widgets.sandbox.preparation import prepare as prepare
    from lifecycle_widgets.sandbox.process import Sandbox as Sandbox
    from lifecycle_widgets.sandbox.program import Program as Program
    from lifecycle_widgets.sandbox.progress import Progress as Progress
    from lifecycle_widgets.sandbox.store import MODELS as MODELS

_HOME = {
    "MODELS": "store",
    "Program": "program",
    "Progress": "progress",
    "Sandbox": "process",
    "SandboxError": "errors",
    "cache_dir": "cache",
    "prepare": "preparation",
    "remove": "cache",
    "why_not": "posix",
}
__all__ = [*sorted(_HOME)]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME[name]}", __name__), name)
