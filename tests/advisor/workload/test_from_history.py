"""The workload of a history: the gaps that it has, of one server, and what of them was watched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.from_history import workload_of
from lifecycle_widgets.advisor.workload.reading import read_workload
from lifecycle_widgets.history import History
from lifecycle_widgets.monitor import Request
from lifecycle_widgets.monitor.traffic import OURS
from lifecycle_widgets.server import Server
from tests.history.history_tools import A, B, Watching, request


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    with History(tmp_path / "history.sqlite") as history:
        yield history


def kept(
    history: History, *requests: Request, server: str = "192.0.2.1", for_s: float = 1000
) -> None:
    """Watched for so long, until now, with these requests."""
    watching = Watching(Server(server))
    with history.keep(watching):
        watching.see(ago_s=for_s)
        watching.see(*requests)


def test_each_model_is_a_stream_with_the_historys_gaps(history: History) -> None:
    kept(
        history,
        request(900, 5, A),
        request(890, 30, A, count=2),  # it overlaps the first
        request(700, 10, B, whose=OURS, witnesses=("own", "log")),
        request(600, 5, A),
        request(500, 5, A, kind="touch"),  # a renewal is no use
        request(300, 20, B),
    )
    workload = workload_of(history)
    told = history.gaps()
    assert [one.name for one in workload.streams] == [A, B]
    for one in workload.streams:
        assert one.gaps_s == pytest.approx(told[told["model"] == one.name]["gap_s"])
        assert one.watched.tolist() == told[told["model"] == one.name]["watched"].tolist()
    assert [one.requests for one in workload.streams] == [4, 2]
    assert workload.witnesses == ("own", "deadline", "log")
    assert workload.source.startswith("the history of http://192.0.2.1:11434")
    assert workload.notes == ()
    began = history.requests()["began_at"].min().timestamp()
    assert workload.origin_s == pytest.approx(began, abs=1e-3)


def test_what_nobody_watched_is_no_evidence(history: History) -> None:
    kept(history, request(100, 5, A), request(50, 5, A), request(5000, 5, A), for_s=200)
    workload = workload_of(history)
    assert workload.streams[0].watched.tolist() == [False, True]
    assert "1 of 2 gaps left out: nobody watched" in workload.notes[0]


def test_one_model_one_server_one_time(history: History) -> None:
    kept(history, *(request(ago, 1, A) for ago in (400, 300, 200, 100)), request(50, 1, B))
    assert workload_of(history, since=timedelta(seconds=250)).gaps == 1
    assert [one.name for one in workload_of(history, model="A").streams] == [A]
    kept(history, request(40, 1, A), request(20, 1, A), server="192.0.2.2", for_s=100)
    with pytest.raises(WorkloadError, match=r"2 servers: .*192\.0\.2\.1.*192\.0\.2\.2.*server="):
        workload_of(history)
    assert workload_of(history, server="192.0.2.2").gaps == 1
    with pytest.raises(
        WorkloadError, match=r"no request to never\. It has requests to a:latest, b:latest"
    ):
        workload_of(history, model="never")
    with pytest.raises(WorkloadError, match=r"no such request of http://192\.0\.2\.9"):
        workload_of(history, server="192.0.2.9")
    with pytest.raises(WorkloadError, match="in that time"):
        workload_of(history, server="192.0.2.1", since=timedelta(seconds=1))


def test_from_nothing_comes_nothing(history: History, tmp_path: Path) -> None:
    with pytest.raises(WorkloadError, match="has no requests yet"):
        workload_of(history)
    assert not history.path.exists()
    kept(history, request(50, 1, A), request(40, 1, B), for_s=100)
    with pytest.raises(WorkloadError, match="2 requests and no idle gap"):
        workload_of(history)
    with History(tmp_path / "unwatched.sqlite") as other:
        kept(other, request(5000, 1, A), request(50, 1, A), for_s=1)
        with pytest.raises(WorkloadError, match=r"no idle gap .* 1 of 1 gap left out: nobody"):
            workload_of(other)


def test_its_exports_and_its_file_are_read_as_workloads(history: History, tmp_path: Path) -> None:
    kept(history, request(900, 5, A), request(600, 5, A), request(500, None, A),
         request(400, 1, A, kind="touch"), request(300, 1, B), request(90, 60, B))  # fmt: skip
    wanted = {one.name: one.gaps_s for one in workload_of(history).streams}
    files = [history.export(tmp_path / name) for name in ("requests.csv", "requests.parquet")]
    for file in (*files, history.path):
        found = {one.name: one.gaps_s for one in read_workload(file).streams}
        assert found.keys() == wanted.keys()
        for name, gaps_s in found.items():
            assert gaps_s == pytest.approx(wanted[name], abs=1e-5), file
    with pytest.raises(WorkloadError, match="Export the history's requests"):
        read_workload(history.export(tmp_path / "gaps.csv", "gaps"))
