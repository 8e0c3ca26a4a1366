"""What the chart says in words: how long a model stays, why it left, what everything costs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from lifecycle_widgets.monitor import WHYS, Loading, Request, Residency, Sample, loading
from lifecycle_widgets.runs import duration_text
from lifecycle_widgets.widgets.formats import clock_text, seconds_text, size_text

NO_ANSWER = "the server does not answer"
NO_NAME = "name not told"
NOT_TOLD = "this server does not tell what is in memory"
_ONE_BY_ONE = 3  # so many models are named in the status line
_SETTLES_S = 1.5  # a model that is about to leave is gone by then; later, it is in use


def is_untold(stay: Residency) -> bool:
    """Whether a model is in memory, and the server does not tell until when."""
    return stay.expires_at is None and not stay.is_forever and not stay.is_loading


def leaves_text(stay: Residency, now: datetime) -> str:
    """When a model that is in memory leaves it: "leaves in 23 s", "stays forever", "in use"..."""
    if stay.is_loading:
        return "loading" if stay.load_s is None else f"loading, {duration_text(stay.load_s)}"
    if stay.is_stuck:
        return "stuck: past its deadline, and does nothing"
    if stay.is_forever:
        return "stays forever"
    if stay.expires_at is None:
        return "until when is not told"
    left_s = (stay.expires_at - now).total_seconds()
    if left_s > 0:
        return f"leaves in {duration_text(left_s)}"
    # a busy model's deadline lies in the past; its clock starts again when the request has ended
    return "leaves now" if left_s > -_SETTLES_S else "in use"


def loading_text(one: Loading) -> str:
    """What is said of a load that goes on.

    Examples
    --------
    >>> noon = datetime(2026, 1, 1, 12)
    >>> loading_text(Loading("smollm2:135m", noon, 12.1, usual_s=4.2))
    'loading smollm2:135m, 12 s (usually 4 s)'
    >>> loading_text(Loading("smollm2:135m", noon, 3.4, is_seen=False))
    'loading smollm2:135m, 3 s (as a request of ours waits for it)'
    """
    more = [] if one.is_seen else ["as a request of ours waits for it"]
    if one.usual_s is not None:
        more.append(f"usually {duration_text(one.usual_s)}")
    said = f"loading {one.model or NO_NAME}, {duration_text(one.for_s)}"
    return f"{said} ({'; '.join(more)})" if more else said


def end_label(stay: Residency) -> str:
    """What stands at the end of a band: why it left, in the word that `Residency` has for it."""
    return stay.why or "unknown"


def end_text(stay: Residency) -> str:
    """The whole story of a model that has left, for the hover."""
    assert stay.until is not None
    why = end_label(stay)
    held = seconds_text((stay.until - stay.since).total_seconds())
    left = f"{stay.model or NO_NAME} left at {clock_text(stay.until)}"
    return f"{left}, {why}: {WHYS[why]} (in memory for {held})"


def nothing_text(sample: Sample | None, requests: Sequence[Request] = ()) -> str:
    """What stands in the lanes where there is no band."""
    if sample is not None and sample.residents is None:
        return NO_ANSWER if sample.error else NOT_TOLD
    if loads := loading(sample, (), requests):
        return ", ".join(map(loading_text, loads))
    return "no model in memory in this time"


def status_text(
    sample: Sample | None,
    stays: Sequence[Residency],
    *,
    requests: Sequence[Request] = (),
    cost_fraction: float,
    is_elsewhere: bool = False,
) -> str:
    """The line under the chart: memory, CPU, who is in memory and for how long, and our own cost.

    Parameters
    ----------
    requests:
        What `Monitor.requests` tells: where runners cannot be seen, a load is known by them.
    cost_fraction:
        What monitor and chart take of one core, 0 to 1.
    is_elsewhere:
        True for a server on another machine: RAM and CPU are then not the server's.
    """
    if sample is None:
        return "Waiting for the first reading…"
    parts = _machine_texts(sample)
    if is_elsewhere:
        parts = [f"this machine (not the server's): {', '.join(parts)}"]
    parts += _gpu_texts(sample)
    if sample.residents is None:
        parts.append(NO_ANSWER if sample.error else NOT_TOLD)
    else:
        loads = loading(sample, stays, requests)
        parts += map(loading_text, loads[:_ONE_BY_ONE])
        held = [stay for stay in stays if stay.until is None and not stay.is_loading]
        if held or not loads:
            parts += _resident_texts(sample, held)
    # each said once, in short: what could not be seen or read
    parts += [said.rstrip(".") for said in dict.fromkeys((sample.unseen, *sample.faults)) if said]
    parts.append(f"monitor and chart cost {cost_fraction * 100:.1f} % of a core")
    return " · ".join(parts)


def _machine_texts(sample: Sample) -> list[str]:
    """RAM and CPU; where a reading failed, nothing (`Sample.faults` says it)."""
    parts = []
    if sample.ram_used_bytes is not None:
        whose = "" if sample.ram_of == "this machine" else f"{sample.ram_of}'s "
        total = "" if sample.ram_total_bytes is None else f" of {sample.ram_total_bytes / 1e9:.0f}"
        parts.append(f"{whose}RAM {sample.ram_used_bytes / 1e9:.1f}{total} GB")
    if sample.cpu_fraction is not None:
        parts.append(f"CPU {sample.cpu_fraction * 100:.0f} %")
    return parts


def _gpu_texts(sample: Sample) -> list[str]:
    parts = []
    for gpu in sample.gpus:
        used, total = gpu.memory_used_bytes, gpu.memory_total_bytes
        if used is not None:
            of = "" if total is None else f" of {total / 1e9:.0f}"
            parts.append(f"GPU {gpu.index} {used / 1e9:.1f}{of} GB")
        elif gpu.utilization is None and not gpu.is_integrated:
            parts.append(f"GPU {gpu.index} tells nothing")
    return parts


def _resident_texts(sample: Sample, resident: Sequence[Residency]) -> list[str]:
    """Each model with its size and how long it stays; many of them in one sum."""
    if not resident:
        return ["no model in memory"]
    if len(resident) <= _ONE_BY_ONE:
        return [_resident_text(stay, sample) for stay in resident]
    sizes = [_held_bytes(stay.model, sample) for stay in resident]
    known = [size for size in sizes if size is not None]
    about = "" if len(known) == len(sizes) else "at least "
    size = f", {about}{size_text(sum(known))}" if known else ", size not told"
    return [f"{len(resident)} models in memory{size}; {_next_text(resident, sample.at)}"]


def _next_text(resident: Sequence[Residency], now: datetime) -> str:
    """When the first of many models leaves."""
    left_s = [(s.expires_at - now).total_seconds() for s in resident if s.expires_at is not None]
    ahead = [seconds for seconds in left_s if seconds > 0]
    if ahead:
        return f"next leaves in {duration_text(min(ahead))}"
    if all(stay.is_forever for stay in resident):
        return "all stay forever"
    return "until when is not told" if any(map(is_untold, resident)) else "in use"


def _resident_text(stay: Residency, sample: Sample) -> str:
    held, size = _held_bytes(stay.model, sample), ""
    if sample.runners is None:
        size = f" ({size_text(held)}{_on_cards(stay.model, sample, 'of it ')})"
    elif held is not None:  # else it has not been found yet, or has just gone
        size = f" (runner {size_text(held)}{_on_cards(stay.model, sample, 'and ')})"
    leaves = leaves_text(stay, sample.at)
    if is_untold(stay):
        leaves = f"in memory, {leaves}"
    return f"{stay.model or NO_NAME}{size} {leaves}"


def _on_cards(model: str, sample: Sample, how: str) -> str:
    """What Ollama has of it on GPUs: part of the size that it tells, beside a runner's RSS."""
    vram = next((r.size_vram_bytes for r in sample.residents or () if r.name == model), None)
    return f", {how}{size_text(vram)} on the GPU" if vram else ""


def _held_bytes(model: str, sample: Sample) -> float | None:
    """What a model holds: what was seen of its runners, else what Ollama tells."""
    if sample.runners is not None:
        held = [runner.rss_bytes for runner in sample.runners if runner.model == model]
        return sum(held) if held else None
    told = [r.size_bytes for r in sample.residents or () if r.name == model]
    return next((size for size in told if size is not None), None)
