"""Imports: the imports that a program turns out to need, under names that do not clash."""

from __future__ import annotations

import sys
from collections.abc import Iterable


class Imports:
    """Collects them while the program is written.

    Parameters
    ----------
    taken:
        Names that the program has for something else.

    Examples
    --------
    >>> imports = Imports(taken=["agent"])
    >>> imports.name("griptape.structures", "Agent"), imports.name("other", "Agent")
    ('Agent', 'Agent_2')
    >>> print(imports)
    from griptape.structures import Agent
    from other import Agent as Agent_2
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._found: dict[tuple[str, str], str] = {}  # (module, name) -> what it is called here

    def name(self, module: str, name: str) -> str:
        """What ``name`` of ``module`` is called in the program."""
        if (module, name) not in self._found:
            called, number = name, 2
            while called in self._taken:
                called, number = f"{name}_{number}", number + 1
            self._taken.add(called)
            self._found[module, name] = called
        return self._found[module, name]

    def __str__(self) -> str:
        lines: dict[str, list[str]] = {}
        for (module, name), called in sorted(self._found.items()):
            lines.setdefault(module, []).append(name if name == called else f"{name} as {called}")
        return "\n".join(
            f"from {module} import {', '.join(names)}" for module, names in lines.items()
        )


def home_of(kind: type) -> str | None:
    """The module that a class can be imported from by its name; None for one of a notebook.

    Of the packages that have it, the shortest: that is the one meant for readers.
    """
    name, parts = kind.__qualname__, kind.__module__.split(".")
    for length in range(1, len(parts) + 1):
        home = ".".join(parts[:length])
        module = sys.modules.get(home)
        is_module = getattr(module, "__spec__", None) is not None and home != "__main__"
        if is_module and name.isidentifier() and getattr(module, name, None) is kind:
            return home
    return None
