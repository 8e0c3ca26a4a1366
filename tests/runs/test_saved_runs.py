"""Runs that are kept: to JSON and back, in files, and what is wrong with one."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

import lifecycle_widgets as lw
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Step, Timings, ToolCall, load_runs
from lifecycle_widgets.server import Server

AT = datetime(2026, 3, 1, 12, 30, 5, 123456, tzinfo=timezone(timedelta(hours=2)))
LEASE, ERROR = KeepAlive("20s"), "ValueError: no clock"
STEPS = (
    Step(0.0, Timings(1.0, ttft_s=0.5, load_s=0.3), "Let me see. ", "Hm",
         (ToolCall("Clock_now", {"zone": ["utc", None]}, ERROR),), 0.7, True, 40_024, "ask", "a",
     LEASE),
    Step(0.2, Timings(0.1), task="ask", model="minilm", kind="embed"),
    Step(1.7, Timings(2.0, cached_tokens=0, done_reason="stop"), "Noon.", keep_alive=KeepAlive(0)),
)  # fmt: skip
FULL = Run(
    "hf.co/a/b:q4", KeepAlive("1m30s"), "What {{ time }}?\ud800", "Noon. 世界", AT,
    Timings(3.7, tools_s=0.7), STEPS, False, True, "boom", "http://127.0.0.1:11434", "Hm", "low",
    None, {"num_ctx": 8192, "stop": ["a"], "use_mmap": True}, (("a", "b"), ("c", "")), 8192, 4096,
    "Workflow", {"a": "5m", "hf.co/a/b:q4": "1m30s"}, True, ("It was held.", "It was let go."),
)  # fmt: skip
OF_STRUCTURES = ("structure", "keep_alives", "held", "said")
OF_THEIR_STEPS = ("task", "model", "keep_alive", "kind")


def bare(**more: Any) -> Run:
    return Run("m", KeepAlive(None), "p", "a", AT, Timings(1.0), **more)


@pytest.mark.parametrize("run", [FULL, bare(), bare(think=False), bare(remote_host="ollama.com")])
def test_there_and_back(run: Run) -> None:
    kept = json.loads(json.dumps(run.to_json(), allow_nan=False))
    again = Run.from_json(kept)
    assert again == replace(run, prompt=run.prompt.replace("\ud800", "?"))
    assert (again.note, again.heat, again.loads) == (run.note, run.heat, run.loads)
    assert again.parts == run.parts


def test_a_run_that_was_saved_before_structures_were() -> None:
    kept = json.loads(json.dumps(FULL.to_json()))
    del kept["steps"][0]["tool_calls"][0]["error"]
    for step in kept["steps"]:
        for name in OF_THEIR_STEPS:
            del step[name]
    for name in OF_STRUCTURES:
        del kept[name]
    run = Run.from_json(kept)
    assert (run.structure, run.keep_alives, run.held, run.said) == ("Agent", {}, False, ())
    assert run.models == (FULL.model,)
    told = {(s.task, s.model, s.keep_alive, s.kind) for s in run.steps}
    assert told == {("", "", None, "chat")}
    assert run.steps[0].tool_calls[0].error is None


def test_a_keep_alive_that_is_not_told_is_none() -> None:
    """And one that was not sent is the server's default."""
    sent = [Step(0.0, Timings(1.0), keep_alive=k) for k in (None, KeepAlive(None), KeepAlive(0))]
    run = replace(bare(), steps=tuple(sent))
    kept = json.loads(json.dumps(run.to_json()))
    assert [s["keep_alive"] for s in kept["steps"]] == [None, "server default", "0"]
    assert Run.from_json(kept) == run


@pytest.mark.parametrize(
    "typed", [None, 0, "forever", -1, "1.5s", 0.29, "1ns", "2562047h", "1h30m"]
)
def test_each_keep_alive_comes_back_as_it_was(typed: Any) -> None:
    run = replace(bare(), keep_alive=KeepAlive(typed))
    assert Run.from_json(json.loads(json.dumps(run.to_json()))).keep_alive == run.keep_alive


def test_numbers_that_json_has_not(tmp_path: Path) -> None:
    odd = replace(bare(), timings=Timings(math.inf, eval_s=math.nan))
    [again] = load_runs(odd.save(tmp_path / "odd.json"))
    assert again.timings.total_s == math.inf
    assert again.timings.eval_s is not None
    assert math.isnan(again.timings.eval_s)


def test_no_password_is_kept() -> None:
    kept = json.dumps(bare(remote_host="https://ada:secret@ollama.com:443/x").to_json())
    assert "secret" not in kept
    assert "https://ollama.com:443/x" in kept


def test_a_real_run_saved_and_loaded(server: Server, tmp_path: Path) -> None:
    few = {"num_predict": 4, "num_ctx": 1024}
    first, second = (
        lw.run_agent("Hi", model="smollm2:135m", server=server, keep_alive=k, options=few)
        for k in ("forever", 0)
    )
    files = [second.save(tmp_path / "kept"), first.save(tmp_path / "kept")]
    assert lw.load_runs(tmp_path / "kept") == (first, second), "by the time of their start"
    assert lw.load_runs(files[0]) == (second,)
    assert first.save(tmp_path / "kept") not in files, "none is written over"
    assert "smollm2-135m" in files[0].name
    assert first.context_length == 1024
    assert second.heat == "warm: it was in memory"
    mine = first.save(tmp_path / "deep" / "mine.json")
    assert second.save(mine) == mine
    assert lw.load_runs(mine) == (second,)
    assert [p.name for p in mine.parent.iterdir()] == ["mine.json"]


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"kind": "result"}, "This is no saved run"),
        ({"format": 2}, "saved in format 2, and this version reads 1"),
        ({"timings": {"total_s": "soon"}}, "total_s cannot be 'soon'"),
        ({"timings": {}}, "total_s is missing"),
        ({"keep_alive": "5 m"}, "keep_alive cannot be '5 m'"),
        ({"started_at": "today"}, "started_at cannot be 'today'"),
        ({"steps": [{"start_s": 0}]}, "timings is missing"),
        ({"steps": {}}, "its steps: '{}' is no list"),
        ({"history": [["a"]]}, "its history: one of its turns is no pair"),
        ({"think": "much"}, "think cannot be 'much'"),
        ({"stopped": 1}, "stopped cannot be '1'"),
        ({"context_length": 1.5}, "context_length cannot be '1.5'"),
        ({"answer": None}, "answer cannot be 'None'"),
        ({"options": [1]}, "is no dict"),
        ({"keep_alives": {"a": 5}}, "its keep_alives: '5' is no str"),
        ({"said": "It was held."}, "said cannot be 'It was held.'"),
        ({"held": "yes"}, "held cannot be 'yes'"),
        ({"structure": None}, "structure cannot be 'None'"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(change: Any, match: str, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(json.dumps(FULL.to_json() | change))
    with pytest.raises(ValueError, match=match) as wrong:
        load_runs(tmp_path)
    assert str(file) in str(wrong.value)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "[]", "null", '"run"', "\udcff"])
def test_files_that_are_no_runs(text: str, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ValueError, match=r"x\.json"):
        load_runs(file)


def test_where_nothing_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no saved run in"):
        load_runs(tmp_path)
    with pytest.raises(ValueError, match="There is no file"):
        load_runs(tmp_path / "none.json")


def test_what_a_later_version_adds_is_left_out() -> None:
    assert Run.from_json(FULL.to_json() | {"mood": "good"}) == Run.from_json(FULL.to_json())


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"not saved .*still in memory"):
        bare().save(tmp_path / "file" / "run.json")
