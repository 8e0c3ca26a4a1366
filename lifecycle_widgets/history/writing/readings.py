"""What was sampled of the machine, in bins of ten seconds, five minutes and an hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lifecycle_widgets.history.file.book import Book
from lifecycle_widgets.history.file.rows import US, time_us
from lifecycle_widgets.monitor import Gpu, Sample

WIDTHS_S = (10, 300, 3600)
"""The fine ones are kept for `FINE_DAYS`, the others as long as all else."""

FINE_DAYS = 2

_MOST = ("ram_used", "ram_total", "page_cache", "swap_used", "swap_total")
_MEAN = (
    "cpu",
    "cpu_of_others",
    "swapped_in",
    "disk_read",
    "cpu_pressure",
    "memory_pressure",
    "io_pressure",
)
_CARD_MOST = ("memory_used", "memory_total", "temperature")
_CARD_MEAN = ("utilization", "power")


@dataclass
class Values:
    """What some samples come to: of what is memory the most, of the rest the mean."""

    samples: int = 0
    most: dict[str, float] = field(default_factory=dict)
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)

    def see(self, most: dict[str, float | None], means: dict[str, float | None]) -> None:
        self.samples += 1
        for name, value in most.items():
            if value is not None and value >= self.most.get(name, 0):
                self.most[name] = value
        for name, value in means.items():
            if value is not None:
                total, count = self.sums.get(name, (0.0, 0))
                self.sums[name] = total + value, count + 1

    def mean(self, name: str) -> float | None:
        total, count = self.sums.get(name, (0.0, 0))
        return total / count if count else None


@dataclass
class Bin:
    """Ten seconds of samples."""

    machine: Values = field(default_factory=Values)
    memory: dict[str, tuple[int | None, int | None]] = field(default_factory=dict)
    cards: dict[int, tuple[str, Values]] = field(default_factory=dict)

    def see(self, sample: Sample) -> None:
        machine = sample.machine
        self.machine.see(
            {
                "ram_used": sample.ram_used_bytes,
                "ram_total": sample.ram_total_bytes,
                "page_cache": machine.page_cache_bytes,
                "swap_used": machine.swap_used_bytes,
                "swap_total": machine.swap_total_bytes,
            },
            {
                "cpu": sample.cpu_fraction,
                "cpu_of_others": sample.cpu_of_others,
                "swapped_in": machine.swapped_in_bytes_per_s,
                "disk_read": machine.disk_read_bytes_per_s,
                "cpu_pressure": machine.cpu_pressure,
                "memory_pressure": machine.memory_pressure,
                "io_pressure": machine.io_pressure,
            },
        )
        for model, size, vram in _in_memory(sample):
            before, before_vram = self.memory.get(model, (None, None))
            self.memory[model] = _larger(before, size), _larger(before_vram, vram)
        for gpu in sample.gpus:
            self.cards.setdefault(gpu.index, (gpu.name, Values()))[1].see(*_of_card(gpu))


def put_into(bins: dict[int, Bin], samples: Iterable[Sample]) -> None:
    """Take the samples into their bins, by the number of ten seconds since 1970."""
    for sample in samples:
        number = time_us(sample.at) // (WIDTHS_S[0] * US)
        if number not in bins:
            bins[number] = Bin()
        bins[number].see(sample)


def add_bin(book: Book, server: int, number: int, taken: Bin) -> None:
    """Write it, into bins of all widths."""
    for width in WIDTHS_S:
        key = (server, width, number * WIDTHS_S[0] // width)
        machine = taken.machine
        most, means = _told(machine, _MOST), [machine.mean(name) for name in _MEAN]
        book.execute(_READING, (*key, machine.samples, *most, *means))
        for model, (size, vram) in taken.memory.items():
            book.execute(_MEMORY, (*key, book.model(model), size, vram))
        for card, (name, values) in taken.cards.items():
            most, means = _told(values, _CARD_MOST), [values.mean(name) for name in _CARD_MEAN]
            book.execute(_CARD, (*key, card, values.samples, book.word(name), *most, *means))


def _in_memory(sample: Sample) -> Iterable[tuple[str, int | None, int | None]]:
    """Each model in memory: its name, its runner's memory (else what Ollama tells), its VRAM."""
    held = {runner.model: runner for runner in sample.runners or () if runner.model}
    for resident in sample.residents or ():
        runner = held.pop(resident.name, None)
        size = runner.rss_bytes if runner is not None else resident.size_bytes
        yield resident.name, size, resident.size_vram_bytes
    for model, runner in held.items():  # it loads, or is about to end
        yield str(model), runner.rss_bytes, runner.vram_bytes


def _of_card(gpu: Gpu) -> tuple[dict[str, float | None], dict[str, float | None]]:
    most: dict[str, float | None] = {
        "memory_used": gpu.memory_used_bytes,
        "memory_total": gpu.memory_total_bytes,
        "temperature": gpu.temperature_c,
    }
    return most, {"utilization": gpu.utilization, "power": gpu.power_w}


def _told(values: Values, names: Iterable[str]) -> list[float | None]:
    return [values.most.get(name) for name in names]


def _larger(one: int | None, other: int | None) -> int | None:
    return max((n for n in (one, other) if n is not None), default=None)


# --- statements ----------------------------------------------------------------------------------


def _upsert(table: str, key: str, most: Iterable[str], means: Iterable[str], plain: str) -> str:
    """A statement that puts a bin in, or into the one that is there.

    A mean is weighted by the samples behind it; what was not told before counts as what is told.
    """
    most, means = tuple(most), tuple(means)
    names = [*key.split(), *plain.split(), *most, *means]
    sets = [f"{n} = coalesce(max({n}, excluded.{n}), {n}, excluded.{n})" for n in most]
    sets += [
        f"{n} = (coalesce({n}, excluded.{n}) * samples + coalesce(excluded.{n}, {n}) "
        "* excluded.samples) / (samples + excluded.samples)"
        for n in means
    ]
    sets += ["samples = samples + excluded.samples"] if "samples" in plain else []
    marks = ", ".join("?" * len(names))
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks}) "
        f"ON CONFLICT ({', '.join(key.split())}) DO UPDATE SET {', '.join(sets)}"
    )


_READING = _upsert("readings", "server width bin", _MOST, _MEAN, "samples")
_MEMORY = _upsert("memory", "server width bin model", ("bytes", "vram_bytes"), (), "")
_CARD = _upsert("cards", "server width bin card", _CARD_MOST, _CARD_MEAN, "samples name")
