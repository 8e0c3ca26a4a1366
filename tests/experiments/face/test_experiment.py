"""The common face: consent, Stop, faults, what is kept, and that nothing is left in memory."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from lifecycle_widgets.experiments import (
    ColdAndWarm,
    Experiment,
    ExperimentFailed,
    NeedsConsent,
    Plan,
    Result,
    Step,
    load_result,
)
from lifecycle_widgets.experiments.face.experiment import Row
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server, ServerUnreachable, UnknownModel
from tests.somebody import preloads, somebodys

MODEL = "smollm2:135m"
LONG = {"num_predict": 2000, "temperature": 0}


class CountedResult(Result):
    kind = "counted"

    def _verdict(self) -> str:
        return f"{len(self.frame)} answers, {self.frame['load_s'].sum():.1f} s of loading."

    @property
    def figure(self) -> Any:
        import plotly.graph_objects as go

        return go.Figure()


class Counted(Experiment[CountedResult]):
    """Asks the same thing a few times; ``options`` make the answers short or long."""

    result_kind = CountedResult

    def __init__(self, server: Server, *, rows: int = 3, memory_bytes: int = 0, **options: Any):
        super().__init__(server)
        self.rows, self.memory_bytes = rows, memory_bytes
        self.options = {"num_predict": 5, **options}
        self.cleaned_up = 0

    def plan(self) -> Plan:
        return Plan("Ask.", self.rows, 2.0 * self.rows, self.memory_bytes, (MODEL,))

    def _settings(self) -> dict[str, Any]:
        return {"options": self.options}

    def _measure(self) -> Iterator[Row]:
        try:
            for number in range(self.rows):
                self._say(f"answer {number + 1}")
                run = self._ask(
                    "Write a long story about a lighthouse.",
                    model=MODEL,
                    keep_alive="5m",
                    options=self.options,
                )
                yield {"number": number + 1, "load_s": run.timings.load_s, "was": run.was_resident}
        finally:
            self.cleaned_up += 1


def test_it_measures_tells_how_far_it_is_and_leaves_nothing(server: Server) -> None:
    steps: list[Step] = []
    experiment = Counted(server)
    result = experiment.run(on_step=steps.append)
    assert [(s.done, s.total, s.what) for s in steps] == [
        (0, 3, "answer 1"), (1, 3, "answer 2"), (2, 3, "answer 3"),
    ]  # fmt: skip
    assert list(result.frame["was"]) == [False, True, True]
    assert result.is_complete
    assert experiment.result is result
    assert result.facts["server_url"] == server.url
    assert result.facts["server_kind"] == "private sandbox"
    assert result.facts["planned"] == 3
    assert result.facts["seconds"] > 0
    assert server.residents() == ()
    assert experiment.cleaned_up == 1


def test_it_can_be_run_again(server: Server) -> None:
    experiment = Counted(server, rows=1)
    assert len(experiment.run().frame) == len(experiment.run().frame) == 1
    assert experiment.cleaned_up == 2


def test_saved_and_loaded_it_is_the_same(server: Server, tmp_path: Path) -> None:
    result = Counted(server, rows=2).run()
    again = load_result(result.save(tmp_path / "deep" / "folder"))
    assert type(again) is CountedResult
    pd.testing.assert_frame_equal(again.frame, result.frame)
    assert again.facts == result.facts
    assert again.verdict == result.verdict


def test_a_folder_without_a_result_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no saved result in"):
        load_result(tmp_path)
    (tmp_path / "frame.csv").write_text("a\n1\n")
    (tmp_path / "facts.json").write_text('{"kind": "nothing we know"}')
    with pytest.raises(ValueError, match="cannot be read"):
        load_result(tmp_path)


def test_stop_ends_an_answer_at_once_and_keeps_what_there_is(server: Server) -> None:
    experiment = Counted(server, rows=5)
    experiment.options = {**LONG, "num_predict": 30}

    def stop_in_the_second(step: Step) -> None:
        if step.done == 1:
            experiment.options.update(LONG)  # this one would take half a minute
            threading.Timer(1.0, experiment.stop).start()

    begun = time.monotonic()
    result = experiment.run(on_step=stop_in_the_second)
    assert time.monotonic() - begun < 20
    assert len(result.frame) == 1
    assert result.facts["stopped"]
    assert not result.is_complete
    assert result.verdict.startswith("Measured 1 of 5, then it was stopped. 1 answers")
    assert server.residents() == ()
    assert experiment.cleaned_up == 1


def test_stopped_before_anything_was_measured(server: Server) -> None:
    experiment = Counted(server)
    result = experiment.run(on_step=lambda _: experiment.stop())
    assert result.frame.empty
    assert result.verdict == "Nothing was measured, then it was stopped."


def test_an_interrupt_is_passed_on_and_what_there_is_is_kept(server: Server) -> None:
    experiment = Counted(server)

    def interrupt(step: Step) -> None:
        if step.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"stopped after 2 of 3 .* is in its \.result"):
        experiment.run(on_step=interrupt)
    assert experiment.result is not None
    assert "then it was stopped" in experiment.result.verdict
    assert len(experiment.result.frame) == 2
    assert experiment.result.facts["stopped"]
    assert server.residents() == ()


def test_a_server_that_dies_leaves_what_was_measured() -> None:
    with Sandbox() as own:
        experiment = Counted(Server(own.url))

        def kill(step: Step) -> None:
            if step.done == 2:
                os.kill(own.pid, signal.SIGKILL)

        with pytest.raises(ExperimentFailed, match=r"2 of 3 measurements are kept") as caught:
            experiment.run(on_step=kill)
    result = caught.value.result
    assert result is not None
    assert len(result.frame) == 2
    assert result is experiment.result
    assert result.facts["error"]
    assert "then it failed" in result.verdict
    assert experiment.cleaned_up == 1


def test_it_asks_before_it_unloads_what_it_did_not_load() -> None:
    with somebodys() as own:
        server = Server(own.url)
        preloads(own.url, MODEL, "10m")
        experiment = Counted(server, rows=1)
        with pytest.raises(NeedsConsent, match=f"{MODEL} is in memory already") as caught:
            experiment.run()
        assert caught.value.models == (MODEL,)
        assert server.resident(MODEL) is not None, "nothing may have been touched"
        assert experiment.cleaned_up == 0
        assert len(experiment.run(may_unload=True).frame) == 1
        assert server.resident(MODEL) is None


def test_other_models_are_left_alone() -> None:
    with somebodys() as own:
        server = Server(own.url)
        preloads(own.url, "smollm2:135m-f16", "10m")
        Counted(server, rows=1).run()
        assert [r.name for r in server.residents()] == ["smollm2:135m-f16"]


def test_a_model_that_is_not_installed(server: Server) -> None:
    with pytest.raises(UnknownModel, match="Did you mean"):
        ColdAndWarm("smollm2:135", server=server).run()


def test_a_model_that_is_too_large(server: Server) -> None:
    with pytest.raises(MemoryError, match=r"needs about 1000000\.0 GB .* Choose a smaller model"):
        Counted(server, memory_bytes=10**15).run()
    assert server.residents() == ()


def test_no_server() -> None:
    with Sandbox() as own:
        server = Server(own.url)
    with pytest.raises(ServerUnreachable, match="No Ollama answers"):
        Counted(server).run()


def test_it_runs_once_at_a_time(server: Server) -> None:
    experiment = Counted(server, rows=1)
    refused: list[str] = []

    def again(_: Step) -> None:
        with pytest.raises(RuntimeError) as caught:
            experiment.run()
        refused.append(str(caught.value))

    experiment.run(on_step=again)
    assert "is running" in refused[0]


def test_a_markdown_verdict_is_text() -> None:
    facts = {"stopped": False, "error": "<b>*bold*</b>", "planned": 1}
    shown = CountedResult(pd.DataFrame(), facts)._repr_markdown_()
    assert "\\<b\\>\\*bold\\*" in shown


def test_a_markdown_plan_says_how_long_and_how_much() -> None:
    plan = Plan("Ask <b> twice.", 2, 95.4, 300_000_000, notes=("Side by side.",))
    first, _, note = plan._repr_markdown_().splitlines()
    assert first == "Ask \\<b\\> twice. 2 measurements, about 2 min, up to about 0.3 GB of memory."
    assert note == "- Side by side."
