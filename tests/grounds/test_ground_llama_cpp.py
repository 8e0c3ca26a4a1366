"""llama.cpp's own server: with Ollama's routes, as it had them until April 2026, and without."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle_widgets import InARow, ModelPicker, Server, TuningLab, run_agent
from lifecycle_widgets.sandbox.store import record, store
from lifecycle_widgets.server import NotTold
from tests.cases.case_tools import OURS, assert_readable, told, watched
from tests.grounds.ground_tools import SHORT, SMALL
from tests.grounds.programs import free_port, running
from tests.sandbox.sandbox_tools import ask, environment

LAST_WITH_API = "2026.4.8672.1"
"""Later ones have no /api (ggml-org/llama.cpp#22165)."""


@pytest.fixture(scope="module")
def weights(sandbox: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's smallest model, under a name such as people give it."""
    known = record(SMALL)
    assert known is not None
    blobs = (store() / "blobs" / blob for blob in known["blobs"])
    link = tmp_path_factory.mktemp("weights") / "smollm2.gguf"
    link.symlink_to(max(blobs, key=lambda blob: blob.stat().st_size))
    return link


@pytest.fixture(scope="module")
def older(request: pytest.FixtureRequest) -> str:
    """A folder with the older xllamacpp; kept between test runs."""
    folder = Path(str(request.config.cache.mkdir("xllamacpp"))) / LAST_WITH_API
    if not folder.exists():
        scratch = folder.with_name(f"{folder.name}-{os.getpid()}")
        command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--only-binary"]
        command += [":all:", "--target", str(scratch), f"xllamacpp=={LAST_WITH_API}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            pytest.skip(f"xllamacpp {LAST_WITH_API} cannot be had: {done.stderr.strip()[-200:]}")
        if not folder.exists():
            scratch.rename(folder)
    return str(folder)


def start(weights: Path, folder: Path, path: str | None = None) -> Iterator[Server]:
    """llama.cpp's server with these weights."""
    port = free_port()
    script = str(Path(__file__).with_name("llama_cpp.py"))
    command = [sys.executable, script, str(weights), str(port)]
    env = environment(PYTHONPATH=path)
    with running(command, lambda: loaded(port), folder / "llama.txt", env=env):
        yield Server(f"http://127.0.0.1:{port}")


def loaded(port: int) -> bool:
    """Whether the model is loaded; until then everything is answered with 503."""
    try:
        return bool(ask(f"http://127.0.0.1:{port}", "/health"))
    except OSError:
        return False


@pytest.fixture(scope="module")
def with_api(
    older: str, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """As it was until April 2026."""
    yield from start(weights, tmp_path_factory.mktemp("older"), older)


@pytest.fixture(scope="module")
def without_api(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As it is today."""
    yield from start(weights, tmp_path_factory.mktemp("today"))


@pytest.mark.slow
def test_lists_and_what_is_not_told(with_api: Server) -> None:
    [listed] = with_api.models()
    assert (listed.name, listed.size_bytes) == ("smollm2.gguf", None)
    assert listed.can_chat
    assert with_api.version == "not told"
    assert with_api.answers()
    with pytest.raises(NotTold) as not_told:
        with_api.residents()
    assert_readable(str(not_told.value))
    assert with_api.weights_digest(listed.name) is None
    picker = ModelPicker(with_api)
    assert (picker.model, picker.error) == ("smollm2.gguf", "")


@pytest.mark.slow
def test_it_is_found(with_api: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLLAMA_HOST", with_api.url)
    assert Server.find().url == with_api.url


@pytest.mark.slow
def test_a_run(with_api: Server) -> None:
    """It answers /api/chat in OpenAI's form."""
    pieces: list[str] = []
    run = told(
        lambda: run_agent(
            "Say hello.", model="smollm2.gguf", server=with_api, options=SHORT,
            on_text=pieces.append,
        )
    )  # fmt: skip
    if not isinstance(run, str):
        assert run.answer == "".join(pieces)
        assert run.answer
        assert run.timings.ttft_s is not None


@pytest.mark.slow
def test_monitor_and_lab(with_api: Server) -> None:
    with watched(with_api) as monitor:
        for sample in monitor.samples:
            assert (sample.residents, sample.error) == (None, None)
            assert_readable(sample.not_told or "")
            assert sample.ram_used_bytes
    lab = TuningLab(with_api)
    try:
        assert lab.model == "smollm2.gguf"
    finally:
        lab.close()


@pytest.mark.slow
def test_experiments_say_what_is_lacking(with_api: Server) -> None:
    experiment = InARow(server=with_api, keep_alives=(0,), gaps_s=(0.1,))
    assert experiment.plan().rows
    said = told(lambda: experiment.run(may_unload=True))
    assert said


def test_todays_server_is_named_for_what_it_is(without_api: Server) -> None:
    """It speaks OpenAI's API only; that is one sentence, wherever it is asked."""
    for question in (
        without_api.models,
        without_api.residents,
        lambda: run_agent("hi", model="x", server=without_api),
        lambda: Server(f"{without_api.url}/v1").models(),
    ):
        with pytest.raises(OURS) as refused:
            question()
        assert_readable(str(refused.value))
    picker = ModelPicker(without_api)
    assert_readable(picker.error)
    with watched(without_api) as monitor:
        assert len(monitor.samples) >= 2
    lab = TuningLab(without_api)
    lab.close()
