"""What is no workload: one sentence with the place, quickly, and never a workload from nothing."""

from __future__ import annotations

import gzip
import io
import os
import sqlite3
import time
import tracemalloc
from contextlib import closing
from pathlib import Path

import pytest

from lifecycle_widgets.advisor.workload.faults import WorkloadError
from lifecycle_widgets.advisor.workload.reading import read_workload

HEADER = "stream,start_s,service_s\n"
NOTHING = "there is nothing to advise from"
ROWS = {  # a trace's rows, and what has to be said of them
    "a,0,1\na,ten,1\n": "row 2 (line 3): start_s is 'ten', which is no number",
    "a,0,1\na,5,long\n": "row 2 (line 3): service_s is 'long', which is no number",
    "a,0,1\nb,5,1\na,20,1\na,10,1\n": "row 4 (line 5): start_s of 'a' goes back from 20 s to 10 s",
    "a,0,1\na,5,-1\n": "row 2 (line 3): service_s is -1",
    "a,-5,1\na,5,1\n": "row 1 (line 2): start_s is -5",
    "a,0,1\na,nan,1\n": "row 2 (line 3): start_s is nan",
    "a,0,1\na,5,inf\n": "row 2 (line 3): service_s is inf",
    "a,0,1\na,,1\n": "row 2 (line 3): start_s is empty",
    "a,0,1\na,5,\n": "row 2 (line 3): service_s is empty",
    "a,0,1\na,5\n": "row 2 (line 3): it has 2 columns, and the header has 3",
    "a,0,1\na,5,1,9\n": "row 2 (line 3): it has 4 columns, and the header has 3",
    'a,0,1\n"a,5,1\n': "row 2 (line 3): it is no row of a table",
    "a,0,1\n\n\na,5,x\n": "row 4 (line 5): service_s is 'x'",
    "a,True,1\na,False,1\n": "row 1 (line 2): start_s is 'True'",
    "a,1_000,1\n": "row 1 (line 2): start_s is '1_000'",
    "a,1764000000000,1\n": "milliseconds since 1970 (2025-11-24), so divide it by 1,000",
    "a,1764000000000000,1\n": "microseconds since 1970 (2025-11-24)",
    "a,1764000000000000000,1\n": "nanoseconds since 1970 (2025-11-24)",
    "a,0,5200000000\n": "no request takes longer than a week; is it in nanoseconds?",
    "a,1e300,1\n": "row 1 (line 2): start_s is 1e+300",
    f"a,{'9' * 5000},1\n": "row 1 (line 2): start_s is inf",
    "a,2026-13-01T00:00:00Z,1\n": "'2026-13-01T00:00:00Z', which no calendar and clock has",
    "a,2026-10-25T02:50:00,1\na,2026-10-25T02:10:00,1\n": "If the clock was set back there",
    "a,2026-10-25T02:50:00Z,1\na,2026-10-25T03:10:00,1\n": "row 2 (line 3): start_s is a time "
    "without a zone, and those before are a time with its zone",
    "a,5,1\na,2026-10-25T03:10:00Z,1\n": "row 2 (line 3): start_s is a time with its zone",
    "a,0,1\nb,5,1\n": f"2 requests, each the only one of its stream: {NOTHING}",
    "a,0,100\na,5,1\na,90,20\n": f"3 requests, with no idle gap between two: {NOTHING}",
    "a,0,5\na,5,1\n": f"2 requests, with no idle gap between two: {NOTHING}",
    "": NOTHING,
}
TEXTS = {  # whole files
    "": NOTHING,
    "\n \n": NOTHING,
    "\ufeff": "empty",
    "foo,bar\n1,2\n": "row 1 (the header): the column start_s is missing",
    "stream,service_s\na,1\n": "row 1 (the header): the column start_s is missing",
    "a,0,1\na,5,1\n": "row 1 (the header): the column start_s is missing",
    "stream,start_s,start_s\na,1,2\n": "row 1 (the header): the column start_s is there twice",
    "stream;start_s\na;0,5\n": "start_s is '0,5', which is no number of seconds. Write a decimal",
    "model,began_at,ended_at,gap_s\na,1,2,1\n": "these are gaps, not requests",
    "stream,start_s\ra,1\r": "carriage return",
    "import os\n": "row 1 (the header): the column start_s is missing",
    '{"start_s": 1}\n{"start_s": \n': "line 2: it is",
    '{"start_s": 1}\n{"start_s": 2, "service_s": 1}\n': "line 2: it has other names",
    '{"foo": 1}\n': "line 1: the column start_s is missing",
    '{"start_s": null}\n': "line 1: start_s is empty",
    '{"stream": {}, "start_s": 1}\n': "line 1: stream is '{}', which is no name",
    "[1, 2, 3]\n": "line 1: it is '[1, 2, 3]'",
    "[" * 100_000: "line 1: it is",
    "5\n3\n": "line 2: time goes back from 5 s to 3 s",
    "NaN\n": "line 1: time is nan",
    "1e999\n": "line 1: time is inf",
    "true\n": "line 1: time is 'True'",
    '"ten"\n': "line 1: time is 'ten'",
}


def said(path: Path) -> str:
    """What is said of a file: one line, and soon."""
    began = time.monotonic()
    with pytest.raises(WorkloadError) as fault:
        read_workload(path)
    assert time.monotonic() - began < 5
    assert "\n" not in str(fault.value)
    return str(fault.value)


@pytest.mark.parametrize("rows", ROWS, ids=lambda rows: repr(rows[:40]))
def test_a_row_that_is_none_is_named(rows: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text(HEADER + rows)
    assert ROWS[rows] in said(path)
    assert said(path).startswith(str(path))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: repr(text[:40]))
def test_a_file_that_is_none_is_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(text, newline="")
    assert TEXTS[text] in said(path)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x7fELF" + bytes(1000), "no text"),
        (HEADER.encode() + b"a,0,1\na,\0,1\n", "no text"),
        (HEADER.encode() + b"a,0,1\n" * 20_000 + b"a,\0,1\n", "line 20002: it is no text"),
        (HEADER.encode() + "a,0,1\nü,5,1\n".encode("latin-1"), "line 3: it is not in UTF-8"),
        ((HEADER + "a,0,1\n").encode("utf-16"), "UTF-16"),
        (gzip.compress(HEADER.encode() * 1000)[:-9], "damaged or cut off"),
        (b"\x1f\x8b" + bytes(100), "damaged or cut off"),
        (gzip.compress(b"SQLite format 3\0"), "has to be a file on the disk, and not packed"),
        (b"PK\x03\x04" + bytes(100), "packed (zip)"),
        (b"PAR1" + os.urandom(100), "damaged, or no Parquet"),
        (b"SQLite format 3\0" + os.urandom(5000), "damaged, or in use"),
    ],
    ids=lambda value: value if isinstance(value, str) else "data",  # gzip writes the time
)
def test_what_is_no_text_is_told(data: bytes, why: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert why in said(path)


def test_a_gigabyte_of_one_line_is_refused_after_a_megabyte(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=1) as file:
        file.write(HEADER.encode())
        for _ in range(60):
            file.write(b"9" * 1_000_000)
    path = tmp_path / "trace.csv.gz"
    path.write_bytes(packed.getvalue())
    tracemalloc.start()
    try:
        assert "line 2: it is longer than a megabyte" in said(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    assert "There is no file" in said(tmp_path / "nothing.csv")
    assert "is a folder" in said(tmp_path)


def test_another_programs_database_is_told(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as other:
        other.execute("CREATE TABLE activity (id INTEGER, ts_created INTEGER)")
        other.commit()
    assert "with model_id, duration_ms is missing" in said(tmp_path / "other.sqlite")


def test_a_name_that_would_move_the_cursor_is_shown_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "{trace}.csv"
    path.write_text(HEADER + "a\x1b[31m{0},5,1\na\x1b[31m{0},1,1\n")
    assert "\x1b" not in said(path)


def test_the_column_of_parquet_is_checked_as_well(tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "trace.parquet"
    good = {"stream": ["a", "a", "a"], "start_s": [0.0, 5.0, 9.0], "service_s": [1.0, 1.0, 1.0]}
    for bad, why in (
        ({"start_s": [0.0, 5.0, float("nan")]}, "row 3: start_s is empty"),  # so pandas writes it
        ({"start_s": [0.0, 5.0, float("inf")]}, "row 3: start_s is inf"),
        ({"start_s": [0.0, 9.0, 5.0]}, "row 3: start_s of 'a' goes back from 9 s to 5 s"),
        ({"service_s": [1.0, -1.0, 1.0]}, "row 2: service_s is -1"),
        ({"start_s": ["0", "five", "9"]}, "row 2: start_s is 'five'"),
        ({"start_s": [0, 5, 1764000000000]}, "row 3: start_s is 1764000000000"),
    ):
        pd.DataFrame(good | bad).to_parquet(path)
        assert why in said(path)
    pd.DataFrame({"foo": [1]}).to_parquet(path)
    assert "the column start_s is missing" in said(path)


def test_an_end_before_its_beginning_is_told(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("start_s,end_s\n0,5\n20,10\n")
    assert "row 2 (line 3): its duration is -10" in said(path)
