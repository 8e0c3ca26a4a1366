"""A lesson tells a claim that fails from one that could not be seen because of others."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lifecycle_widgets.experiments import ColdAndWarm
from lifecycle_widgets.lessons import Lesson
from lifecycle_widgets.neighbours import VARIABLE
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

MODEL, MIDDLE, LARGE = "smollm2:135m", "smollm2:135m-f16", "smollm2:135m-f32"


@pytest.fixture(autouse=True)
def _own_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What other workers' lessons announce is not seen here."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "board"))


@pytest.fixture
def lesson(server: Server) -> Iterator[Lesson]:
    """On the tests' sandbox, which is shared, as a lab's is by its kernels."""
    lesson = Lesson(server)
    yield lesson
    lesson.close()


def somebody_asks(server: Server, model: str, keep_alive: object) -> None:
    """Another client, of which this process knows nothing."""
    body = {"model": model, "prompt": "Hi", "stream": False, "keep_alive": keep_alive}
    body["options"] = {"num_predict": 1}
    httpx.post(f"{server.url}/api/generate", json=body, timeout=60).raise_for_status()


def test_it_takes_the_smallest_model_and_says_what_it_measures(lesson: Lesson) -> None:
    assert lesson.model == MODEL
    assert lesson.server.url in repr(lesson)
    assert f"This lesson loads and unloads {MODEL}." in repr(lesson)


def test_it_leaves_alone_what_somebody_has_in_memory(lesson: Lesson) -> None:
    server = lesson.server
    assert lesson.ready()
    somebody_asks(server, MODEL, "1h")
    assert lesson.free() == [MIDDLE, LARGE]
    assert not lesson.ready()
    assert Lesson(server, may_unload=True).model == MODEL


def test_what_it_has_loaded_itself_is_its_own(lesson: Lesson) -> None:
    lesson.server.preload(MODEL, "5m")
    assert lesson.ready()
    assert lesson.free()[0] == MODEL
    assert Lesson(lesson.server).model == MODEL, "when its first cell is run again"


def test_where_no_model_is_free_it_says_so_and_goes_on(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    for model in (MODEL, MIDDLE, LARGE):
        somebody_asks(server, model, "1h")
    lesson = Lesson(server)
    assert lesson.model is None
    assert "somebody may be using it" in repr(lesson)
    assert "left out below" in repr(lesson)
    assert not lesson.ready()
    assert lesson.result_of(None) is None
    lesson.close()


def test_it_wants_more_models_than_are_free(server: Server) -> None:
    for model in (MIDDLE, LARGE):
        somebody_asks(server, model, "1h")
    lesson = Lesson(server, models=3, at_least=2)
    assert lesson.models == ()
    assert f"Only {MODEL} can be used" in repr(lesson)
    lesson.close()


def test_a_claim_that_holds(lesson: Lesson, capsys: pytest.CaptureFixture[str]) -> None:
    lesson.expect(True, "the model has left", "it is there")
    assert capsys.readouterr().out == "As expected: the model has left.\n"


def test_a_claim_that_fails_with_nobody_there(lesson: Lesson) -> None:
    assert lesson.ready()
    lesson.server.preload(MODEL, "5m")
    with pytest.raises(AssertionError) as failed:
        lesson.expect(False, "the model has left", "it is there")
    assert str(failed.value).startswith("Expected: the model has left. Seen: it is there. Nobody")
    assert "Run the lesson again" in str(failed.value)


@pytest.mark.parametrize("keep_alive", ["5m", 0])
def test_a_claim_that_somebody_else_has_disturbed(
    keep_alive: object, lesson: Lesson, capsys: pytest.CaptureFixture[str]
) -> None:
    assert lesson.ready()
    lesson.server.preload(MODEL, "5m")
    time.sleep(1)  # the monitor sees it
    somebody_asks(lesson.server, MODEL, keep_alive)
    lesson.expect(False, "it is in memory for five minutes", "it is not")
    said = capsys.readouterr().out
    assert f"Somebody else used {MODEL} meanwhile" in said or "made smollm2:135m leave" in said
    assert "so this cannot be checked" in said


def test_what_somebody_did_before_is_no_excuse(lesson: Lesson) -> None:
    somebody_asks(lesson.server, MODEL, 0)
    time.sleep(2)
    assert lesson.ready()
    with pytest.raises(AssertionError):
        lesson.expect(False, "the model has left", "it is there")


def test_another_notebook_on_the_same_server_is_named(
    lesson: Lesson, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "import sys, lifecycle_widgets as lw; lesson = lw.Lesson(sys.argv[1]); "
    code += "print(lesson.model, flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code, lesson.server.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=dict(os.environ),
    )
    assert other.stdin
    assert other.stdout
    with other:
        assert other.stdout.readline() == f"{MIDDLE}\n", "the other one is taken, it has been told"
        assert "1 more notebook on this Ollama" in repr(lesson)
        lesson.expect(False, "nothing happens", "something did")
        assert "Another notebook used this Ollama" in capsys.readouterr().out
        other.stdin.close()
    assert "more notebook" not in repr(lesson), "it has ended"


def test_on_a_persons_own_ollama_a_claim_that_fails_is_said(
    capsys: pytest.CaptureFixture[str], sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SANDBOX_URL_VARIABLE, "")
    lesson = Lesson(sandbox.url)  # by its address alone
    lesson.expect(False, "the model has left", "it is there")
    assert "This is your own Ollama" in capsys.readouterr().out
    lesson.close()


def test_an_experiment_on_what_somebody_holds_is_not_run(
    lesson: Lesson, capsys: pytest.CaptureFixture[str]
) -> None:
    somebody_asks(lesson.server, MODEL, "1h")
    assert lesson.result_of(ColdAndWarm(MODEL, rounds=2, server=lesson.server)) is None
    assert "is in memory already" in capsys.readouterr().out
    assert lesson.server.resident(MODEL), "it was left alone"


def test_an_experiment_that_fails_with_nobody_there_is_a_fault(lesson: Lesson) -> None:
    class Broken(ColdAndWarm):
        def _measure(self):  # type: ignore[no-untyped-def]
            raise ValueError("The thermometer is broken.")
            yield {}

    from lifecycle_widgets.experiments import ExperimentFailed

    with pytest.raises(ExperimentFailed, match="thermometer is broken"):
        lesson.result_of(Broken(MODEL, rounds=2, server=lesson.server))


def test_it_waits_until_its_model_is_gone(
    lesson: Lesson, capsys: pytest.CaptureFixture[str]
) -> None:
    lesson.server.preload(MODEL, "1s")
    gone_s = lesson.wait_until_gone(20)
    assert gone_s is not None
    assert gone_s < 10
    lesson.server.preload(MODEL, "5m")
    assert lesson.wait_until_gone(0.2) is None
    assert "is still in memory after 0.2 s" in capsys.readouterr().out
