"""Every kind of file that a workload is read from gives the same workload."""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.reading import read_workload
from lifecycle_widgets.advisor.workload.workload import Workload

TRACES = Path(__file__).parents[4] / "shared" / "traces"
ASKED = [("a", 0.0, 5.0), ("a", 3.0, 4.0), ("b", 4.0, 1.0), ("a", 60.0, 5.0), ("b", 300.0, 1.0)]
GAPS = {"a": [53.0], "b": [295.0]}
ZERO = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def gaps(workload: Workload) -> dict[str, list[float]]:
    return {one.name: one.gaps_s.tolist() for one in workload.streams}


def frame() -> pd.DataFrame:
    return pd.DataFrame(ASKED, columns=["stream", "start_s", "service_s"])


def test_a_trace_as_csv_and_parquet_and_json_lines(tmp_path: Path) -> None:
    frame().to_csv(tmp_path / "trace.csv", index=False)
    frame().to_csv(tmp_path / "trace.csv.gz", index=False)
    frame().to_csv(tmp_path / "trace.tsv", index=False, sep="\t", lineterminator="\r\n")
    frame().to_parquet(tmp_path / "trace.parquet")
    lines = "".join(f"{json.dumps(row)}\n" for row in frame().to_dict("records"))
    (tmp_path / "trace.jsonl").write_text(lines)
    (tmp_path / "trace.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    for file in tmp_path.iterdir():
        workload = read_workload(file)
        assert gaps(workload) == GAPS, file
        assert workload.source == str(file)
        assert workload.streams[0].requests == 3
        assert (workload.witnesses, workload.notes, workload.origin_s) == (("trace",), (), None)


def test_dates_are_read_in_any_zone_and_give_the_days(tmp_path: Path) -> None:
    at = [pd.Timestamp(ZERO) + pd.Timedelta(start, "s") for _, start, _ in ASKED]
    abroad = [one.tz_convert("Asia/Kolkata") for one in at]
    told = frame().rename(columns={"stream": "model", "start_s": "timestamp"})
    for name, times in (("utc", at), ("mixed", [*at[:2], *abroad[2:]])):
        told.assign(timestamp=[one.isoformat() for one in times]).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
    told.assign(timestamp=pd.Series(abroad)).to_parquet(tmp_path / "times.parquet")
    epochs = [one.timestamp() for one in at]
    told.assign(timestamp=epochs).to_csv(tmp_path / "epochs.csv", index=False)
    for file in tmp_path.iterdir():
        workload = read_workload(file)
        assert gaps(workload) == GAPS, file
        assert workload.origin_s == ZERO.timestamp()


def test_across_a_change_of_the_clock_times_with_their_zone_are_right(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(
        "start_s,service_s\n2026-10-25T02:50:00+02:00,60\n2026-10-25T02:10:00+01:00,60\n"
    )
    assert gaps(read_workload(path)) == {"all requests": [19 * 60.0]}
    path.write_text("start_s,service_s\n2026-10-25 02:50:00.1234567,60\n2026-10-25 04:10:00,60\n")
    (note,) = read_workload(path).notes
    assert "no zone" in note


def test_times_alone(tmp_path: Path) -> None:
    path = tmp_path / "times.jsonl"
    for text in ("1\n2.5\n\n10\n", '"2026-03-01T12:00:01Z"\n"2026-03-01T12:00:02.5Z"\n'
                 '"2026-03-01T12:00:10Z"\n', "start_s\n1\n2.5\n10\n", '"start_s"\n1\n2.5\n10\n',
                 "2026-03-01 12:00:01\n2026-03-01 12:00:02.5\n2026-03-01 12:00:10"):  # fmt: skip
        path.write_text(text)
        workload = read_workload(path)
        assert gaps(workload) == {"all requests": [1.5, 7.5]}, text
        assert "each counts as a moment" in workload.notes[-1]


def test_what_touches_has_no_gap_between(tmp_path: Path) -> None:
    """Also where the sums are not exact: 0.1 + 0.7 is a little less than 0.8 here."""
    path = tmp_path / "trace.csv"
    path.write_text("start_s,service_s\n0.1,0.2\n0.3,0.4\n0.7,0.1\n0.8,0.1\n0.9,5\n20,1\n")
    assert gaps(read_workload(path)) == {"all requests": [14.1]}


def test_a_row_of_a_trace_is_the_same_read_by_itself_and_in_numbers(tmp_path: Path) -> None:
    """A quotation mark has a block read row by row; without, as numbers."""
    rng = np.random.default_rng(1)
    n = 2000
    told = pd.DataFrame(
        {"stream": rng.integers(0, 9, n), "start_s": np.sort(rng.uniform(0, 1e6, n)).round(3)}
    ).assign(service_s=rng.exponential(9, n).round(3))
    told.to_csv(tmp_path / "quick.csv", index=False)
    told.astype({"stream": str}).to_csv(tmp_path / "each.csv", index=False, quoting=2)
    assert gaps(read_workload(tmp_path / "quick.csv")) == gaps(read_workload(tmp_path / "each.csv"))


def test_llama_swaps_activity(tmp_path: Path) -> None:
    """Its rows are written as requests end, by whole seconds; what was refused is none."""
    path = tmp_path / "activity.db"
    with closing(sqlite3.connect(path)) as swap:
        swap.execute(
            """CREATE TABLE activity (id INTEGER PRIMARY KEY AUTOINCREMENT,
            ts_created INTEGER NOT NULL, model_id TEXT NOT NULL, resp_status_code INTEGER NOT NULL
            DEFAULT 0, duration_ms INTEGER NOT NULL DEFAULT 0)"""
        )
        swap.executemany(
            "INSERT INTO activity (ts_created, model_id, resp_status_code, duration_ms) "
            "VALUES (?, ?, ?, ?)",
            [(1_770_000_010, "a", 200, 5000), (1_770_000_030, "a", 404, 1),
             (1_770_000_060, "a", 200, 2500), (1_770_000_061, "a", 200, 8000)],
        )  # fmt: skip
        swap.commit()
    workload = read_workload(path)
    assert gaps(workload) == {"a": [43.0]}
    assert workload.origin_s == 1_770_000_005
    assert "off by one" in workload.notes[0]


def test_a_model_and_a_server_of_several(tmp_path: Path) -> None:
    path = tmp_path / "requests.csv"
    told = frame().rename(columns={"stream": "model"})
    told.assign(server=["one", "one", "one", "two", "two"]).to_csv(path, index=False)
    with pytest.raises(WorkloadError, match=r"requests of one and two\. Say which one"):
        read_workload(path)
    told.assign(server="sandbox").to_csv(path, index=False)
    assert gaps(read_workload(path, server="sandbox", model="A")) == {"a": [53.0]}
    with pytest.raises(WorkloadError, match="no stream c; it has a, b"):
        read_workload(path, model="c")
    frame().to_csv(path, index=False)
    with pytest.raises(WorkloadError, match="does not say which server"):
        read_workload(path, server="sandbox")


def test_standard_input() -> None:
    told = gzip.compress(frame().to_csv(index=False).encode())
    ends, was = os.pipe(), os.dup(0)
    try:
        os.write(ends[1], told)
        os.close(ends[1])
        os.dup2(ends[0], 0)
        workload = read_workload("-")
    finally:
        os.dup2(was, 0)
        os.close(was)
        os.close(ends[0])
    assert (gaps(workload), workload.source) == (GAPS, "standard input")


@pytest.mark.skipif(not TRACES.is_dir(), reason="../shared/traces is missing")
def test_the_traces_are_read() -> None:
    found = {file.name: read_workload(file) for file in sorted(TRACES.glob("*.csv.gz"))}
    assert [len(one.streams) for one in found.values()] == [1, 21, 93]
    assert [sum(s.requests for s in one.streams) for one in found.values()] == [8819, 1150, 1024]
