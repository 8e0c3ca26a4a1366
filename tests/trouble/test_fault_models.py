"""Models that are deleted, damaged, too large, or crash: what a person reads, and what goes on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from trouble_tools import SMALL, is_resident, left, own_model, telling, until, weights, works

from lifecycle_widgets.agent import RunFailed, run_agent
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import VARIABLE
from lifecycle_widgets.server import Server, ServerError, UnknownModel
from tests.sandbox.sandbox_tools import eventually, runners

LONG = os.environ.get("LIFECYCLE_LONG") == "1"
TEXT = "one two three four five six seven eight"


def test_a_model_deleted_while_it_is_resident(box: Sandbox, server: Server, tmp_path: Path) -> None:
    with Monitor(server) as monitor:
        run = telling(server)
        until(lambda: is_resident(monitor), "resident")
        server.client.delete(SMALL)
        reached = len(run.answer)
        until(lambda: len(run.answer) > reached, "the answer goes on")
        run.stop()
        assert run.wait(5).error is None
        with pytest.raises(UnknownModel, match="is not installed"):
            run_agent("Hi.", model=SMALL, server=server)
        with pytest.raises(ServerError, match="was deleted while it was in memory") as stuck:
            server.unload(SMALL)
        assert "It stays until " in str(stuck.value)
        assert "install it again and unload it" in str(stuck.value)
        assert [resident.name for resident in server.residents()] == [SMALL]
        assert left(monitor) == [(SMALL, None)]
        # as it says: installed again, it can be unloaded
        digest = server.client.create_blob(weights())
        server.client.create(model=SMALL, files={"model.gguf": digest})
        server.unload(SMALL)
        eventually(lambda: left(monitor) == [(SMALL, "requested")], 30)
        assert left(monitor) == [(SMALL, "requested")]
    works(server)
    assert weights().stat().st_size > 1e8, "the cache is as it was"


def test_a_model_deleted_while_it_is_resident_leaves_when_its_time_has_come(
    server: Server,
) -> None:
    with Monitor(server) as monitor:
        server.preload(SMALL, 3)
        until(lambda: is_resident(monitor), "resident")
        server.client.delete(SMALL)
        until(lambda: left(monitor) == [(SMALL, "expired")], "expired")
    with pytest.raises(UnknownModel):
        server.unload(SMALL)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"x" * 4096)


def empty(path: Path) -> None:
    os.truncate(path, 0)


def as_it_is(path: Path) -> tuple[int, str]:
    """The file and what is in it. Not its time, which Ollama sets where a model is made of it."""
    with path.open("rb") as file:
        return os.fstat(file.fileno()).st_ino, hashlib.sha256(file.read()).hexdigest()


@pytest.mark.parametrize("damage", [cut, Path.unlink, *([overwrite, empty] if LONG else [])])
def test_a_damaged_model_file_is_called_so(
    box: Sandbox, server: Server, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = own_model(server, tmp_path, "mine")
    before = as_it_is(weights())
    damage(path)
    for ask in (lambda: server.preload("mine"), lambda: works(server, "mine")):
        with pytest.raises(ServerError, match=r"damaged|is not there"):
            ask()
    assert server.residents() == ()
    assert runners(box.pid) == []
    works(server)  # another one
    server.client.delete("mine")
    own_model(server, tmp_path, "again")  # under the old name Ollama remembers the damage
    works(server, "again")
    assert as_it_is(weights()) == before, "the cache is untouched"


def test_a_model_damaged_while_it_is_resident_answers_until_it_leaves(
    server: Server, tmp_path: Path
) -> None:
    path = own_model(server, tmp_path, "mine")
    works(server, "mine")
    empty(path)
    works(server, "mine")
    server.unload("mine")
    with pytest.raises(ServerError, match="seems to be damaged"):
        server.preload("mine")


def test_no_memory_for_a_model_is_said_with_what_to_do_and_costs_the_others_their_place(
    tmp_path: Path,
) -> None:
    trouble, larger = tmp_path / "trouble.json", f"{SMALL}-f16"
    with (
        Sandbox(models=[SMALL, larger], runner_env={VARIABLE: str(trouble)}) as box,
        Monitor(Server(box.url)) as monitor,
    ):
        server = monitor.server
        server.preload(SMALL)
        until(lambda: is_resident(monitor), "resident")
        trouble.write_text(json.dumps({"load_delay_s": 1, "out_of_memory_at_load": True}))
        with pytest.raises(ServerError, match="There is not enough memory for it: unload"):
            run_agent("Hi.", model=larger, server=server)
        # Ollama made room for a second try
        until(lambda: left(monitor)[:1] == [(SMALL, "evicted")], "evicted")
        assert {model for model, _ in left(monitor)[1:]} == {larger}  # the tries, which were seen
        trouble.unlink()
        works(server, larger)
        server.close()


@pytest.mark.parametrize("answer", ["scripted", "none"])
def test_a_crash_keeps_the_tokens_before_it(tmp_path: Path, answer: str) -> None:
    trouble = tmp_path / "trouble.json"
    trouble.write_text(json.dumps({"crash_at_token": 6, "script": [{"text": TEXT}]}))
    if answer == "none":
        trouble.write_text(json.dumps({"crash_at_token": 1}))
    with Sandbox(models=[SMALL], runner_env={VARIABLE: str(trouble)}) as box:
        server = Server(box.url)
        with pytest.raises((RunFailed, ServerError), match="process that runs the model") as failed:
            run_agent("Count.", model=SMALL, server=server)
        if answer == "scripted":
            assert failed.value.run.answer == "one two three four five"
            assert failed.value.run.timings.ttft_s is not None
        trouble.unlink()
        works(server)
        server.close()


@pytest.mark.slow
def test_a_runner_that_crashes_while_idle_is_seen_and_replaced(tmp_path: Path) -> None:
    trouble = tmp_path / "trouble.json"
    trouble.write_text(json.dumps({"crash_idle_after_s": 2.5, "script": [{"text": TEXT}]}))
    with (
        Sandbox(models=[SMALL], runner_env={VARIABLE: str(trouble)}) as box,
        Monitor(Server(box.url)) as monitor,
    ):
        works(monitor.server)
        until(lambda: left(monitor) == [(SMALL, "crashed")], "crashed")
        trouble.unlink()
        run = works(monitor.server)
        assert (run.timings.load_s or 0) > 0.1, "it was loaded anew"
        until(lambda: left(monitor) == [(SMALL, "crashed"), (SMALL, None)], "resident again")
        monitor.server.close()


@pytest.mark.slow
def test_a_load_that_stalls_is_explained(tmp_path: Path) -> None:
    trouble = tmp_path / "trouble.json"
    trouble.write_text(json.dumps({"load_stalls": True}))
    with Sandbox(
        models=[SMALL], runner_env={VARIABLE: str(trouble)}, OLLAMA_LOAD_TIMEOUT="3s"
    ) as box:
        server = Server(box.url)
        with pytest.raises(ServerError, match=r"The load stalled\. .*OLLAMA_LOAD_TIMEOUT"):
            run_agent("Hi.", model=SMALL, server=server)
        assert runners(box.pid) == []
        trouble.unlink()
        works(server)
        server.close()
