"""A close look: what each model holds of memory while one run goes on, ten times a second.

The shared monitor looks every half a second, and a small model loads in as much. A look costs two
thousandths of a second of a core, which a run of some seconds can bear, and an afternoon need not.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType

from lifecycle_widgets.experiments.ground.held import Point, memory_source, over_time
from lifecycle_widgets.monitor import Monitor, Sample
from lifecycle_widgets.server import Server, full_name

INTERVAL_S = 0.1


class CloseLook:
    """Reads the memory of some models on a server until the end of its block.

    Parameters
    ----------
    server, models:
        Whose memory.

    Examples
    --------
    >>> with CloseLook(Server("192.0.2.1"), ["a"]) as look:  # an address kept for examples
    ...     pass
    >>> look.memory()
    {}
    """

    def __init__(self, server: Server, models: Iterable[str]) -> None:
        self.models = tuple(models)
        self._monitor, self._ended = Monitor(server), threading.Event()
        self._thread = threading.Thread(target=self._look, name="lifecycle-close-look", daemon=True)

    def __enter__(self) -> CloseLook:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        self._monitor.stop()

    @property
    def source(self) -> str:
        """Where the figures come from: see `memory_source`."""
        return memory_source(self._monitor.samples)

    def memory(self) -> dict[str, list[Point]]:
        """What each model has held: times (``time.monotonic()``) and bytes; where nothing is told
        of a model, it is left out."""
        samples = [_of_known(sample) for sample in self._monitor.samples]
        source, held = self.source, {}
        for model in self.models:
            points = over_time(samples, self._names(model, samples), source)
            if points:
                held[model] = thinned(points)
        return held

    def _look(self) -> None:
        while not self._ended.wait(INTERVAL_S):
            self._monitor.read()

    def _names(self, model: str, samples: Sequence[Sample]) -> set[str]:
        """The model's own, and those under which its weights were seen."""
        seen = {r.name for s in samples for r in s.residents or ()}
        seen |= {r.model for s in samples for r in s.runners or () if r.model is not None}
        same = (name for name in seen if self._monitor.server.same_model(name, model))
        return {full_name(model), *map(full_name, same)}


def _of_known(sample: Sample) -> Sample:
    """Without a runner that has only just been started, of which nobody knows whose it is."""
    if sample.runners is None:
        return sample
    return replace(sample, runners=tuple(r for r in sample.runners if r.model is not None))


def thinned(points: Sequence[Point]) -> list[Point]:
    """The same line without the points at which nothing changes.

    Examples
    --------
    >>> thinned([(0.0, 5.0), (1.0, 5.0), (2.0, 5.0), (3.0, 0.0)])
    [(0.0, 5.0), (2.0, 5.0), (3.0, 0.0)]
    """
    last = len(points) - 1
    return [
        point
        for i, point in enumerate(points)
        if i in (0, last) or not points[i - 1][1] == point[1] == points[i + 1][1]
    ]


def gone_s(memory: Mapping[str, Sequence[Point]]) -> float | None:
    """When the last of them had left for good; None: one is still there, or none was seen.

    Examples
    --------
    >>> gone_s({"a": [(0.0, 5.0), (1.0, 0.0)], "b": [(0.0, 0.0), (1.0, 5.0), (3.0, 0.0)]})
    3.0
    >>> gone_s({"a": [(0.0, 0.0), (1.0, 5.0)]}) is None
    True
    """
    ends = []
    for points in memory.values():
        held = [i for i, (_, size) in enumerate(points) if size > 0]
        if held and held[-1] == len(points) - 1:
            return None
        ends += [points[held[-1] + 1][0]] if held else []
    return max(ends, default=None)
