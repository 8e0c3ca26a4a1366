"""llama.cpp's own server: with Ollama's routes, as it had them until April 2026, and without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle_widgets import InARow, ModelPicker, Server, TuningLab, run_agent
from lifecycle_widgets.server import NotTold
from tests.cases.case_tools import OURS, assert_readable, told, watched
from tests.grounds.ground_tools import SHORT
from tests.grounds.llama_server import linked_weights, llama_cpp, older


@pytest.fixture(scope="module")
def weights(sandbox: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sandbox's smallest model, under a name such as people give it."""
    return linked_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def with_api(
    request: pytest.FixtureRequest, weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """As it was until April 2026; kept between test runs."""
    kept = Path(str(request.config.cache.mkdir("xllamacpp")))
    with llama_cpp(weights, tmp_path_factory.mktemp("older"), older(kept)) as url:
        yield Server(url)


@pytest.fixture(scope="module")
def without_api(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """As it is today."""
    with llama_cpp(weights, tmp_path_factory.mktemp("today")) as url:
        yield Server(url)


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
