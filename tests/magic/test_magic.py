"""The magic in a shell: what streams, what is left, what is said when something is wrong."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import pytest

from lifecycle_widgets.runs import Run
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.griptape_tools import CLOCK, clock
from tests.recorded import RecordedServer, chat, chunk, final, ollama
from tests.scripted import SCRIPTED, SMALL, Script

PROMPT = "It's {{ 1 + 1 }} {shell} $HOME {% if\n--model x\n!ls\n%time y?"


def shown(capsys: pytest.CaptureFixture[str]) -> tuple[list[str], str]:
    """The lines that were printed, and what came to stderr."""
    told = capsys.readouterr()
    return told.out.splitlines(), told.err


@pytest.fixture
def last(shell: Any) -> Any:
    """The shell's ``_``, once it has a run."""

    def read() -> Run:
        run = shell.user_ns["_"]
        assert isinstance(run, Run)
        return run

    return read


def test_a_cell_streams_and_leaves_the_run(
    shell: Any, box: Sandbox, script: Script, last: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script({"text": "<b>Yes.</b>\nIt is."})
    done = shell.run_cell(
        f"%%agent --server {box.url} --model {SMALL} --keep-alive 1m --as asked\n{PROMPT}"
    )
    assert done.success
    assert done.result is None, "nothing is printed for it"
    [first, second, cost], err = shown(capsys)
    assert (first, second, err) == ("<b>Yes.</b>", "It is.", "")
    assert cost.startswith(f"[{SMALL}, keep_alive 1m: ")
    assert " (load " in cost
    assert "first token after " in cost
    run = last()
    assert run is shell.user_ns["asked"]
    assert (run.prompt, run.answer) == (PROMPT, "<b>Yes.</b>\nIt is.")
    assert str(run.keep_alive) == "1m"


def test_a_line_a_loop_and_what_is_remembered(
    shell: Any, box: Sandbox, script: Script, last: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script({"text": "Yes."})
    shell.push({"box": box, "model": SMALL})
    shell.run_cell(
        "runs = []\nfor keep_alive in ('1m', '2m'):\n"
        "    %agent --server box --model {model} --keep-alive $keep_alive What's {x}, and why?\n"
        "    runs.append(_)"
    )
    assert [str(run.keep_alive) for run in shell.user_ns["runs"]] == ["1m", "2m"]
    assert last().prompt == "What's {x}, and why?"
    shell.run_cell("%agent --option num_predict=3 And now?")
    assert (last().model, last().options) == (SMALL, {"num_predict": 3})
    assert last().server_url == box.url
    assert shown(capsys)[1] == ""


def test_without_a_model_it_is_the_smallest(shell: Any, last: Any) -> None:
    with RecordedServer(ollama()) as recorded:
        shell.run_cell(f"%agent --server {recorded.url} Hi")
        assert last().model == "tiny:1b"
    with RecordedServer(ollama(tags={"models": []})) as other:
        done = shell.run_cell(f"%agent --server {other.url} Hi")
    assert "has no models" in str(done.error_in_exec), "the model was of another server"


def test_thinking_rules_and_options_are_sent(shell: Any, last: Any) -> None:
    with RecordedServer(ollama()) as recorded:
        shell.run_cell(
            f"%%agent --server {recorded.url} --think low --rules 'Be brief.' --no-hold\nHi"
        )
        [asked] = recorded.asked("/api/chat")
    assert asked.json["think"] == "low"
    assert "Be brief." in asked.json["messages"][0]["content"]
    assert last().think == "low"
    assert not last().held


def test_tools_of_the_notebook(
    shell: Any, box: Sandbox, script: Script, last: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script({"text": "Let me see.", "tool_calls": [CLOCK]}, {"text": "It is noon."})
    shell.push({"mine": [clock()], "box": box})
    shell.run_cell(f"%agent --server box --model {SCRIPTED} --tools mine --keep-alive 0 Time?")
    [before, tools, after, cost], _ = shown(capsys)
    assert (before, after) == ("Let me see.", "It is noon.")
    assert tools.startswith("[Clock_now: ")
    assert "2 requests, 1 load" in cost, "it was held"
    assert last().answer == "It is noon."


def test_a_structure_of_the_notebook(
    shell: Any, box: Sandbox, script: Script, last: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.structures import Pipeline
    from griptape.tasks import PromptTask

    def task(name: str, prompt: str) -> PromptTask:
        return PromptTask(prompt, id=name, prompt_driver=OllamaPromptDriver(model=SMALL))

    script({"text": "Yes."})
    pipe = Pipeline(tasks=[task("draft", "{{ args[0] }}"), task("review", "{{ parent_output }}")])
    shell.push({"pipe": pipe, "box": box})
    shell.run_cell("%agent --structure pipe --server box --keep-alive 1m Is it?")
    lines, err = shown(capsys)
    assert lines[:-1] == [f"[draft, {SMALL}]", "Yes.", f"[review, {SMALL}]", "Yes."]
    assert (last().structure, err) == ("Pipeline", "")


def test_control_characters_are_shown_as_signs(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = chat(chunk("a\x1b]0;title\x07\r\x9b2J\tb"), final())
    with RecordedServer(ollama(chat=answer)) as recorded:
        shell.run_cell(f"%agent --server {recorded.url} Hi")
    assert shown(capsys)[0][0] == "a␛]0;title␇␍\ufffd2J\tb"


# --- what goes wrong -----------------------------------------------------------------------------


def said(shell: Any, cell: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence that a cell ends with."""
    done = shell.run_cell(cell)
    assert done.error_in_exec is not None
    lines, err = shown(capsys)
    told = [line for line in [*lines, *err.splitlines()] if line.strip()]
    assert not any("Traceback" in line or 'File "' in line for line in told)
    return told[-1]


@pytest.mark.parametrize(
    ("cell", "sentence"),
    [
        ("%agent --modell x Hi", "UsageError: There is no option --modell."),
        ("%agent --keep-alive 1d Hi", "UsageError: keep_alive '1d'"),
        ("%%agent --model x\n  \n", "UsageError: The prompt is empty."),
        ("%agent --server h:x Hi", "UsageError: "),
        ("%agent --tools none Hi", "UsageError: There is no variable 'none' here."),
        ("%agent --tools pi Hi", "UsageError: pi has a float, which is no tool"),
        ("%agent --structure pi Hi", "UsageError: A float is no griptape structure."),
        ("%agent --server localhost:9 Hi", "ServerUnreachable: "),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    cell: str, sentence: str, shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.push({"pi": 3.14})
    told = said(shell, cell, capsys)
    assert told.startswith(sentence)
    assert "_" not in shell.user_ns or not isinstance(shell.user_ns["_"], Run)


def test_what_means_nothing_among_the_options(
    shell: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with RecordedServer(ollama()) as recorded:
        cell = f"%agent --server {recorded.url} --option keep_alive=0 Hi"
        assert said(shell, cell, capsys).startswith("UsageError: 'keep_alive' means nothing in op")


def test_a_model_that_is_not_there(
    shell: Any, box: Sandbox, script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    script({"text": "Yes."})
    told = said(shell, f"%agent --server {box.url} --model smollm:135m Hi", capsys)
    assert told.startswith("UnknownModel: The model 'smollm:135m' is not installed")
    assert "Did you mean smollm2:135m" in told
    shell.run_cell(f"%agent --server {box.url} Hi")
    assert shell.user_ns["_"].model == SMALL, "a wrong name is not remembered"


def test_a_run_that_fails_is_kept(
    shell: Any, last: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with RecordedServer(ollama(chat=chat(chunk("So far"), {"error": "boom"}))) as recorded:
        told = said(shell, f"%%agent --server {recorded.url}\nHi", capsys)
    assert told.startswith("RunFailed: tiny:1b failed in the middle of its answer (boom).")
    assert (last().answer, "boom" in (last().error or "")) == ("So far", True)


def test_a_time_limit(
    shell: Any, box: Sandbox, script: Script, last: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script({"text": "word " * 200}, token_delay_s=0.1)
    told = said(shell, f"%agent --server {box.url} --model {SMALL} --timeout 1.5 Hi", capsys)
    assert told.startswith("RunTimedOut: ")
    assert last().error


def test_an_interrupt_stops_it_and_keeps_what_came(
    shell: Any, box: Sandbox, script: Script, last: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    script({"text": "word " * 200}, token_delay_s=0.1)
    server = Server(box.url)
    server.preload(SMALL, "1m")
    press = threading.Timer(1.5, os.kill, (os.getpid(), signal.SIGINT))
    press.start()
    told = said(shell, f"%%agent --server {box.url} --model {SMALL}\nHi", capsys)
    press.cancel()
    assert told.startswith("KeyboardInterrupt: the run was stopped")
    assert last().stopped
    assert last().answer.startswith("word word")
    assert last().timings.total_s < 3.0
    server.unload(SMALL)  # raises while the server is still at it


def test_loading_it_twice_is_well(shell: Any, last: Any) -> None:
    shell.run_line_magic("reload_ext", "lifecycle_widgets")
    with RecordedServer(ollama()) as recorded:
        shell.run_cell(f"%agent --server {recorded.url} Is it?")
        assert len(recorded.asked("/api/chat")) == 1
    assert last().prompt == "Is it?"
