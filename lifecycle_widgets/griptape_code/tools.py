"""A person's tools in code: as they were made, and what cannot be written said in a comment."""

from __future__ import annotations

import inspect
import re
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.griptape_code.imports import Imports, home_of
from lifecycle_widgets.griptape_code.texts import python_text

if TYPE_CHECKING:
    from griptape.tools import BaseTool

_NO_INSTALL = "install_dependencies_on_init"  # else griptape's tools call pip when they are made
_FROM_THE_AGENT = {"input_memory", "output_memory"}  # it gives them to its tools
_PRIVATE = re.compile("pass|secret|token|key|auth|header|cred|user|cookie|env", re.IGNORECASE)


def tool_line(tool: BaseTool, imports: Imports) -> str:
    """The tool in a list of tools: its constructor, or a comment that says what to put there.

    No key or password is written: what may be one is named in the comment.
    """
    kind = type(tool)
    home = home_of(kind)
    chosen, missing = _chosen(tool)
    if home is not None and not missing:
        arguments = "".join(f"{name}={value}, " for name, value in chosen.items())
        return f"{imports.name(home, kind.__name__)}({arguments}{_NO_INSTALL}=False),"
    where = "your notebook" if kind.__module__ == "__main__" else _word(home or kind.__module__)
    own = f", with its own {', '.join(map(_word, missing))}" if missing else ""
    return f"# put your {_word(kind.__name__)} here (of {where}){own}"


def _chosen(tool: BaseTool) -> tuple[dict[str, str], list[str]]:
    """What it was made with, where that is not the default; and what of that cannot be written."""
    import attrs

    fields = {field.alias: field for field in attrs.fields(type(tool))}
    written: dict[str, str] = {}
    missing = _set_beside(tool, {field.name for field in fields.values()})
    for name, parameter in inspect.signature(type(tool)).parameters.items():
        field = fields.get(name)
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if name in _FROM_THE_AGENT or name == _NO_INSTALL:
            continue
        if field is None:  # a constructor of its own: what it got is not known
            missing += [name] * (name not in missing)
        elif not _is_default(getattr(tool, field.name), field.default, tool):
            text = _shown(name, getattr(tool, field.name))
            if text is None:
                missing.append(name)
            else:
                written[name] = text
    return written, missing


def _set_beside(tool: BaseTool, fields: set[str]) -> list[str]:
    """Attributes that the tool has got after it was made."""
    own = getattr(tool, "__dict__", {})
    return [name for name in own if name not in fields and not name.startswith("_")]


def _is_default(value: Any, default: Any, tool: BaseTool) -> bool:
    if (make := getattr(default, "factory", None)) is not None:
        try:
            default = make(tool) if default.takes_self else make()
        except Exception:  # a driver that wants a key, a file that is not there
            return False
    try:
        return _same(value, default)
    except Exception:  # arrays and rings: there is no plain "equal"
        return False


def _same(one: Any, other: Any) -> bool:
    """Equal values; griptape's objects, of which each has threads of its own, by their settings."""
    import attrs

    if type(one) is not type(other):
        return False
    if isinstance(one, Executor):
        return True
    if attrs.has(type(one)):
        names = [field.name for field in attrs.fields(type(one))]
        return all(_same(getattr(one, name), getattr(other, name)) for name in names)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    return bool(one is other or one == other)


def _shown(name: str, value: Any) -> str | None:
    """The value in Python; None for what cannot be written, or may be somebody's secret."""
    try:
        text = python_text(value)
    except ValueError:
        return None
    is_number = isinstance(value, (bool, int, float))
    is_private = _PRIVATE.search(name) or ("://" in text and "@" in text)
    return None if is_private and not is_number else text


def _word(name: str) -> str:
    """A name that can stand in a comment."""
    return name if name.isprintable() else "?"
