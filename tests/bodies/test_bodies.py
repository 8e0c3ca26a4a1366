"""Whatever a server answers: nothing but our own exceptions, and no sample lost.

The short run; the long one, of 10,000 bodies, is ``python -m tests.bench bodies``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest
from hypothesis import HealthCheck, given, settings

from lifecycle_widgets import Server
from tests.bodies.trial import BODIES, Trials, trials
from tests.recorded import Answer

Reader = Callable[[Trials, Server], None]
few = settings(
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(scope="module")
def trial() -> Iterator[Trials]:
    """One server for all of them."""
    with trials() as made:
        yield made


@pytest.mark.parametrize(
    ("reader", "examples"),
    [
        (Trials.server, 40),
        (Trials.monitor, 25),
        (Trials.widgets, 30),
        (Trials.experiments, 8),
        (Trials.run, 30),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_changed_bodies(trial: Trials, reader: Reader, examples: int) -> None:
    @settings(few, max_examples=examples)
    @given(BODIES)
    def check(told: Mapping[str, Answer]) -> None:
        reader(trial, trial.set(told))
        trial.check_threads()

    check()


@pytest.mark.slow
def test_changed_bodies_in_the_lab(trial: Trials) -> None:
    test_changed_bodies(trial, Trials.lab, 8)
