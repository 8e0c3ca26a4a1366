"""A sandbox that runs: what it has, what it costs, how it is set up."""

from __future__ import annotations

import json
import os
import socket
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from sandbox_tools import SMALL, all_gone, ask, eventually, generate, load, runners

from lifecycle_widgets.sandbox import MODELS, Sandbox, SandboxError
from lifecycle_widgets.sandbox.errors import PortTaken, StartFailed


def test_answers_as_a_real_ollama(sandbox: Sandbox) -> None:
    version = ask(sandbox.url, "/api/version")["version"]
    assert sandbox.version == version
    assert version.count(".") == 2
    assert sandbox.is_running
    assert sandbox.origin in ("PATH", "built")
    assert os.access(sandbox.program, os.X_OK)
    assert psutil.Process(sandbox.pid).cmdline()[-1] == "serve"
    assert "Listening on" in sandbox.log_path.read_text()


def test_has_three_models_of_really_different_size(sandbox: Sandbox) -> None:
    tags = {m["name"]: m for m in ask(sandbox.url, "/api/tags")["models"]}
    kinds = {name: tags[name]["details"]["quantization_level"] for name in MODELS}
    assert list(kinds.values()) == ["Q8_0", "F16", "F32"]
    sizes = [tags[name]["size"] for name in MODELS]
    assert sizes == pytest.approx([145e6, 271e6, 540e6], rel=0.01)
    assert all(tags[name]["details"]["family"] == "llama" for name in MODELS)


@pytest.mark.parametrize("model", MODELS)
def test_every_model_writes_text(sandbox: Sandbox, model: str) -> None:
    answer = generate(sandbox.url, model, tokens=24, keep_alive=0)
    assert "River" in answer["response"]
    assert answer["eval_count"] == 24
    assert answer["load_duration"] > 0


def test_chat_knows_the_template(sandbox: Sandbox) -> None:
    body = {"model": SMALL, "stream": False, "options": {"temperature": 0, "num_predict": 12}}
    body["messages"] = [{"role": "user", "content": "What is the capital of France?"}]
    assert "Paris" in ask(sandbox.url, "/api/chat", body)["message"]["content"]


def test_answers_in_a_given_schema(sandbox: Sandbox) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    answer = generate(sandbox.url, tokens=40, format=schema)
    assert answer["response"].lstrip().startswith("{")


def test_unloading_gives_the_memory_back() -> None:
    with Sandbox(models=[SMALL]) as sandbox:
        load(sandbox.url)
        (runner,) = runners(sandbox.pid)
        assert runner.memory_info().rss > 145e6
        # The weights are memory of its own, not pages of a file that the kernel may drop.
        if hasattr(runner.memory_info(), "shared"):
            assert runner.memory_info().rss - runner.memory_info().shared > 145e6
        (resident,) = ask(sandbox.url, "/api/ps")["models"]
        assert resident["size"] == pytest.approx(runner.memory_info().rss, rel=0.25)
        ask(sandbox.url, "/api/generate", {"model": SMALL, "keep_alive": 0})
        assert all_gone([runner.pid])
        assert eventually(lambda: not ask(sandbox.url, "/api/ps")["models"])


def test_one_runner_for_each_resident_model() -> None:
    with Sandbox(models=MODELS[:2]) as sandbox:
        for model in MODELS[:2]:
            load(sandbox.url, model)
        assert len(runners(sandbox.pid)) == 2
        if psutil.LINUX:
            assert {runner.name() for runner in runners(sandbox.pid)} == {"llama-server"}


def test_settings_are_keywords(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_KEEP_ALIVE", "7h")  # the person's own: not for the sandbox
    with Sandbox(models=MODELS[:2], OLLAMA_MAX_LOADED_MODELS=1, OLLAMA_CONTEXT_LENGTH=1024) as box:
        for model in MODELS[:2]:
            load(box.url, model)
        (resident,) = ask(box.url, "/api/ps")["models"]
        assert resident["name"] == MODELS[1]
        assert resident["context_length"] == 1024
        assert "OLLAMA_KEEP_ALIVE:5m0s" in box.log_path.read_text()


def test_runs_with_a_quantised_cache_and_threads() -> None:
    with Sandbox(
        models=[SMALL], OLLAMA_FLASH_ATTENTION=True, OLLAMA_KV_CACHE_TYPE="q8_0"
    ) as sandbox:
        answer = generate(sandbox.url, options={"num_thread": 1, "num_gpu": 0, "num_keep": 4})
        assert answer["response"]
        log = sandbox.log_path.read_text()
        assert "--cache-type-k q8_0" in log
        assert "-t 1" in log


@pytest.mark.parametrize(
    ("keywords", "advice"),
    [
        ({"OLLAMA_HOST": "0.0.0.0"}, "port"),
        ({"OLLAMA_MODELS": "/x"}, "models"),
        ({"OLLAMA_KEEPALIVE": "5m"}, "Did you mean OLLAMA_KEEP_ALIVE?"),
        ({"keep_alive": "5m"}, "Did you mean OLLAMA_KEEP_ALIVE?"),
        ({"nonsense": 1}, "runner_env"),
    ],
)
def test_other_keywords_are_refused_with_advice(keywords: dict[str, str], advice: str) -> None:
    with pytest.raises(TypeError) as error:
        Sandbox(**keywords)  # type: ignore[arg-type]
    assert advice in str(error.value)


def test_unknown_models_and_ports_are_refused() -> None:
    with pytest.raises(ValueError, match=r"nope.*smollm2:135m-f32"):
        Sandbox(models=["nope"])
    with pytest.raises(ValueError, match="65535"):
        Sandbox(port=70000)


def test_a_free_port_each_and_nothing_of_the_other() -> None:
    with Sandbox(models=[SMALL]) as one, Sandbox(models=()) as other:
        assert one.port != other.port
        assert ask(other.url, "/api/tags")["models"] == []
        assert psutil.Process(one.pid).environ()["HOME"] != os.environ.get("HOME")


def test_the_port_that_was_asked_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        box = Sandbox(models=(), port=port)
        with pytest.raises(PortTaken, match=str(port)):
            box.start()
        assert not box.is_running
    with box:  # free again: the same object can be started now
        assert box.url == f"http://127.0.0.1:{port}"


def test_deleting_a_model_leaves_the_cache_alone() -> None:
    with Sandbox(models=[SMALL]) as sandbox:
        copy = {"source": SMALL, "destination": "mine"}
        for method, path, body in (
            ("POST", "/api/copy", copy),
            ("DELETE", "/api/delete", {"model": SMALL}),
            ("DELETE", "/api/delete", {"model": "mine"}),
        ):
            request = urllib.request.Request(
                sandbox.url + path, json.dumps(body).encode(), method=method
            )
            urllib.request.urlopen(request, timeout=10).close()
        assert ask(sandbox.url, "/api/tags")["models"] == []
    with Sandbox(models=[SMALL]) as sandbox:
        assert generate(sandbox.url)["response"]


def test_starts_in_well_under_two_seconds_and_stops_completely() -> None:
    box = Sandbox()
    began = time.monotonic()
    box.start()
    assert time.monotonic() - began < 2.0
    folder, pids = box.log_path.parent, [box.pid, psutil.Process(box.pid).ppid()]
    load(box.url)
    pids += [runner.pid for runner in runners(box.pid)]
    box.stop()
    assert all_gone(pids)
    assert not folder.exists()
    assert not box.is_running
    assert "POST" in box.log_tail(5)
    box.stop()
    assert repr(box) == "Sandbox(not running)"
    with box:
        assert ask(box.url, "/api/version")
        assert str(box.port) in repr(box)


def test_a_sandbox_that_was_never_started_says_so() -> None:
    with pytest.raises(SandboxError, match="start"):
        _ = Sandbox().url


def test_a_start_that_fails_shows_the_log(tmp_path: Path) -> None:
    # Ollama ends at once when its models folder is a file.
    (tmp_path / "file").touch()
    box = Sandbox(models=(), runner_env={"OLLAMA_MODELS": str(tmp_path / "file")})
    with pytest.raises(StartFailed, match="not a directory"):
        box.start()
    assert not box.is_running
