"""The metrics, as Prometheus' own parser reads them; what is not told is absent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timezone

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from lifecycle_widgets.monitor import Gpu, InForce, Machine, Request, Residency, Runner, Sample
from lifecycle_widgets.server import Resident
from lifecycle_widgets.watch.news.news import RequestNews, StayNews
from lifecycle_widgets.watch.news.tally import Tally
from lifecycle_widgets.watch.prometheus.metrics import metrics

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
FOREVER = NOON.replace(year=2300)
NOTHING = Sample(NOON, 1.0, None, None, None, None, (), None, "Refused.")
FULL = Sample(
    NOON, 2.0, 8, 16, 0.5, (Runner(7, 150, 'odd"name:latest', cpu_s=2.5, vram_bytes=90),),
    (Gpu(0, "A card", 0.25, None, 100, power_w=70.5, temperature_c=41, clock_mhz=1410),),
    (Resident('odd"name:latest', 140, 0, NOON), Resident("b:latest", None, None, FOREVER)),
    cpu_of_others=0.0,
    machine=Machine(page_cache_bytes=3, memory_pressure=0.0),
    in_force=InForce("0.33.0", 1, NOON),
)  # fmt: skip


def tally() -> Tally:
    made, later = Tally(), NOON.replace(second=2)
    made.add(RequestNews(NOON, Request("a", NOON, later, 5.0, 7.0, count=2)))
    made.add(RequestNews(NOON, Request("a", None, later, None, 9.0)))
    stay = Residency("a", NOON, later, "expired", None, False, load_s=0.5)
    made.add(StayNews(NOON, "loading", stay))
    made.add(StayNews(NOON, "loaded", stay))
    made.add(StayNews(NOON, "left", stay))
    return made


class Some(Collector):
    def __init__(self, found: Iterable[Metric]) -> None:
        self.found = list(found)

    def collect(self) -> Iterable[Metric]:
        return self.found


def read(samples: dict[str, Sample], tallies: dict[str, Tally]) -> dict[str, dict[str, float]]:
    """By name, then by the labels' values, joined."""
    registry = CollectorRegistry()
    registry.register(Some(metrics(samples, tallies)))
    text = generate_latest(registry).decode()
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(text):
        assert family.documentation
        for one in family.samples:
            found.setdefault(one.name, {})[" ".join(one.labels.values())] = one.value
    return found


def by_labels(values: dict[str, float]) -> dict[frozenset[str], float]:
    return {frozenset(labels.split()): value for labels, value in values.items()}


def test_a_server_that_tells_nothing_has_only_that_it_is_not_up() -> None:
    assert read({"home": NOTHING}, {"home": Tally()}) == {
        "lifecycle_ollama_up": {"home": 0.0},
        "lifecycle_ollama_sample_timestamp_seconds": {"home": NOON.timestamp()},
    }
    assert read({}, {"home": Tally()}) == {}


def test_what_is_told_is_there() -> None:
    found = read({"home": FULL, "away": NOTHING}, {"home": tally(), "away": Tally()})
    assert found["lifecycle_ollama_up"] == {"home": 1.0, "away": 0.0}
    assert by_labels(found["lifecycle_ollama_info"]) == {frozenset({"home", "0.33.0"}): 1.0}
    odd, b = frozenset({"home", 'odd"name:latest'}), frozenset({"home", "b:latest"})
    assert by_labels(found["lifecycle_ollama_model_resident_bytes"]) == {odd: 140.0}
    assert by_labels(found["lifecycle_ollama_model_vram_bytes"]) == {odd: 0.0}  # told: none of it
    expires = by_labels(found["lifecycle_ollama_model_expires_timestamp_seconds"])
    assert expires == {odd: NOON.timestamp(), b: math.inf}
    assert list(found["lifecycle_ollama_runner_memory_bytes"].values()) == [150.0]
    assert list(found["lifecycle_ollama_runner_cpu_seconds_total"].values()) == [2.5]
    assert found["lifecycle_machine_memory_used_bytes"] == {"": 8.0}
    assert found["lifecycle_machine_cpu_others_ratio"] == {"": 0.0}
    assert found["lifecycle_machine_pressure_ratio"] == {"memory": 0.0}
    assert list(found["lifecycle_gpu_power_watts"].values()) == [70.5]
    assert list(found["lifecycle_gpu_clock_hertz"].values()) == [1.41e9]
    assert "lifecycle_gpu_memory_used_bytes" not in found
    assert "lifecycle_machine_swap_bytes" not in found


def test_counters_count_what_is_told() -> None:
    found = read({}, {"home": tally()})
    assert by_labels(found["lifecycle_ollama_requests_total"]) == {
        frozenset({"home", "a", "another", "client"}): 3.0
    }
    assert list(found["lifecycle_ollama_request_seconds_total"].values()) == [2.0]
    assert list(found["lifecycle_ollama_loads_total"].values()) == [1.0]
    assert list(found["lifecycle_ollama_load_seconds_total"].values()) == [0.5]
    assert by_labels(found["lifecycle_ollama_unloads_total"]) == {
        frozenset({"home", "a", "expired"}): 1.0
    }


def test_names_are_as_prometheus_wants_them() -> None:
    """Base units at the end (or the kind of what is counted), and ours in front."""
    ends = (
        "_bytes", "_seconds", "_total", "_ratio", "_celsius", "_watts", "_info", "_up", "_tokens",
        "_per_second", "_hertz",
    )  # fmt: skip
    for name in read({"home": FULL}, {"home": tally()}):
        assert name.startswith(("lifecycle_ollama_", "lifecycle_machine_", "lifecycle_gpu_"))
        assert name.endswith(ends)
