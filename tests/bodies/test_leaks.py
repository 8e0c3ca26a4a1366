"""What is closed is gone: no widget, server or connection stays behind, however often."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator

import pytest
from ipywidgets import Widget

from lifecycle_widgets import CodeBlock, RunTable, Server, run_agent
from tests.bodies.trial import NAMES, Trials, trials
from tests.cases.case_tools import wait_until

TIMES = 3


@pytest.fixture
def trial() -> Iterator[Trials]:
    """An Ollama that answers well."""
    with trials() as made:
        yield made


def alive() -> tuple[int, int]:
    """How many servers and widgets there are, of those that can be reached."""
    gc.collect()  # with all that is imported it takes a third of a second
    there = [one for one in gc.get_objects() if isinstance(one, (Server, Widget))]
    servers = sum(isinstance(one, Server) for one in there)
    return servers, len(there) - servers


def no_more_than(before: tuple[int, int]) -> bool:
    return all(now <= then for now, then in zip(alive(), before, strict=True))


def tables(trial: Trials, server: Server) -> None:
    """Widgets that hold another package's, or none."""
    run = run_agent("hi", model=NAMES[0], server=server)
    for widget in (RunTable([run, run]), CodeBlock(model=NAMES[0], url=server)):
        widget.close()


@pytest.mark.parametrize(
    "reader",
    [
        Trials.server,
        Trials.monitor,
        Trials.widgets,
        Trials.experiments,
        Trials.run,
        Trials.lab,
        tables,
    ],
    ids=lambda reader: reader.__name__,
)
def test_nothing_is_left(trial: Trials, reader: Callable[[Trials, Server], None]) -> None:
    reader(trial, trial.set({}))  # what is kept for good, is kept from the first time on
    before, connections = alive(), trial.connections
    for _ in range(TIMES):
        reader(trial, trial.set({}))
    wait_until(lambda: no_more_than(before), "the servers and the widgets are gone", 20)
    wait_until(lambda: trial.connections <= connections, "their connections are gone", 5)
