"""What is in force at a server, as HTML: the server, and each model in memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import median

import pandas as pd

from lifecycle_widgets.keep_alive import default_text
from lifecycle_widgets.monitor import (
    OURS,
    Gpu,
    InForce,
    Request,
    Runner,
    RunnerSettings,
    Sample,
)
from lifecycle_widgets.monitor.in_force.load import cores_taken, rss_of
from lifecycle_widgets.runs import clock_text, counted, seconds_text
from lifecycle_widgets.server import Resident, same_name
from lifecycle_widgets.widgets.formats import escaped, residency_text, size_text
from lifecycle_widgets.widgets.still.sheet import Sheet

_NOTHING = "–"
_MINUTE_S = 60.0
_TITLES = (
    "model", "process", "stays", "RAM", "VRAM", "CPU", "processor", "context",
    "engine and settings",
)  # fmt: skip


def in_force_html(url: str, samples: Sequence[Sample], requests: Sequence[Request] = ()) -> str:
    """The server in a few lines, and a table of its models; everything is escaped.

    Parameters
    ----------
    url:
        The server's address.
    samples, requests:
        A monitor's, in order of time.
    """
    if not samples:
        return f'<p class="lw-muted">Nothing is known of {escaped(url)} yet.</p>'
    last, cores = samples[-1], cores_taken(samples)
    facts = "".join(_fact(*line) for line in _lines(url, last, cores, requests))
    return f'<dl class="lw-facts">{facts}</dl>{_models_html(last, cores)}'


def in_force_on(
    sheet: Sheet, url: str, samples: Sequence[Sample], requests: Sequence[Request] = ()
) -> None:
    """The same on paper."""
    if not samples:
        sheet.say(f"Nothing is known of {url} yet.")
        return
    last, cores = samples[-1], cores_taken(samples)
    sheet.items(f"{name}: {text}" for name, text in _lines(url, last, cores, requests))
    sheet.table(pd.DataFrame(model_rows(last, cores), columns=list(_TITLES)))


def _lines(
    url: str, last: Sample, cores: Mapping[int, float], requests: Sequence[Request]
) -> list[tuple[str, str]]:
    """Names and texts of what is known of the server."""
    lines = server_lines(url, last)
    asked = "" if last.error else _asked(requests, last)
    lines += [("its processes", _taken(last, cores)), ("requests", asked)]
    lines += [(f"GPU {gpu.index}", _gpu(gpu)) for gpu in last.gpus]
    return [(name, text) for name, text in lines if text]


def _fact(name: str, text: str) -> str:
    lines = "".join(f"<span>{escaped(line)}</span>" for line in text.splitlines())
    return f'<dt>{escaped(name)}</dt><dd class="lw-lines">{lines}</dd>'


# --- the server ----------------------------------------------------------------------------------


def server_lines(url: str, last: Sample) -> list[tuple[str, str]]:
    """What is known of the server: names and texts, empty for what is not to be said.

    Examples
    --------
    >>> server_lines("http://localhost:11434", sample)[0]  # doctest: +SKIP
    ('Ollama', '0.34.0 at http://localhost:11434, process 812, for 3 h')
    """
    now = last.in_force or InForce()
    return [
        ("Ollama", _who(url, now)),
        ("does not answer", last.error or ""),
        ("default keep_alive", default_text(now.default_keep_alive_s, now.default_keep_alive_from)),
        (f"variables of its {now.environment_from}", _variables(now)),
        ("not seen", now.unseen or ""),
        ("models in memory", last.not_told or ""),
    ]


def _who(url: str, now: InForce) -> str:
    parts = [f"{now.version or 'version not told'} at {url}"]
    if now.pid is not None:
        parts.append(f"process {now.pid}")
    if now.started_at is not None:
        parts.append(
            f"running for {_about(now.uptime_s or 0.0)}, since {clock_text(now.started_at)}"
        )
    if now.restarts:
        parts.append(f"restarted {counted(now.restarts, 'time')} while it was watched")
    return ", ".join(parts)


def _about(seconds: float) -> str:
    """A time that has gone by, in words that change once a minute.

    Examples
    --------
    >>> [_about(s) for s in (20, 60, 3_700, 90_000)]
    ['less than 1 min', '1 min', '1 h 1 min', '1 d 1 h']
    """
    minutes = int(seconds // 60)
    if minutes < 60:
        return f"{minutes} min" if minutes else "less than 1 min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60} min" if hours < 24 else f"{hours // 24} d {hours % 24} h"


def _variables(now: InForce) -> str:
    if now.environment is None:
        return ""
    said = [f"{name}={value}" for name, value in now.environment.items()]
    return "\n".join(said) or "none of Ollama's variables: its own defaults"


def _taken(last: Sample, cores: Mapping[int, float]) -> str:
    if last.runners is None:
        return ""
    pid = last.in_force.pid if last.in_force is not None else None
    own_bytes = rss_of(pid) if pid is not None else None
    own = f"Ollama itself {size_text(own_bytes)}" if own_bytes is not None else ""
    held = sum(runner.rss_bytes for runner in last.runners)
    busy = f" and {sum(cores.values()):.1f} cores" if cores else ""
    many = counted(len(last.runners), "runner")
    return ", ".join(
        filter(None, [own, f"{many} with {size_text(held)} RAM{busy}" if held else ""])
    )


def _asked(requests: Sequence[Request], last: Sample) -> str:
    """What has ended in the last minute, and what goes on; not what asked a model for nothing."""
    work = [r for r in requests if r.is_work]
    ended = [r for r in work if r.ended_s is not None and last.t_s - r.ended_s <= _MINUTE_S]
    going_on = sum(r.count for r in work if r.ended_s is None)
    times = sorted(r.total_s for r in ended if r.total_s is not None)
    ours = sum(r.count for r in ended if r.whose == OURS)
    statuses = Counter(r.status // 100 for r in ended if r.status is not None)
    parts = [f"{sum(r.count for r in ended)} in the last minute"]
    parts += [f"{ours} of them ours"] if ours else []
    parts += [f"{many} × {hundreds}xx" for hundreds, many in sorted(statuses.items())]
    parts += [f"median {seconds_text(median(times))}"] if times else []
    parts += [f"slowest {seconds_text(times[-1])}"] if len(times) > 1 else []
    parts += [f"{going_on} going on"] if going_on else []
    return ", ".join(parts)


def _gpu(gpu: Gpu) -> str:
    parts = (
        gpu.name,
        "" if gpu.utilization is None else f"{gpu.utilization:.0%} busy",
        _memory(gpu),
        "" if gpu.power_w is None else f"{gpu.power_w:.0f} W",
        "" if gpu.temperature_c is None else f"{gpu.temperature_c:.0f} °C",
        "" if gpu.clock_mhz is None else f"{gpu.clock_mhz:,.0f} MHz",
    )
    return ", ".join(part for part in parts if part)


def _memory(gpu: Gpu) -> str:
    used, total = gpu.memory_used_bytes, gpu.memory_total_bytes
    whose = "main memory" if gpu.is_integrated else "VRAM"
    if used is None:
        return "" if total is None else f"{size_text(total)} {whose} (how much is used: not told)"
    return f"{size_text(used)}{'' if total is None else f' of {size_text(total)}'} {whose}"


# --- the models ----------------------------------------------------------------------------------


def _models_html(last: Sample, cores: Mapping[int, float]) -> str:
    rows = model_rows(last, cores)
    is_said = last.in_force is not None and last.in_force.unseen == last.unseen
    note = f'<p class="lw-muted">{escaped(last.unseen)}</p>' if last.unseen and not is_said else ""
    if not rows:
        nothing = "No model is in memory." if last.residents is not None else ""
        return f'<p class="lw-muted">{nothing}</p>{note}'
    head = "".join(f"<th scope='col'>{title}</th>" for title in _TITLES)
    hints = [runner.options or "" for runner in last.runners or ()] + [""] * len(rows)
    body = "".join(map(_row_html, rows, hints))
    return (
        f"<div class='lw-table'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
        f"</table></div>{note}"
    )


def _row_html(row: Sequence[str], hint: str) -> str:
    """One row; a pointer on it shows the rest of the runner's command line."""
    cells = "".join(f"<td>{escaped(text)}</td>" for text in row)
    return f'<tr title="{escaped(hint)}">{cells}</tr>' if hint else f"<tr>{cells}</tr>"


def model_rows(last: Sample, cores: Mapping[int, float]) -> list[tuple[str, ...]]:
    """A row for each model that is in memory or loads, under ``_TITLES``.

    Parameters
    ----------
    cores:
        How many cores each runner takes, by process (`cores_taken`).
    """
    residents, runners = list(last.residents or ()), list(last.runners or ())
    rows = []
    for runner in runners:
        resident = _of(runner, residents)
        rows.append(_row(resident, runner, cores.get(runner.pid)))
        residents = [one for one in residents if one is not resident]
    return rows + [_row(resident, None, None) for resident in residents]


def _of(runner: Runner, residents: Iterable[Resident]) -> Resident | None:
    if runner.model is None:
        return None
    return next((one for one in residents if same_name(one.name, runner.model)), None)


def _row(resident: Resident | None, runner: Runner | None, cores: float | None) -> tuple[str, ...]:
    settings = (runner.settings if runner is not None else None) or RunnerSettings()
    name = resident.name if resident is not None else (runner.model if runner is not None else None)
    return (
        name or "a model whose name is not known",
        _NOTHING if runner is None else str(runner.pid),
        residency_text(resident).removeprefix("in memory").strip(", ") if resident else "loads",
        _ram(resident, runner),
        _vram(resident, runner),
        _NOTHING if cores is None else f"{cores:.1f} cores",
        _processor(resident),
        _context(settings, resident),
        settings_text(settings),
    )


def settings_text(settings: RunnerSettings) -> str:
    """What a runner's command line says of it, in short.

    Examples
    --------
    >>> settings_text(RunnerSettings(engine="llama-server", batch=512, ubatch=512, mmap=False))
    'llama-server, batch 512, no mmap'
    """
    batch, ubatch = settings.batch, settings.ubatch
    kinds = dict.fromkeys(k for k in (settings.kv_type_k, settings.kv_type_v) if k)
    layers = {None: "", -1: "all layers on GPUs", 0: "no layers on GPUs"}.get(
        settings.gpu_layers, f"{settings.gpu_layers} layers on GPUs"
    )
    parts = (
        settings.engine or "",
        ""
        if batch is None
        else f"batch {batch}" + ("" if ubatch in (None, batch) else f"/{ubatch}"),
        "" if settings.flash_attention is None else f"flash attention {settings.flash_attention}",
        f"KV cache {'/'.join(kinds)}" if kinds else "",
        layers,
        {None: "", True: "mmap", False: "no mmap"}[settings.mmap],
        "" if settings.threads is None else counted(settings.threads, "thread"),
    )
    return ", ".join(part for part in parts if part) or _NOTHING


def _context(settings: RunnerSettings, resident: Resident | None) -> str:
    """Tokens for each request: Ollama gives a runner as many for each that it serves at once."""
    whole, at_once = settings.context_length, settings.parallel or 1
    if whole is None:
        told = resident.context_length if resident is not None else None
        return _NOTHING if told is None else f"{told:,}"
    return f"{whole:,}" if at_once == 1 else f"{at_once} × {whole // at_once:,}"


def _processor(resident: Resident | None) -> str:
    """As ``ollama ps`` says it."""
    size, vram = (resident.size_bytes, resident.size_vram_bytes) if resident else (None, None)
    if not size or vram is None or vram > size:
        return _NOTHING
    cpu = round((size - vram) / size * 100)
    return {0: "100% GPU", 100: "100% CPU"}.get(cpu, f"{cpu}%/{100 - cpu}% CPU/GPU")


def _ram(resident: Resident | None, runner: Runner | None) -> str:
    if runner is not None:
        return size_text(runner.rss_bytes)
    if resident is None or resident.size_bytes is None:
        return _NOTHING
    return f"{size_text(resident.size_bytes - (resident.size_vram_bytes or 0))} by Ollama"


def _vram(resident: Resident | None, runner: Runner | None) -> str:
    if runner is not None and runner.vram_bytes is not None:
        cards = ", ".join(map(str, runner.cards))
        return f"{size_text(runner.vram_bytes)} on GPU {cards}"
    told = resident.size_vram_bytes if resident is not None else None
    if told is None:
        return _NOTHING
    return f"{size_text(told)} by Ollama" if told else "0"
