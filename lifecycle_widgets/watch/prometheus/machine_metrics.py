"""The metrics of this machine: memory, CPU, pressure, swap, disks, GPUs."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from lifecycle_widgets.monitor import Gpu, Sample

_GPU = ("gpu", "name")


def machine_metrics(sample: Sample) -> Iterator[Metric]:
    """What a sample has of the machine; what is not told is absent."""
    machine = sample.machine
    plain = {
        "memory_used_bytes": (f"Memory in use of {sample.ram_of}.", sample.ram_used_bytes),
        "memory_bytes": (f"Memory of {sample.ram_of}.", sample.ram_total_bytes),
        "page_cache_bytes": ("Files that the kernel keeps in memory.", machine.page_cache_bytes),
        "swap_used_bytes": ("Swap space in use.", machine.swap_used_bytes),
        "swap_bytes": ("Swap space.", machine.swap_total_bytes),
        "swap_in_bytes_per_second": ("Read back from swap.", machine.swapped_in_bytes_per_s),
        "disk_read_bytes_per_second": ("Read from disks.", machine.disk_read_bytes_per_s),
        "cpu_busy_ratio": ("How busy all cores together are.", sample.cpu_fraction),
        "cpu_others_ratio": ("The part of it that is not Ollama's.", sample.cpu_of_others),
    }
    for name, (help_, value) in plain.items():
        if value is not None:
            yield GaugeMetricFamily(f"lifecycle_machine_{name}", help_, value=value)
    yield from _pressure(sample)
    yield from _gpus(sample.gpus)


def _pressure(sample: Sample) -> Iterator[Metric]:
    machine = sample.machine
    family = GaugeMetricFamily(
        "lifecycle_machine_pressure_ratio",
        "The share of the time in which some process waited for it.",
        labels=["resource"],
    )
    told = {
        "cpu": machine.cpu_pressure,
        "memory": machine.memory_pressure,
        "io": machine.io_pressure,
    }
    for resource, value in told.items():
        if value is not None:
            family.add_metric([resource], value)
    if family.samples:
        yield family


def _gpus(gpus: tuple[Gpu, ...]) -> Iterator[Metric]:
    wanted = {
        "utilization_ratio": ("How busy the card is.", "utilization", 1),
        "memory_used_bytes": ("Memory of the card in use.", "memory_used_bytes", 1),
        "memory_bytes": ("Memory of the card.", "memory_total_bytes", 1),
        "power_watts": ("What the card draws.", "power_w", 1),
        "temperature_celsius": ("How warm the card is.", "temperature_c", 1),
        "clock_hertz": ("How fast the card computes.", "clock_mhz", 1e6),
    }
    for name, (help_, told, factor) in wanted.items():
        family = GaugeMetricFamily(f"lifecycle_gpu_{name}", help_, labels=_GPU)
        for gpu in gpus:
            value = getattr(gpu, told)
            if value is not None:
                family.add_metric([str(gpu.index), gpu.name], value * factor)
        if family.samples:
            yield family
