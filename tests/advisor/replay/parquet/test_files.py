"""Traces in Parquet: read piece by piece they come to what they are as a whole."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from lifecycle_widgets.advisor.replay.grid import GRID
from lifecycle_widgets.advisor.replay.parquet.files import profile_of, profiles_of
from lifecycle_widgets.advisor.replay.profile import Profile, profile
from lifecycle_widgets.advisor.workload.busy import busy_times
from lifecycle_widgets.advisor.workload.faults import WorkloadError

pytest.importorskip("pyarrow")


def trace(rows: int = 3000, streams: int = 7, seed: int = 0) -> pd.DataFrame:
    """Mixed streams, in which many requests overlap, some by far."""
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "stream": [f"model-{n}" for n in rng.integers(0, streams, rows)],
            "start_s": np.cumsum(rng.exponential(10.0, rows)).round(2),
            "service_s": rng.lognormal(2, 2, rows).round(2),
        }
    )


def gaps_of(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """The gaps of each stream, of all its rows at once."""
    gaps = {}
    for name, own in rows.groupby("stream", sort=False):
        begun, until = busy_times(own["start_s"].to_numpy(), own["service_s"].to_numpy())
        gaps[str(name)] = begun[1:] - until[:-1]
    return gaps


def assert_same(found: Profile, whole: Profile) -> None:
    assert found.reloads.tolist() == whole.reloads.tolist()
    assert found.held_s == pytest.approx(whole.held_s, rel=1e-12)
    assert (found.gaps, found.total_s) == (whole.gaps, pytest.approx(whole.total_s, rel=1e-12))


@pytest.mark.parametrize("row_group_size", [1, 97, 5000])
def test_pieces_come_to_the_whole(tmp_path: Path, row_group_size: int) -> None:
    rows = trace(100 if row_group_size == 1 else 3000)
    rows.to_parquet(tmp_path / "trace.parquet", row_group_size=row_group_size)
    gaps = gaps_of(rows)
    assert_same(
        profile_of(tmp_path / "trace.parquet"), profile(np.concatenate(list(gaps.values())), GRID)
    )
    by_stream = profiles_of(tmp_path / "trace.parquet", [0.0, 5.0, 60.0])
    assert by_stream.keys() == gaps.keys()
    for name, found in by_stream.items():
        assert_same(found, profile(gaps[name], [0.0, 5.0, 60.0]))


def test_a_row_group_of_any_size_is_read_some_rows_at_a_time(tmp_path: Path) -> None:
    rows = trace(300_000)
    rows.to_parquet(tmp_path / "trace.parquet", row_group_size=len(rows))
    whole = profile(np.concatenate(list(gaps_of(rows).values())), GRID)
    assert_same(profile_of(tmp_path / "trace.parquet"), whole)


def test_the_files_of_a_folder_are_one_trace(tmp_path: Path) -> None:
    rows = trace()
    for number, part in enumerate(np.array_split(np.arange(len(rows)), 3)):
        rows.iloc[part].to_parquet(tmp_path / f"{number}.parquet")
    whole = profile(np.concatenate(list(gaps_of(rows).values())), GRID)
    assert_same(profile_of(tmp_path), whole)
    assert_same(profile_of(sorted(tmp_path.iterdir())), whole)


def test_streams_may_be_numbers_and_times_whole_seconds(tmp_path: Path) -> None:
    rows = pd.DataFrame({"service_s": [1, 1, 1], "stream": [7, 8, 7], "start_s": [0, 5, 61]})
    rows.to_parquet(tmp_path / "trace.parquet")
    [(name, found)] = profiles_of(tmp_path / "trace.parquet", [0.0]).items()
    assert (name, found.total_s) == ("7", 60.0)


def changed(column: str, value: Any) -> Callable[[pd.DataFrame], None]:
    def change(rows: pd.DataFrame) -> None:
        rows.loc[7, column] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (changed("stream", None), "Row 8 of {} is no request: it has no stream."),
        (changed("start_s", math.nan), "Row 8 of {} is no request: its start_s is nan."),
        (changed("start_s", math.inf), "Row 8 of {} is no request: its start_s is inf."),
        (changed("service_s", -2.0), "Row 8 of {} is no request: its service_s is -2."),
        (changed("service_s", math.nan), "Row 8 of {} is no request: its service_s is nan."),
        (
            changed("start_s", -1.0),
            "Row 8 of {} is no request: it begins at -1 s, and the one before it of 'model-0' at "
            "60 s; sort the requests of each stream by start_s.",
        ),
        (lambda rows: rows.pop("service_s"), "{} has no column service_s."),
        (
            lambda rows: rows.insert(1, "start_s", rows.pop("start_s").astype(str)),
            "start_s is a column of .*string; it must be seconds, as numbers.",
        ),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: Callable[[Any], Any], says: str) -> None:
    rows = pd.DataFrame({"stream": "model-0", "start_s": np.arange(20) * 10.0, "service_s": 1.0})
    change(rows)
    path = tmp_path / "trace.parquet"
    rows.to_parquet(path, row_group_size=5)
    with pytest.raises(WorkloadError, match=f"^{says.format(path)}$"):
        profile_of(path)


def test_what_is_no_parquet_is_said(tmp_path: Path) -> None:
    path = tmp_path / "trace.parquet"
    with pytest.raises(WorkloadError, match=r"^There is no file .*trace\.parquet\.$"):
        profile_of(path)
    path.write_bytes(b"\0 no trace \xff" * 9)
    with pytest.raises(WorkloadError, match="cannot be read as Parquet: "):
        profile_of(path)
    path.unlink()
    with pytest.raises(WorkloadError, match=r"^There is no request in "):
        profile_of(tmp_path)


def test_a_cluster_comes_to_the_same(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    rows = trace()
    rows.to_parquet(tmp_path / "trace.parquet", row_group_size=97)
    here, here_by_stream = profile_of(tmp_path), profiles_of(tmp_path)
    rows.loc[1500, "service_s"] = -1.0
    (bad := tmp_path / "bad").mkdir()
    rows.to_parquet(bad / "trace.parquet", row_group_size=97)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = profile_of(tmp_path / "trace.parquet", cluster=client)
        there_by_stream = profiles_of(tmp_path / "trace.parquet", cluster=client)
        with pytest.raises(
            WorkloadError, match=r"Row 1501 of .* is no request: its service_s is -1"
        ):
            profile_of(bad, cluster=client)
    assert there.held_s.tolist() == here.held_s.tolist()
    assert there.reloads.tolist() == here.reloads.tolist()
    assert there_by_stream.keys() == here_by_stream.keys()
    for name, found in there_by_stream.items():
        assert found.held_s.tolist() == here_by_stream[name].held_s.tolist()
