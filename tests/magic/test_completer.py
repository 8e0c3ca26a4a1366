"""The Tab key behind the magic."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter

from lifecycle_widgets.magic.arguments import OPTIONS
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE
from tests.recorded import Answer, RecordedServer, model, ollama, tags

MODELS = tags(model("smollm2:135m"), model("hf.co/bartowski/Qwen:Q4_K_M"), model("llama3:8b"))


def completed(shell: Any, line: str) -> list[str]:
    """What is offered at the end of the line, as a page, or a terminal, asks for it."""
    with provisionalcompleter():
        offered = list(shell.Completer.completions(line, len(line)))
    assert all((line[: one.start] + one.text).startswith(line) for one in offered)
    return [one.text for one in offered]


@pytest.mark.parametrize("magic", ["%agent", "%%agent"])
def test_options(magic: str, shell: Any) -> None:
    assert completed(shell, f"{magic} --mo") == ["--model"]
    assert completed(shell, f"{magic} --model a:1 --") == [*OPTIONS]
    assert completed(shell, f"{magic} ") == [*OPTIONS]
    assert completed(shell, f"{magic} --no-hold --th") == ["--think"]
    assert "--model" not in completed(shell, f"{magic} --model a:1 Why is th")


@pytest.mark.parametrize("magic", ["%agent", "%%agent"])
def test_models(magic: str, shell: Any) -> None:
    with RecordedServer(ollama(tags=MODELS)) as recorded:
        where = f"{magic} --server {recorded.url}"
        assert completed(shell, f"{where} --model sm") == ["smollm2:135m"]
        assert completed(shell, f"{where} --model smollm2:1") == ["smollm2:135m"]
        assert completed(shell, f"{where} --model=ll") == ["llama3:8b"]
        assert completed(shell, f"{where} --model hf.co/b") == ["hf.co/bartowski/Qwen:Q4_K_M"]
        assert len(completed(shell, f"{where} --model ")) == 3
        assert len(recorded.asked("/api/tags")) == 1, "asked once for all"


def test_models_of_the_server_that_a_run_would_take(
    shell: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SANDBOX_URL_VARIABLE, raising=False)
    with RecordedServer(ollama(tags=MODELS)) as recorded:
        monkeypatch.setenv("OLLAMA_HOST", recorded.url)
        assert completed(shell, "%%agent --model sm") == ["smollm2:135m"]


def test_models_of_the_last_server(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with RecordedServer(ollama()) as recorded:
        shell.run_cell(f"%agent --server {recorded.url} Hi")
        assert completed(shell, "%%agent --model ti") == ["tiny:1b"]


def test_values_and_variables(shell: Any) -> None:
    with RecordedServer(ollama(tags=MODELS)) as recorded:
        shell.push({"clock": SimpleNamespace(activities=list), "pipe": SimpleNamespace(tasks=[])})
        shell.push({"mine": recorded, "_hidden": recorded})
        assert completed(shell, "%%agent --keep-alive f") == ["forever"]
        assert completed(shell, "%%agent --think o") == ["on", "off"]
        assert completed(shell, "%%agent --option num_c") == ["num_ctx="]
        assert completed(shell, "%%agent --tools c") == ["clock"]
        assert completed(shell, "%%agent --structure ") == ["pipe"]
        assert completed(shell, "%%agent --server mi") == ["mine"]
        assert completed(shell, "%%agent --server mine --model ll") == ["llama3:8b"]


def test_a_server_that_hangs_or_is_not_there_holds_nothing_up(shell: Any) -> None:
    with RecordedServer(ollama(tags=Answer(MODELS, delay_s=1.0))) as slow:
        began_s = time.monotonic()
        line = f"%%agent --server {slow.url} --model sm"
        assert completed(shell, line) == []
        assert time.monotonic() - began_s < 0.95
        time.sleep(1.0)
        assert completed(shell, line) == ["smollm2:135m"], "it came meanwhile"
    assert not completed(shell, "%%agent --server localhost:9 --model sm")
    assert not completed(shell, "%%agent --server nonsense:x --model sm")
