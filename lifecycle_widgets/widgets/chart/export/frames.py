"""What is in view as tables: a row per sample, and a row per request; units in the names."""

from __future__ import annotations

import pandas as pd

from lifecycle_widgets.widgets.chart.scene import Scene
from lifecycle_widgets.widgets.chart.series import columns

_NAMES = {
    "ram": "ram_used_bytes",
    "cpu": "cpu_fraction",
    "cache": "page_cache_bytes",
    "swap": "swap_used_bytes",
    "disk": "disk_read_bytes_per_s",
    "pressure": "pressure_fraction",
    "memory": "memory_bytes",
    "gpu": "gpu_fraction",
    "vram": "vram_used_bytes",
    "power": "gpu_power_w",
    "heat": "gpu_temperature_c",
}


def samples_frame(scene: Scene) -> pd.DataFrame:
    """A row for each sample in view: when, and each line of the chart with its unit.

    Of several models or GPUs the column's name ends with which: ``memory_bytes smollm2:135m``.
    """
    samples = [sample for sample in scene.seen if scene.start <= sample.at <= scene.end]
    made = {"at": [sample.at for sample in samples]}
    for key, values in columns(samples).items():
        kind, _, which = key.partition(":")
        made[f"{_NAMES[kind]} {which}".strip()] = values  # type: ignore[assignment]
    return pd.DataFrame(made)


def requests_frame(scene: Scene) -> pd.DataFrame:
    """A row for each request in view."""
    names = [
        *("model", "whose", "kind", "began_at", "ended_at", "total_s", "queued_s", "load_s"),
        *("prompt_eval_s", "eval_s", "ttft_s", "prompt_tokens", "output_tokens", "keep_alive_s"),
        *("count", "begin_within_s", "end_within_s", "witnesses", "status", "is_broken_off"),
    ]
    rows = [[getattr(request, name) for name in names] for request in scene.asked]
    made = pd.DataFrame(rows, columns=names)
    made["witnesses"] = [" ".join(told) for told in made["witnesses"]]
    return made
