"""One schedule of three models on a real Ollama; tests.bench lets it live 20 random ones."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from lifecycle_widgets.advisor.simulate.replay import Asked
from tests.advisor.simulate.on_ollama import MODELS, lived, ollama
from tests.advisor.simulate.schedule import Schedule, explained, is_decided, predicted

FIRST, SECOND, THIRD = MODELS
SCHEDULE = Schedule(
    limit=2,
    asked=(
        Asked(FIRST, 0.0, 0.5),
        Asked(SECOND, 3.5, 0.5),
        Asked(THIRD, 7.5, 2.0),  # the second leaves for it, which is to stay for less long
        Asked(SECOND, 8.0, 0.5),  # the first leaves for it, as the third is busy by then
    ),
    keep_alives={FIRST: -1, SECOND: 60, THIRD: (1.0,)},
    end_s=18.0,
)
EXPECTED = [
    ("loads", FIRST), ("loads", SECOND), ("evicted", SECOND), ("loads", THIRD),
    ("evicted", FIRST), ("loads", SECOND), ("unloaded", THIRD),
]  # fmt: skip


def test_it_goes_the_same_way_however_slow_the_machine_is() -> None:
    loads_s, itself = dict.fromkeys(MODELS, 1.0), dict(zip(MODELS, MODELS, strict=True))
    assert predicted(SCHEDULE, loads_s, itself) == EXPECTED
    assert is_decided(SCHEDULE, loads_s, itself, random.Random(0))


@pytest.mark.slow
def test_ollama_loads_evicts_and_unloads_as_it_is_replayed(tmp_path: Path) -> None:
    with ollama(SCHEDULE.limit, MODELS, tmp_path) as (sandbox, server):
        digests = {model: server.weights_digest(model) or model for model in MODELS}
        seen = lived(sandbox, SCHEDULE, digests)
    assert seen.events == EXPECTED, "\n".join(seen.lines)
    assert explained(seen.schedule, seen.load_s, digests, seen.events), "\n".join(seen.lines)
