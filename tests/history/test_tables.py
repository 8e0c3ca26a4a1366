"""What is read from a history: the tables, their filters, and the gaps."""

from __future__ import annotations

import math
import sqlite3
import sys
import time
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle_widgets.history import History, HistoryError
from lifecycle_widgets.history.file.rows import WITNESS_BITS
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.monitor import WITNESSES, Request
from lifecycle_widgets.monitor.stays import RESIDENCY_COLUMNS
from lifecycle_widgets.monitor.traffic import OURS, gaps
from lifecycle_widgets.runs import Run, Step, Timings
from lifecycle_widgets.server import Server
from tests.history.history_tools import A, B, Watching, at, request, stay

NOW_ONLY = {"is_loading", "why_resident", "overdue_s", "is_stuck"}


def kept(history: History, *requests: Request, server: str = "192.0.2.1") -> None:
    watching = Watching(Server(server))
    with history.keep(watching):
        watching.see(*requests)


def test_before_anything_is_kept_the_tables_are_empty(history: History) -> None:
    for table in (history.requests(), history.runs(), history.residencies(), history.gaps()):
        assert table.empty
        for column in table.columns:
            if column.endswith("_at") or column in ("since", "until"):
                assert isinstance(table[column].dtype, pd.DatetimeTZDtype)
    assert history.last_session("localhost") is None
    assert history.span("localhost") is None
    assert history.past("localhost", at(60), at(0)).samples == ()
    assert not history.path.exists()


def test_every_witness_can_be_kept() -> None:
    assert WITNESS_BITS.keys() == WITNESSES.keys()


def test_a_request_comes_back_as_it_was(history: History) -> None:
    whole = request(
        20.0,
        5.0,
        whose=OURS,
        witnesses=("own", "deadline", "log"),
        begin_within_s=0.0,
        end_within_s=0.25,
        kind="chat",
        keep_alive_s=math.inf,
        queued_s=0.5,
        load_s=1.25,
        prompt_eval_s=0.125,
        eval_s=3.0,
        ttft_s=1.5,
        prompt_tokens=11,
        output_tokens=22,
        status=200,
        is_broken_off=False,
    )
    bare = replace(
        request(10.0, None), begin_within_s=None, end_within_s=None, witnesses=("deadline",)
    )
    kept(history, whole, bare)
    [first, second] = history.requests().to_dict("records")
    for name in ("whose", "kind", "keep_alive_s", "queued_s", "load_s", "prompt_eval_s", "eval_s"):
        assert first[name] == getattr(whole, name), name
    for name in ("ttft_s", "prompt_tokens", "output_tokens", "status", "is_broken_off", "count"):
        assert first[name] == getattr(whole, name), name
    assert first["witnesses"] == "own, deadline, log"
    assert first["total_s"] == pytest.approx(5.0)
    assert first["ended_at"].to_pydatetime() == whole.ended_at
    assert abs(first["began_at"].to_pydatetime() - whole.began_at) < timedelta(milliseconds=10)
    for name in ("began_at", "total_s", "load_s", "keep_alive_s", "prompt_tokens", "end_within_s"):
        assert pd.isna(second[name]), name
    assert pd.isna(second["is_broken_off"])
    assert second["kind"] is None or pd.isna(second["kind"])
    again = history.past(Server("192.0.2.1"), at(60), at(0)).requests[0]
    assert replace(again, number=0, began_at=None, began_s=None, ended_s=None) == replace(
        whole, number=0, began_at=None, began_s=None, ended_s=None
    )
    assert again.total_s == pytest.approx(5.0)


def test_by_model_server_and_time(history: History) -> None:
    kept(history, request(40.0), request(30.0, model=B), request(20.0))
    kept(history, request(10.0, model="a"), server="192.0.2.2")
    assert len(history.requests()) == 4
    assert len(history.requests(model="A:latest")) == 3
    assert len(history.requests(model="a", server="192.0.2.1")) == 2
    assert len(history.requests(server=Server("192.0.2.2"))) == 1
    assert history.requests(model="c").empty
    assert history.requests(server="192.0.2.3").empty
    assert len(history.requests(since=timedelta(seconds=25))) == 2
    assert len(history.requests(until=at(25))) == 2
    assert len(history.requests(since=at(35).astimezone(timezone.utc), until=at(25))) == 1
    assert len(history.requests(since=datetime.now().strftime("%Y-%m-%d %H:%M:%S"))) == 0
    assert len(history.requests(since=(datetime.now() - timedelta(days=2)).date())) == 4
    with pytest.raises(ValueError, match="is no time"):
        history.requests(since="soon")
    with pytest.raises(TypeError, match="Give a Server, an address"):
        history.requests(server=3)  # type: ignore[arg-type]


def test_stays_have_the_columns_of_the_monitors(history: History) -> None:
    watching = Watching()
    watching.stays = (
        stay(90.0, 50.0, why="crashed", keep_alive_s=300.0, vram_bytes=5, loaded_by="ours"),
        stay(40.0, None, B, is_forever=True),
    )
    with history.keep(watching):
        watching.see()
    table = history.residencies()
    assert set(table) - {"server"} == set(RESIDENCY_COLUMNS) - NOW_ONLY
    for name in set(table) - {"server"}:
        told, wanted = table[name].dtype, RESIDENCY_COLUMNS[name]
        assert str(told).startswith("datetime64" if "datetime" in wanted else wanted), name
    assert table["is_forever"].tolist() == [False, True]
    assert table["until"].isna().tolist() == [False, True]
    assert table["in_memory_s"][1] == pytest.approx(40.0, abs=1.0)
    assert len(history.residencies(since=at(45))) == 1  # those that were there


def run(secret: str = "", **more: object) -> Run:
    told = Timings(2.0, ttft_s=1.5, load_s=1.0, prompt_eval_s=0.25, eval_s=0.5, output_tokens=7)
    plain = Run(
        "a",
        KeepAlive("5m"),
        secret,
        secret,
        at(30),
        replace(told, total_s=2.25, done_reason="stop"),
        (Step(0.0, told, loaded=True, model="a"), Step(0.1, told, loaded=False, model="b")),
        was_resident=False,
        server_url="http://192.0.2.1:11434",
    )
    return replace(plain, **more)


def test_runs(history: History) -> None:
    history.add(run())
    history.add(replace(run(), started_at=at(20), stopped=True))
    history.add(replace(run(), started_at=at(10), error="No.", timings=Timings(1.0)))
    again = run(started_at=at(5))
    history.add(again)
    history.add(again)
    table = history.runs()
    assert table["ended"].tolist() == ["done", "stopped", "failed", "done"]
    first = table.iloc[0]
    assert (first["model"], first["keep_alive"], first["server"]) == (
        "a:latest",
        "5m",
        "http://192.0.2.1:11434",
    )
    assert set(first["models"].split(", ")) == {"a:latest", "b:latest"}
    parts = [f"{n}_s" for n in ("load", "prompt_eval", "eval", "tools", "embeddings", "not_told")]
    assert first[[*parts, "rest_s"]].sum() == pytest.approx(first["total_s"])
    assert (first["loads"], first["requests"], first["done_reason"]) == (1, 2, "stop")
    assert math.isnan(table["load_s"][2])


def test_another_programs_word_for_an_end_is_not_kept(history: History) -> None:
    history.add(run(timings=Timings(1.0, done_reason="the secret")))
    assert history.runs()["done_reason"].tolist() == ["another"]
    assert b"secret" not in history.path.read_bytes()


# --- gaps ----------------------------------------------------------------------------------------

SOMETIME = st.integers(10, 600)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    ended, took = draw(SOMETIME), draw(st.none() | st.integers(0, 30))
    kind = draw(st.sampled_from(["chat", "touch", "unload", None]))
    within = st.none() | st.sampled_from([0.0, 0.5])
    told = {"begin_within_s": draw(within), "end_within_s": draw(within)}
    return request(ended, took, draw(st.sampled_from([A, B])), kind=kind, **told)


@given(st.lists(requests(), max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_the_gaps_are_those_of_the_monitor(tmp_path_factory, asked: list[Request]) -> None:
    """Computed twice: by the monitor's definition, one by one, and here for all at once."""
    history = History(tmp_path_factory.mktemp("gaps") / "h.sqlite")
    kept(history, *sorted(asked, key=lambda r: r.ended_s or 0))
    table = history.gaps().sort_values(["model", "began_at"])
    wanted = sorted(gaps(asked), key=lambda gap: (gap.model, gap.began_at))
    for row, gap in zip(table.itertuples(), wanted, strict=True):
        assert row.model == gap.model
        assert row.gap_s == pytest.approx(gap.seconds, abs=0.01)
        not_told = gap.within_s is None and math.isnan(row.exact_s)
        assert not_told or row.exact_s == gap.within_s


def test_a_gap_in_which_nobody_watched_is_said(history: History) -> None:
    watching = Watching()
    with history.keep(watching):
        watching.see(ago_s=100.0)
        watching.see(request(95.0), request(60.0))
    with closing(sqlite3.connect(history.path)) as connection:  # it was closed 50 s ago
        now_us = time.time_ns() // 1000
        connection.execute("UPDATE watches SET to_us = ?", (now_us - 50_000_000,))
        connection.execute("UPDATE leases SET seen_us = ?", (now_us - 50_000_000,))
        connection.commit()
    later = Watching()
    with history.keep(later):
        later.see(ago_s=30.0)
        later.see(request(20.0), request(12.0))
    table = history.gaps()
    assert table["watched"].tolist() == [True, False, True]
    assert np.allclose(table["gap_s"], [34.5, 39.5, 7.5], atol=0.2)
    assert len(history.gaps(since=at(25))) == 2  # those that end in it
    assert len(history.gaps(until=at(25))) == 1


def test_two_servers_and_two_models_have_gaps_of_their_own(history: History) -> None:
    kept(history, request(40.0), request(30.0, model=B), request(20.0))
    kept(history, request(35.0), request(25.0), server="192.0.2.2")
    table = history.gaps()
    assert table[["server", "model"]].values.tolist() == [
        ["http://192.0.2.2:11434", A],
        ["http://192.0.2.1:11434", A],
    ]


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["requests", "runs", "residencies", "gaps", "starts"])
def test_a_table_as_a_file(history: History, what: str) -> None:
    watching = Watching()
    watching.stays = (stay(40.0, 20.0),)
    with history.keep(watching):
        watching.see(request(40.0, None), request(20.0, keep_alive_s=math.inf))
    history.add(run())
    table = getattr(history, what)()
    csv = history.export(history.path.with_name("t.csv"), what)
    read = pd.read_csv(csv)
    assert list(read) == list(table)
    assert len(read) == len(table)
    parquet = pd.read_parquet(history.export(history.path.with_name("t.parquet"), what))
    missing = table.astype("object").where(table.notna(), None)
    assert parquet.astype("object").where(parquet.notna(), None).equals(missing)
    assert not list(history.path.parent.glob("*.part"))


def test_many_rows_are_written_part_by_part(
    history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept(history, *(request(60.0 - n, None if n < 5 else 0.5) for n in range(12)))
    monkeypatch.setattr("lifecycle_widgets.history.reading.frames.CHUNK", 5)
    for end in ("csv", "parquet"):
        path = history.export(history.path.with_name(f"t.{end}"), since=at(58.5))
        assert len(pd.read_csv(path) if end == "csv" else pd.read_parquet(path)) == 10


def test_what_cannot_be_exported_is_said(history: History) -> None:
    kept(history, request(20.0))
    with pytest.raises(ValueError, match=r"End it with \.csv or \.parquet"):
        history.export("t.xlsx")
    with pytest.raises(ValueError, match="'all' is none of requests, residencies"):
        history.export("t.csv", "all")  # type: ignore[arg-type]
    with pytest.raises(HistoryError, match="cannot be written"):
        history.export(history.path / "t.csv")


def test_parquet_needs_a_package(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    kept(history, request(20.0))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(HistoryError, match="pip install pyarrow"):
        history.export(history.path.with_name("t.parquet"))
    assert not list(history.path.parent.glob("*parquet*"))
