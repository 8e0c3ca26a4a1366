"""Whether the next load would exceed memory, and what of a model is not on the card."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from lifecycle_widgets.doctor.diagnosis import GOOD, NOTE, WARNING, Diagnosis, unseen
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.facts.versions import Holds
from lifecycle_widgets.monitor import Sample
from lifecycle_widgets.runs import counted, size_text
from lifecycle_widgets.server import Model, Resident, full_name

_NEXT, _CARD = "memory of the next load", "partly on the card"
_MOST_LINES = 8
_UNCHECKED = Holds(since="0.30.0")  # before, a load that does not fit into RAM was refused
_FACT = "three models by default"


def next_load(seen: Seen) -> Iterator[Diagnosis]:
    """Installed models that would not fit into main memory beside what is there."""
    sample = seen.latest
    if seen.models is None:
        yield unseen(_NEXT, "what installed models take", seen.why_not("models"))
        return
    if sample is None or sample.runners is None:
        yield unseen(_NEXT, "the memory of the server's machine", seen.why_not("runners"))
        return
    if sample.ram_total_bytes is None or sample.ram_used_bytes is None:
        yield unseen(_NEXT, "how much memory is left", " ".join(sample.faults) or "It is not told.")
        return
    on_cards = _free_on_cards(sample)
    if on_cards is None:
        yield unseen(_NEXT, "how much memory is left", "The GPU does not tell what is used of it.")
        return
    free_bytes = max(0, sample.ram_total_bytes - sample.ram_used_bytes) + on_cards
    leaves = _leaves_bytes(sample)
    too_large = [
        (needed, model)
        for model in seen.models
        if not any(seen.is_one_model(r.name, model.name) for r in sample.residents or ())
        and (needed := _needed_bytes(seen, model)) is not None
        and needed > free_bytes + leaves
    ]
    if too_large:
        yield _does_not_fit(seen, sample, sorted(too_large, key=lambda p: p[0]), free_bytes, leaves)
    else:
        yield Diagnosis(_NEXT, f"{size_text(free_bytes)} of memory are free, enough for each "
                        "installed model.", severity=GOOD)  # fmt: skip


def _does_not_fit(
    seen: Seen, sample: Sample, too_large: list[tuple[int, Model]], free_bytes: int, leaves: int
) -> Diagnosis:
    names = [model.name for _, model in too_large]
    on_cpu = not sample.cards and sys.platform != "darwin"
    unchecked = on_cpu and _UNCHECKED.holds_in(seen.version)
    whose = f"{sample.ram_of} and its GPUs" if sample.cards else sample.ram_of
    used = _used(seen)
    lines = [_line(seen, needed, model) for needed, model in too_large[:_MOST_LINES]]
    if len(too_large) > _MOST_LINES:
        lines.append(f"and {len(too_large) - _MOST_LINES} larger ones")
    room = f"{size_text(free_bytes)} of memory of {whose} free"
    lines.insert(0, f"{room}; {size_text(leaves)} more when a model leaves" if leaves else room)
    happens = (
        "Ollama loads it all the same: the machine swaps, or a process is killed."
        if unchecked
        else "Ollama then has others leave, or refuses."
    )
    return Diagnosis(
        _NEXT,
        f"{_enumerated(names)} would not fit into memory as it is now. {happens}",
        tuple(lines),
        "Unload what is not needed first, choose a smaller model or a smaller num_ctx, or set "
        "OLLAMA_MAX_LOADED_MODELS lower.",
        WARNING if any(full_name(name).lower() in used for name in names) else NOTE,
        (_FACT,) if unchecked else (),
    )


def _line(seen: Seen, needed: int, model: Model) -> str:
    measured = model.name in seen.taken_bytes
    how = "as measured here before" if measured else "at least: its weights"
    return f"{model.name} needs {size_text(needed)} ({how})"


def _enumerated(names: list[str]) -> str:
    if len(names) <= 3:
        return " and ".join(names)
    return f"{names[0]} and {counted(len(names) - 1, 'other model')}"


def _needed_bytes(seen: Seen, model: Model) -> int | None:
    """At least: what a runner of it has taken here, else its weights."""
    if model.is_cloud:
        return None
    return seen.taken_bytes.get(model.name) or model.size_bytes


def _leaves_bytes(sample: Sample) -> int:
    """What the largest model in memory gives back, where one has to leave for the next."""
    listed = sample.residents or ()
    most = sample.most_models or 3
    if len(listed) < most:
        return 0
    return max((runner.rss_bytes for runner in sample.runners or ()), default=0)


def _free_on_cards(sample: Sample) -> int | None:
    """What is free on the GPUs together; None where that is not told."""
    free = 0
    for gpu in sample.cards:
        if gpu.memory_total_bytes is None or gpu.memory_used_bytes is None:
            return None
        free += gpu.memory_total_bytes - gpu.memory_used_bytes
    return free


def _used(seen: Seen) -> set[str]:
    """Who was in memory, or asked, in the time that was looked at."""
    stays = (*(seen.stays_before or ()), *seen.stays)
    return {full_name(stay.model).lower() for stay in stays if stay.model}


# --- the card ------------------------------------------------------------------------------------


def partly_on_the_card(seen: Seen) -> Iterator[Diagnosis]:
    """Models of which a part computes on the CPU though there is a GPU."""
    if seen.residents is None:
        yield unseen(_CARD, "what is on GPUs", seen.why_not("residents"))
        return
    parts = [r for r in seen.residents if _is_split(r)]
    yield from map(_split, parts)
    yield from _not_at_all(seen)
    if not parts:
        yield Diagnosis(_CARD, "No model is split between a GPU and main memory.", severity=GOOD)


def _is_split(one: Resident) -> bool:
    return bool(one.size_bytes and one.size_vram_bytes and one.size_vram_bytes < one.size_bytes)


def _split(one: Resident) -> Diagnosis:
    assert one.size_bytes is not None
    assert one.size_vram_bytes is not None
    share = one.size_vram_bytes / one.size_bytes
    return Diagnosis(
        _CARD,
        f"{one.name} is on the GPU to {share:.0%} only; the rest computes on the CPU, which is "
        "what its speed goes by.",
        (f"/api/ps: size {size_text(one.size_bytes)}, size_vram {size_text(one.size_vram_bytes)}"
         + (f", context {one.context_length:,}" if one.context_length else ""),),
        "Ask for a smaller num_ctx, choose a smaller quantization, keep the context in fewer bits "
        "(OLLAMA_KV_CACHE_TYPE=q8_0), or unload what else is on the card, and load it anew.",
        WARNING,
        ("size is weights and buffers",),
    )  # fmt: skip


def _not_at_all(seen: Seen) -> Iterator[Diagnosis]:
    sample = seen.latest
    if sample is None or not sample.cards or sample.runners is None:
        return  # without its processes the GPUs may be those of another machine
    for one in seen.residents or ():
        if one.size_vram_bytes == 0:
            names = ", ".join(gpu.name or f"GPU {gpu.index}" for gpu in sample.cards)
            yield Diagnosis(
                _CARD,
                f"{one.name} is not on the GPU at all, though this machine has one.",
                ("/api/ps: size_vram 0", f"GPUs: {names}"),
                "See whether Ollama found the GPU (its log, at the start: inference compute), and "
                "whether num_gpu 0 or CUDA_VISIBLE_DEVICES keeps it off.",
                WARNING,
                ("size is weights and buffers",),
            )
