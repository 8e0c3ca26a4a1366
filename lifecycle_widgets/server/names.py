"""The names of models: one model's name in full, and whether two names are the same."""

from __future__ import annotations

_DEFAULT_REGISTRY = "registry.ollama.ai/"
_DEFAULT_FOLDER = "library/"


def full_name(model: str) -> str:
    """The name with its tag, as /api/ps and /api/tags show it.

    Examples
    --------
    >>> full_name("llama3.2"), full_name("registry.ollama.ai/library/llama3.2:1b")
    ('llama3.2:latest', 'llama3.2:1b')
    """
    name = _without(_without(model.strip(), _DEFAULT_REGISTRY), _DEFAULT_FOLDER)
    return name if ":" in name.rsplit("/", 1)[-1] else f"{name}:latest"


def same_name(one: str, other: str) -> bool:
    """Whether two names are one to Ollama: the letters' case does not count, nor the defaults.

    Examples
    --------
    >>> same_name("Llama3.2", "library/llama3.2:latest"), same_name("a", "me/a")
    (True, False)
    """
    return full_name(one).lower() == full_name(other).lower()


def _without(name: str, beginning: str) -> str:
    return name[len(beginning) :] if name.lower().startswith(beginning) else name
