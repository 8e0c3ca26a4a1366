"""The package ollama, imported whatever proxy the environment names."""

from __future__ import annotations

import os
import threading
from types import ModuleType

_lock = threading.Lock()


def ollama_package() -> ModuleType:
    """Import ollama.

    It makes a client when it is imported, which fails for a proxy variable that httpx cannot use,
    although nobody has asked for anything yet. Then it is imported without those variables: what
    is asked goes by `Door`, which reads them itself.
    """
    try:
        import ollama
    except Exception:
        with _lock:
            return _imported_without_proxies()
    return ollama


def _imported_without_proxies() -> ModuleType:
    held_back = {n: os.environ.pop(n) for n in list(os.environ) if n.lower().endswith("_proxy")}
    try:
        import ollama
    finally:
        os.environ.update(held_back)
    return ollama
