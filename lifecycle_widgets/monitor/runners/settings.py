"""What a runner's command line says of how it runs, in all the spellings that Ollama has used.

Since 0.30 GGUF models run in llama.cpp's own ``llama-server``, with all of it on its command line;
before, in ``ollama runner``, which is told part of it, or all, over HTTP; up to 0.5 in a program
named ``ollama_llama_server``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from lifecycle_widgets.monitor.in_force.values import RunnerSettings
from lifecycle_widgets.monitor.runners.command_lines import base_name

_CONTEXT = ("-c", "--ctx-size")
_FLASH = ("-fa", "--flash-attn")
_SPELLINGS = {
    "context_length": _CONTEXT,
    "parallel": ("-np", "--parallel"),
    "batch": ("-b", "--batch-size"),
    "ubatch": ("-ub", "--ubatch-size"),
    "kv_type_k": ("-ctk", "--cache-type-k", "--kv-cache-type"),
    "kv_type_v": ("-ctv", "--cache-type-v", "--kv-cache-type"),
    "gpu_layers": ("-ngl", "--gpu-layers", "--n-gpu-layers"),
    "threads": ("-t", "--threads"),
}
_NUMBERS = {one.name for one in fields(RunnerSettings) if str(one.type).startswith("int")}
_WORDS = {"all": -1}  # of layers; "auto" is not told
_LOAD_MODES = {"mmap": True, "mmap+mlock": True, "none": False, "dio": False, "mlock": False}
_ENGINES = ("--ollama-engine", "--mlx-engine", "--imagegen-engine")


def settings_of(arguments: Sequence[str]) -> RunnerSettings:
    """The settings in a runner's command line; None for each that it does not tell.

    Examples
    --------
    >>> told = settings_of("llama-server --model a.gguf -c 8192 -np 2 --flash-attn auto".split())
    >>> told.context_length, told.parallel, told.flash_attention, told.threads
    (8192, 2, 'auto', None)
    >>> settings_of("ollama runner --ollama-engine --model a.gguf --port 4000".split()).engine
    'ollama runner --ollama-engine'
    """
    engine = _engine(arguments)
    said = {name: _said(arguments, spellings) for name, spellings in _SPELLINGS.items()}
    told = {name: _number(text) if name in _NUMBERS else text for name, text in said.items()}
    # the older ones have switches: what is not there is off, where the settings are there at all
    has_switches = engine != "llama-server" and _said(arguments, _CONTEXT) is not None
    return RunnerSettings(
        **told,  # type: ignore[arg-type]  # each by its name
        flash_attention=_flash(arguments) or ("off" if has_switches else None),
        mmap=_mmap(arguments, has_switches),
        engine=engine,
    )


def _engine(arguments: Sequence[str]) -> str | None:
    names = [base_name(argument) for argument in arguments[:3]]
    for at, name in enumerate(names):
        if name in ("llama-server", "ollama_llama_server"):
            return name
        if name.startswith("ollama") and arguments[at + 1 : at + 2] == ["runner"]:
            kind = next((one for one in _ENGINES if one in arguments), None)
            return " ".join(["ollama runner", *filter(None, [kind])])
    return names[0] if names else None


def _said(arguments: Sequence[str], spellings: Sequence[str]) -> str | None:
    """The value of an option; the last one counts, as it does there."""
    told = None
    for at, argument in enumerate(arguments):
        option, is_joined, joined = argument.partition("=")
        if option not in spellings:
            continue
        following = arguments[at + 1] if at + 1 < len(arguments) else ""
        told = (joined if is_joined else following) or None
    return told


def _number(text: str | None) -> int | None:
    if text in _WORDS:
        return _WORDS[text]
    try:
        return int(text or "")
    except ValueError:
        return None


def _flash(arguments: Sequence[str]) -> str | None:
    """Its value; as a switch, which the older ones have, it is "on"."""
    told = _said(arguments, _FLASH)
    is_there = not set(_FLASH).isdisjoint(argument.partition("=")[0] for argument in arguments)
    if not is_there:
        return None
    told = {"true": "on", "1": "on", "false": "off", "0": "off"}.get(told or "", told)
    return told if told in ("on", "off", "auto") else "on"


def _mmap(arguments: Sequence[str], has_switches: bool) -> bool | None:
    if "--no-mmap" in arguments:
        return False
    told = _LOAD_MODES.get(_said(arguments, ("--load-mode", "-lm")) or "")
    return True if told is None and (has_switches or "--mmap" in arguments) else told
