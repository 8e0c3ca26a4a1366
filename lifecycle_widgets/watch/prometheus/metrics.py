"""Metrics for Prometheus: what is so now, and what it came to since the watch began."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from lifecycle_widgets.monitor import Sample
from lifecycle_widgets.server import Resident
from lifecycle_widgets.watch.news.tally import Tally
from lifecycle_widgets.watch.prometheus.machine_metrics import machine_metrics
from lifecycle_widgets.watch.watching import Watching

_MODEL = ("server", "model")


def registry(watching: Sequence[Watching]) -> CollectorRegistry:
    """What Prometheus reads; nothing is asked of a server for it."""
    made = CollectorRegistry(auto_describe=False)
    made.register(_Metrics(watching))
    return made


class _Metrics(Collector):
    """Read anew at each scrape."""

    def __init__(self, watching: Sequence[Watching]) -> None:
        self._watching = watching

    def collect(self) -> Iterable[Metric]:
        latest = {one.name: one.monitor.latest for one in self._watching}
        tallies = {one.name: one.tally for one in self._watching}
        return metrics({name: s for name, s in latest.items() if s is not None}, tallies)


def metrics(samples: Mapping[str, Sample], tallies: Mapping[str, Tally]) -> Iterator[Metric]:
    """All metrics. What is not told is absent, never 0.

    Parameters
    ----------
    samples:
        The last sample of each server, by the server's name.
    tallies:
        What each has come to.
    """
    yield from _servers(samples)
    yield from _models(samples)
    yield from _runners(samples)
    yield from _counts(tallies)
    if samples:
        yield from machine_metrics(max(samples.values(), key=lambda sample: sample.t_s))


_Samples = Mapping[str, Sample]


def _servers(samples: _Samples) -> Iterator[Metric]:
    up = GaugeMetricFamily("lifecycle_ollama_up", "1: it answers.", labels=["server"])
    seen = GaugeMetricFamily(
        "lifecycle_ollama_sample_timestamp_seconds", "When it was looked at.", labels=["server"]
    )
    info = InfoMetricFamily("lifecycle_ollama", "The version that answers.", labels=["server"])
    started = GaugeMetricFamily(
        "lifecycle_ollama_start_time_seconds", "Since when its process runs.", labels=["server"]
    )
    for name, sample in samples.items():
        up.add_metric([name], 0 if sample.error is not None else 1)
        seen.add_metric([name], sample.at.timestamp())
        if sample.in_force is not None and sample.in_force.version:
            info.add_metric([name], {"version": sample.in_force.version})
        if sample.in_force is not None and sample.in_force.started_at is not None:
            started.add_metric([name], sample.in_force.started_at.timestamp())
    return _with_values(up, seen, info, started)


# --- models in memory -----------------------------------------------------------------------------


def _models(samples: _Samples) -> Iterator[Metric]:
    wanted: Mapping[str, tuple[str, Callable[[Resident], float | None]]] = {
        "resident_bytes": ("What Ollama counts for the model.", lambda r: r.size_bytes),
        "vram_bytes": ("The part of it on GPUs, as Ollama tells.", lambda r: r.size_vram_bytes),
        "expires_timestamp_seconds": ("When it leaves, unless it is asked again.", _expires),
        "context_tokens": ("The length of its context.", lambda r: r.context_length),
    }
    told = [(s, r) for s, sample in samples.items() for r in sample.residents or ()]
    for name, (help_, read) in wanted.items():
        family = GaugeMetricFamily(f"lifecycle_ollama_model_{name}", help_, labels=_MODEL)
        for server, resident in told:
            _put(family, [server, resident.name], read(resident))
        yield from _with_values(family)


def _expires(resident: Resident) -> float | None:
    if resident.is_forever:
        return math.inf
    return None if resident.expires_at is None else resident.expires_at.timestamp()


def _runners(samples: _Samples) -> Iterator[Metric]:
    """Of the processes that hold the models, where they can be seen."""
    labels = (*_MODEL, "pid")
    memory = GaugeMetricFamily(
        "lifecycle_ollama_runner_memory_bytes", "What the runner's process has.", labels=labels
    )
    vram = GaugeMetricFamily(
        "lifecycle_ollama_runner_vram_bytes", "What it has on GPUs.", labels=labels
    )
    cpu = CounterMetricFamily(
        "lifecycle_ollama_runner_cpu_seconds", "CPU time that it has taken.", labels=labels
    )
    for server, sample in samples.items():
        for runner in sample.runners or ():
            which = [server, runner.model or "", str(runner.pid)]
            _put(memory, which, runner.rss_bytes)
            _put(vram, which, runner.vram_bytes)
            _put(cpu, which, runner.cpu_s)
    return _with_values(memory, vram, cpu)


# --- since the watch began ------------------------------------------------------------------------


def _counts(tallies: Mapping[str, Tally]) -> Iterator[Metric]:
    whose, why = (*_MODEL, "whose"), (*_MODEL, "why")
    families = {
        "requests": CounterMetricFamily(
            "lifecycle_ollama_requests", "Requests that have ended, at least.", labels=whose
        ),
        "request_s": CounterMetricFamily(
            "lifecycle_ollama_request_seconds", "The time that they took.", labels=whose
        ),
        "loads": CounterMetricFamily("lifecycle_ollama_loads", "Loads.", labels=_MODEL),
        "load_s": CounterMetricFamily(
            "lifecycle_ollama_load_seconds", "The time that they took.", labels=_MODEL
        ),
        "unloads": CounterMetricFamily(
            "lifecycle_ollama_unloads", "Models that left, and why.", labels=why
        ),
    }
    for server, tally in tallies.items():
        with tally.lock:
            for name, family in families.items():
                for key, value in getattr(tally, name).items():
                    parts = [key] if isinstance(key, str) else key
                    family.add_metric([server, *parts], value)
    return _with_values(*families.values())


def _put(family: Metric, labels: Sequence[str], value: float | None) -> None:
    if value is not None and not math.isnan(value):
        family.add_metric(labels, value)  # type: ignore[attr-defined]


def _with_values(*families: Metric) -> Iterator[Metric]:
    return (family for family in families if family.samples)
