"""What an experiment needs is reserved while it runs, and what others reserve is not free."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from lifecycle_widgets.experiments import ColdAndWarm
from lifecycle_widgets.experiments.ground.free_memory import free_memory_bytes
from lifecycle_widgets.neighbours import VARIABLE, Neighbour
from lifecycle_widgets.neighbours.notices import everyone
from lifecycle_widgets.server import Server
from tests.neighbours.other import Other, another


@pytest.fixture(autouse=True)
def other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Other]:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "board"))
    with another() as process:
        yield process


def test_what_others_have_reserved_is_not_free(other: Other) -> None:
    before = free_memory_bytes()
    other.does("notice.change(memory_bytes=1_300_000_000)")  # it was 0.3 GB
    assert before - free_memory_bytes() == pytest.approx(1e9, abs=0.5e9)
    other.does("notice.close()")
    assert free_memory_bytes() > before


def test_an_experiment_is_told_who_has_the_memory(other: Other, server: Server) -> None:
    other.does(f"notice.change(memory_bytes={psutil.virtual_memory().total})")
    told = r"needs about .* and 0\.0 GB are free\. 1 other process .* has reserved .* ask your tea"
    with pytest.raises(MemoryError, match=told):
        ColdAndWarm("smollm2:135m", server=server).run()
    assert [one.pid for one in everyone()] == [other.process.pid]
    assert server.residents() == ()


def test_an_experiment_reserves_as_long_as_it_runs(other: Other, server: Server) -> None:
    seen: list[Neighbour] = []
    experiment = ColdAndWarm("smollm2:135m", rounds=1, server=server)

    def look(step: Any) -> None:
        seen.extend(one for one in everyone() if one.pid != other.process.pid)
        experiment.stop()

    experiment.run(on_step=look)
    assert (seen[0].what, seen[0].models) == ("ColdAndWarm", ("smollm2:135m",))
    assert seen[0].memory_bytes == experiment.plan().memory_bytes
    assert seen[0].holders, "the sandbox is this user's"
    assert [one.pid for one in everyone()] == [other.process.pid]
