"""Scripted answers: models of a sandbox that say what was written for them, word for word.

A model of 135 million parameters cannot call tools, and whoever wants to see what an agent with
tools does to its server need not have a larger one: the server, the scheduler, the loads, the
memory and the keep_alive are real, only the words are set.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lifecycle_widgets.sandbox.launch import request
from lifecycle_widgets.sandbox.trouble import NAMED, TEMPLATE, VARIABLE, Answer

NAME = "scripted"
"""The model's name where none is given."""

Say = str | Mapping[str, Any]
"""One answer: a text, or ``text``, ``thinking``, and ``tool_calls``, each ``{"name": ...,
"arguments": {...}}``."""
Answers = Mapping[str, Sequence[Say]] | Sequence[Say] | None
Scripts = dict[str, tuple[Answer, ...]]

_THINKS = TEMPLATE[TEMPLATE.index("{{ if .Thinking }}") : TEMPLATE.index("{{ .Content }}")]


def scripts_of(answers: Answers, models: Sequence[str], tokens_per_s: float) -> Scripts:
    """The answers of each scripted model, by its name.

    Args:
        answers: as `Sandbox` takes them.
        models: those that it has: each scripted one has the weights of one of them, in this order.
        tokens_per_s: how fast the answers come.

    Raises:
        ValueError: an answer that is none, more scripted models than models, or no speed.

    Example:
        >>> scripts_of(["Noon."], ["smollm2:135m"], 50)["scripted"][0].text
        'Noon.'
    """
    if not answers:
        return {}
    if not 0 < tokens_per_s < float("inf"):
        raise ValueError(f"tokens_per_s is {tokens_per_s}; give a number above 0.")
    named = answers if isinstance(answers, Mapping) else {NAME: answers}
    if len(named) > len(models):
        raise ValueError(
            f"answers has {len(named)} models, and each needs the weights of another one: give "
            f"{len(models)} at most."
        )
    return {name: _script(name, said, 1 / tokens_per_s) for name, said in named.items()}


def _script(name: str, said: Sequence[Say], token_s: float) -> tuple[Answer, ...]:
    if isinstance(said, (str, Mapping)) or not said:
        raise ValueError(f"The answers of {name} are {said!r}; give a list with one or more.")
    each = [{"text": one} if isinstance(one, str) else one for one in said]
    found = [Answer.of(one, f"answers of {name}[{i}].") for i, one in enumerate(each)]
    return tuple(replace(answer, token_s=token_s) for answer in found)


def written(scripts: Scripts, folder: Path) -> dict[str, str]:
    """Write them where the runners find them; what has to stand in Ollama's environment then."""
    if not scripts:
        return {}
    path = folder / "answers.json"
    said = {name: [asdict(answer) for answer in script] for name, script in scripts.items()}
    path.write_text(json.dumps({"scripts": said}))
    return {VARIABLE: str(path)}


def create(scripts: Scripts, models: Sequence[str], port: int) -> None:
    """Install the scripted models. Raises SandboxError when Ollama refuses."""
    for name, weights in zip(scripts, models, strict=False):
        thinks = any(answer.thinking for answer in scripts[name])
        template = NAMED.format(name=name) + (TEMPLATE if thinks else TEMPLATE.replace(_THINKS, ""))
        body = {"model": name, "from": weights, "template": template, "stream": False}
        request(port, "POST", "/api/create", body)
