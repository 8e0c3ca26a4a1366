"""Trouble on purpose: what the sandbox's runner does wrong when a test asks for it.

`LIFECYCLE_SANDBOX_TROUBLE` names a JSON file with keys of `Trouble`. Every runner reads it when it
starts, so a test can change the trouble from load to load; no variable or no file is no trouble.
A sandbox passes none of the person's own `LIFECYCLE_SANDBOX_*` variables on, so only a program
that asks for it gets it::

    Sandbox(runner_env={"LIFECYCLE_SANDBOX_TROUBLE": "trouble.json"})
"""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

VARIABLE = "LIFECYCLE_SANDBOX_TROUBLE"
TEMPLATE = """\
{{- if .Tools }}<|im_start|>system
{{ .Tools }}<|im_end|>
{{ end }}{{ range .Messages }}<|im_start|>{{ .Role }}
{{ if .Thinking }}<think>
{{ .Thinking }}
</think>

{{ end }}{{ .Content }}{{ if .ToolCalls }}{{ range .ToolCalls }}<tool_call>
{"name": "{{ .Function.Name }}", "arguments": {{ .Function.Arguments }}}
</tool_call>{{ end }}{{ end }}<|im_end|>
{{ end }}<|im_start|>assistant
"""
"""A template for `ollama create`, by which Ollama reads scripted tool calls and thinking."""
NAMED = "<|im_start|>scripted {name}<|im_end|>"
"""What the template of a model with a script of its own (`Trouble.scripts`) begins with."""

_TELL_EACH_S = 0.2
_OUT_OF_MEMORY = """\
ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 8589934592
llama_model_load: error loading model: unable to allocate CPU buffer
llama_model_load_from_file_impl: failed to load model"""
_Kind = TypeVar("_Kind")


@dataclass(frozen=True)
class Answer:
    """One scripted answer.

    Args:
        text: what it says.
        thinking: what it thinks before.
        tool_calls: what it calls after, each ``{"name": ..., "arguments": {...}}``.
        token_s: how many seconds each of its tokens takes.
    """

    text: str = ""
    thinking: str = ""
    tool_calls: tuple[Any, ...] = ()
    token_s: float = 0.0

    @classmethod
    def of(cls, value: Any, where: str = "") -> Answer:
        """From JSON. Raises ValueError for a key that is unknown or of the wrong type, by name."""
        return _filled(cls, value, where)


@dataclass(frozen=True)
class Trouble:
    """What a runner does wrong; by default nothing.

    What concerns loading happens in this order.

    Args:
        load_delay_s: a slow load: so many seconds more, in which log lines are printed (any line
            resets Ollama's OLLAMA_LOAD_TIMEOUT, which is for loads that stall).
        load_stalls: it never gets ready, and prints nothing more.
        out_of_memory_at_load: it ends as llama.cpp does when memory cannot be allocated.
        extra_memory_bytes: memory that it takes on top, and really uses.
        crash_at_token: it is killed when the so-manieth token of an answer (from 1) is due.
        crash_idle_after_s: it is killed when it could answer and had nothing to for so long.
        token_delay_s: a pause before each token.
        script: its answers, instead of the model's. A conversation's first is given to who has no
            answer yet, the second to who brings one, and so on; the last one is repeated. So it
            holds also when the runner is loaded anew between two answers of an agent, and two
            conversations at once do not take each other's.
        scripts: the same for single models, by the name that their template begins with (`NAMED`);
            others with the same weights speak for themselves.
    """

    load_delay_s: float = 0.0
    load_stalls: bool = False
    out_of_memory_at_load: bool = False
    extra_memory_bytes: int = 0
    crash_at_token: int = 0
    crash_idle_after_s: float = math.inf
    token_delay_s: float = 0.0
    script: tuple[Answer, ...] = ()
    scripts: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Trouble:
        """Read the JSON file.

        Raises:
            RuntimeError: it cannot be read, or a key is unknown or of the wrong type; by name.
        """
        try:
            trouble = _filled(cls, json.loads(Path(path).read_text()), "")
        except (OSError, ValueError) as error:
            # "error:" brings the line into Ollama's own answer
            raise RuntimeError(f"llama-server: error: {VARIABLE}={path}: {error}") from error
        _say(f"this runner makes trouble on purpose ({VARIABLE}={path}): {trouble}")
        return trouble

    @property
    def changes_answers(self) -> bool:
        """Whether something goes wrong while it answers, or between two answers."""
        answers = (self.crash_at_token, self.token_delay_s, self.script, self.scripts)
        return any(answers) or self.crash_idle_after_s != math.inf

    def script_for(self, prompt: str) -> tuple[Answer, ...]:
        """The answers to a prompt, as its template has rendered it; empty: the model's own."""
        for name, script in self.scripts.items():
            if prompt.startswith(NAMED.format(name=name)):
                return script
        return self.script

    def before_load(self) -> None:
        """What goes wrong before the model is read."""
        ready_s = time.monotonic() + self.load_delay_s
        while (left_s := ready_s - time.monotonic()) > 0:
            _say(f"a slow load on purpose, {left_s:.1f} s to go")
            time.sleep(min(_TELL_EACH_S, left_s))
        while self.load_stalls:
            time.sleep(3600)
        if self.out_of_memory_at_load:
            raise RuntimeError(_OUT_OF_MEMORY)
        if self.extra_memory_bytes:
            _held.append(b"\1" * self.extra_memory_bytes)


_held: list[bytes] = []


def _say(text: str) -> None:
    print(f"lifecycle sandbox: {text}", file=sys.stderr, flush=True)


def _filled(kind: type[_Kind], given: Any, where: str) -> _Kind:
    """A dataclass from JSON; ValueError names what does not fit."""
    if not isinstance(given, Mapping):
        raise ValueError(f"expected an object{where and f' for {where}'}, not {given!r}")
    known = {field.name: str(field.type) for field in fields(kind)}  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise ValueError(f"unknown key {where}{name!r}; known are {', '.join(known)}")
    return kind(**{name: _value(where + name, known[name], v) for name, v in given.items()})


def _value(name: str, kind: str, value: Any) -> Any:
    """The value of one key, when it is what the field takes."""
    kind = kind.split("[")[0]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
    fits, takes = {
        "float": (is_number, "a number from 0"),
        "int": (is_number and isinstance(value, int), "a whole number from 0"),
        "bool": (isinstance(value, bool), "true or false"),
        "str": (isinstance(value, str), "a text"),
        "tuple": (isinstance(value, list), "a list"),
        "Mapping": (isinstance(value, Mapping), "an object"),
    }[kind]
    if not fits:
        raise ValueError(f"key {name!r} takes {takes}, not {value!r}")
    if kind == "Mapping":
        return {model: _value("script", "tuple", script) for model, script in value.items()}
    if name == "script":
        return tuple(Answer.of(one, f"{name}[{i}].") for i, one in enumerate(value))
    if name.endswith("tool_calls") and not all(_is_call(one) for one in value):
        raise ValueError(f"key {name!r} takes objects with a name and arguments, not {value!r}")
    return tuple(value) if kind == "tuple" else value


def _is_call(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"name", "arguments"}:
        return False
    return isinstance(value["name"], str) and isinstance(value["arguments"], Mapping)
