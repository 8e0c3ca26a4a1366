"""What else the machine did is in the facts, in the verdict and in the intervals."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from datetime import datetime

import pandas as pd
import pytest

from lifecycle_widgets.experiments import Downstream, DownstreamResult, Experiment, Plan, Result
from lifecycle_widgets.experiments.face.experiment import Row
from lifecycle_widgets.experiments.ground.meanwhile import meanwhile_facts
from lifecycle_widgets.experiments.shortage.downstream_result import CONDITIONS, NEVER, RESIDENT
from lifecycle_widgets.monitor import Sample
from lifecycle_widgets.server import Server
from tests.detached import detached
from tests.recorded import RecordedServer, ollama

SENTENCE = "Other work took"
BURN = [sys.executable, "-S", "-c", "import time\nwhile time.process_time() < 0.2: pass"]


def sample(t_s: float, cpu: float | None, unseen: str | None = None) -> Sample:
    return Sample(
        at=datetime.now().astimezone(), t_s=t_s, ram_used_bytes=5, ram_total_bytes=9,
        cpu_fraction=0.5, runners=(), gpus=(), residents=(), unseen=unseen, cpu_of_others=cpu,
        disk_of_others_bytes_per_s=None if cpu is None else 100 * cpu, ram_of_others_bytes=3,
    )  # fmt: skip


def result(share: float | None) -> DownstreamResult:
    """Of two rounds in which the resident model slowed the task down, beside other work."""
    rows = [
        {
            "round": number, "condition": condition, "first_s": 1.0, "first_disk_bytes": 0,
            "steady_s": (3.0 if condition == RESIDENT else 1.0) + 0.1 * number,
            "steady_disk_bytes": 0, "runner_bytes": 0, "page_cache_bytes": 0, "used_bytes": 0,
        }
        for number in (1, 2)
        for condition in CONDITIONS
    ]  # fmt: skip
    facts = {
        "model": "tiny:1b", "rounds": 2, "planned": 8, "stopped": False, "error": None,
        "shortage": {"disk_bytes_per_s": 1}, "meanwhile": {"cpu_of_others": share},
    }  # fmt: skip
    return DownstreamResult(pd.DataFrame(rows), facts)


# --- what follows from it -------------------------------------------------------------------------


def test_much_other_work_is_said_and_widens_downward() -> None:
    alone, beside = result(0.04), result(0.5)
    assert SENTENCE not in alone.verdict
    assert beside.verdict.endswith(
        " Other work took 50 % of the CPU meanwhile (as the monitor saw it), so times may be up to "
        "2.0 times too long; intervals are widened downward for that."
    )
    for narrow, wide in (
        (alone.seconds(RESIDENT), beside.seconds(RESIDENT)),
        (alone.extra_s(RESIDENT), beside.extra_s(RESIDENT)),
    ):
        assert wide.low == pytest.approx(narrow.low / 2)
        assert (wide.median, wide.high) == (narrow.median, narrow.high)
    one, other = alone.slowdown(RESIDENT), beside.slowdown(RESIDENT)
    assert other.low == pytest.approx(one.low / 2), "it may have slowed down the one"
    assert other.high == pytest.approx(one.high * 2), "or the other"
    assert beside.table.loc[NEVER, "low_s"] == pytest.approx(alone.table.loc[NEVER, "low_s"] / 2)


@pytest.mark.parametrize("share", [None, 0.0, 0.1])
def test_little_or_what_is_not_told_is_no_word(share: float | None) -> None:
    quiet = result(share)
    assert SENTENCE not in quiet.verdict
    assert quiet.seconds(RESIDENT) == result(0.0).seconds(RESIDENT)
    assert quiet.share_of_others == share


def test_a_result_from_before_it_was_watched_says_nothing() -> None:
    old = result(None)
    facts = {name: value for name, value in old.facts.items() if name != "meanwhile"}
    assert DownstreamResult(old.frame, facts).verdict == old.verdict


# --- from samples to facts ------------------------------------------------------------------------


def test_the_median_counts_and_pauses_do_not() -> None:
    samples = [sample(t, cpu) for t, cpu in ((0.0, None), (0.5, 0.2), (1.0, 0.4), (1.5, 0.3))]
    in_a_pause = [sample(2.0 + t / 2, 0.9) for t in range(1, 20)]
    after = [sample(12.0, 0.3)]
    facts = meanwhile_facts([*samples, *in_a_pause, *after], [(2.0, 11.6)])
    assert (facts["cpu_of_others"], facts["others_peak"], facts["samples"]) == (0.3, 0.4, 4)
    assert (facts["disk_of_others_bytes_per_s"], facts["ram_of_others_bytes"]) == (30, 3)
    assert facts["why_not_told"] is None


def test_what_is_not_told_has_a_reason() -> None:
    facts = meanwhile_facts([sample(0.0, None, "It is on another machine.")])
    assert (facts["cpu_of_others"], facts["samples"]) == (None, 0)
    assert facts["why_not_told"] == "It is on another machine."
    assert "over before" in meanwhile_facts([])["why_not_told"]


# --- live -----------------------------------------------------------------------------------------


class WaitingResult(Result):
    kind = "waiting"

    def _verdict(self) -> str:
        return "It waited."

    @property
    def figure(self) -> object:  # type: ignore[override]
        return None


class Waiting(Experiment[WaitingResult]):
    """Waits without measuring anything, then has one row."""

    result_kind = WaitingResult

    def plan(self) -> Plan:
        return Plan("Wait.", 1, 2.0)

    def _settings(self) -> dict[str, object]:
        return {}

    def _measure(self) -> Iterator[Row]:
        self._wait(1.8)
        yield {"x": 1}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere it is not always told")
def test_work_beside_an_experiment_is_seen(server: Server) -> None:
    before = set(threading.enumerate())
    with detached(count=2):
        beside = Downstream(
            "smollm2:135m", rounds=1, shortage=False, task=BURN, server=server
        ).run()
        meanwhile = beside.facts["meanwhile"]
        assert meanwhile["cpu_of_others"] > 0.2, meanwhile
        assert meanwhile["others_peak"] >= meanwhile["cpu_of_others"]
        assert meanwhile["ram_of_others_bytes"] > 0
        assert SENTENCE in beside.verdict
        pause = Waiting(server).run().facts["meanwhile"]
        assert pause["samples"] <= 2, "what others do in a pause disturbs nothing"
    assert not {t.name for t in set(threading.enumerate()) - before} & {"lifecycle-monitor"}


def test_of_a_server_whose_processes_are_not_seen_it_is_not_told() -> None:
    with RecordedServer(ollama()) as recorded:
        facts = Waiting(Server(recorded.url)).run().facts["meanwhile"]
    assert facts["cpu_of_others"] is None
    assert facts["why_not_told"]
