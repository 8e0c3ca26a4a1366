"""How soon a run ends that is stopped, and how soon its server has nothing to do, at each stage."""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from griptape.drivers.prompt.ollama import OllamaPromptDriver
from griptape.structures import Agent, Pipeline, Workflow
from griptape.tasks import PromptTask

from lifecycle_widgets.agent import StepBegan, StepEnded, StructureRun, Text, ToolsBegan
from lifecycle_widgets.agent.events import RunEvent
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import TEMPLATE, VARIABLE
from lifecycle_widgets.server import Server
from tests.bench.agent.arms import KEPT, MODEL, PROMPT
from tests.bench.agent.spread import Row, median_and_worst
from tests.griptape_tools import CLOCK, clock

TIMES = 10
OTHER, SCRIPTED = "smollm2:135m-f16", "scripted"
_LOAD_S, _TOOL_S = 3.0, 2.0
_LATER_S = 0.3  # into a load, a prompt, a tool
_PIECES = 20
_WORDS = 1500  # of a prompt: some seconds' reading
_QUIET_S = 0.5  # a runner that uses nothing for so long has nothing to do
_LOOK_S = 0.002
_PATIENCE_S = 60.0

Events = list[RunEvent]


@dataclass(frozen=True)
class Stage:
    """When a run is stopped.

    Parameters
    ----------
    make:
        The structure of the so-manieth time; it gets `PROMPT`.
    is_time:
        Whether it is time to stop, by all that has happened.
    later_s:
        How long after that.
    trouble:
        What the server's runners do (see `sandbox.trouble.Trouble`).
    is_cold:
        Whether no model is in memory before; then the server is idle when no runner is left.
    """

    make: Callable[[int], Any]
    is_time: Callable[[Events], bool]
    later_s: float = 0.0
    trouble: Mapping[str, Any] = field(default_factory=dict)
    is_cold: bool = False


@dataclass(frozen=True)
class Stopped:
    """Seconds from `stop` to the end of `wait`, and to the server's last work for it."""

    ended_s: float
    idle_s: float


# --- the stages -----------------------------------------------------------------------------------


def _task(text: str, model: str = MODEL, **more: Any) -> PromptTask:
    options = {"temperature": 0, "num_predict": 4000}
    return PromptTask(text, prompt_driver=OllamaPromptDriver(model=model, options=options), **more)


def _agent(_: int) -> Agent:
    return Agent(tasks=[_task("{{ args[0] }}")], conversation_memory=None)


def _long_prompt(number: int) -> Agent:
    """One that no cache has the beginning of."""
    words = " ".join(f"{number}-{i}" for i in range(_WORDS // 3))
    return Agent(tasks=[_task(f"{words} {{{{ args[0] }}}}")], conversation_memory=None)


def _two_steps(_: int) -> Pipeline:
    first = _task("{{ args[0] }}")
    first.prompt_driver.options["num_predict"] = 5
    return Pipeline(tasks=[first, _task("Go on: {{ parent_output }}")], conversation_memory=None)


def _with_a_tool(_: int) -> Agent:
    task = _task("{{ args[0] }}", SCRIPTED, tools=[clock(_TOOL_S)])
    return Agent(tasks=[task], conversation_memory=None)


def _branches(_: int) -> Workflow:
    tasks = [_task("{{ args[0] }}", model, id=model) for model in (MODEL, OTHER)]
    return Workflow(tasks=tasks, conversation_memory=None)


def _has(kind: type) -> Callable[[Events], bool]:
    return lambda events: any(isinstance(event, kind) for event in events)


def _streams(events: Events, models: tuple[str, ...] = (MODEL,)) -> bool:
    texts = [event.model for event in events if isinstance(event, Text)]
    return all(texts.count(model) >= _PIECES for model in models)


STAGES = {
    "in a cold load": Stage(
        _agent, _has(StepBegan), _LATER_S, {"load_delay_s": _LOAD_S}, is_cold=True
    ),
    "before the first token": Stage(_long_prompt, _has(StepBegan), _LATER_S),
    "mid-stream": Stage(_agent, _streams),
    "between two steps": Stage(_two_steps, _has(StepEnded)),
    "in a tool that blocks": Stage(
        _with_a_tool, _has(ToolsBegan), _LATER_S, {"script": [{"tool_calls": [CLOCK]}]}
    ),
    "in parallel branches": Stage(_branches, lambda events: _streams(events, (MODEL, OTHER))),
}


# --- measuring ------------------------------------------------------------------------------------


class Ground:
    """A server whose runners' work can be seen."""

    def __init__(self, sandbox: Sandbox, trouble: Path) -> None:
        self.server = Server(sandbox.url)
        self._ollama, self._trouble = psutil.Process(sandbox.pid), trouble

    def prepare(self, stage: Stage) -> None:
        """No model is in memory, and runners will do what the stage says."""
        for resident in self.server.residents():
            self.server.unload(resident.name)
        while self._ollama.children(recursive=True):
            time.sleep(_LOOK_S)
        self._trouble.write_text(json.dumps(stage.trouble))

    def work(self) -> dict[int, float]:
        """The processor time of each runner so far, in seconds; it ticks every 10 ms."""
        used: dict[int, float] = {}
        for process in self._ollama.children(recursive=True):
            try:
                used[process.pid] = sum(process.cpu_times()[:2])
            except psutil.Error:
                pass  # it has ended
        return used

    def idle_s(self, since_s: float, *, when_gone: bool) -> float:
        """How long after a moment the runners did their last work, or the last one has ended."""
        last_s, before = 0.0, self.work()
        while (now_s := time.perf_counter() - since_s) < _PATIENCE_S:
            work = self.work()
            if work != before:
                last_s, before = now_s, work
            if not work if when_gone else now_s > last_s + _QUIET_S:
                return last_s
            time.sleep(_LOOK_S)
        raise TimeoutError(f"The server still works {_PATIENCE_S:g} s after a stop.")


@contextmanager
def ground() -> Iterator[Ground]:
    """A private Ollama with two models, and one that says what is set."""
    with tempfile.TemporaryDirectory() as folder:
        trouble = Path(folder) / "trouble.json"
        trouble.write_text("{}")
        environment = {VARIABLE: str(trouble)}
        with Sandbox(models=[MODEL, OTHER], runner_env=environment) as sandbox:
            made = Ground(sandbox, trouble)
            made.server.client.create(model=SCRIPTED, from_=MODEL, template=TEMPLATE)
            yield made


def stopped(ground: Ground, stage: Stage, number: int = 0) -> Stopped:
    """Begin a run, and stop it when it is time; as a person does: from another thread."""
    if stage.is_cold:
        ground.prepare(stage)
    seen, is_time, ended_s = Events(), threading.Event(), list[float]()

    def hear(event: RunEvent) -> None:
        seen.append(event)
        if not is_time.is_set() and stage.is_time(seen):
            is_time.set()

    structure = stage.make(number)
    run = StructureRun(
        structure, PROMPT, server=ground.server, keep_alive=KEPT, on_event=hear
    ).start()
    waits = threading.Thread(target=lambda: (run.wait(), ended_s.append(time.perf_counter())))
    waits.start()
    assert is_time.wait(_PATIENCE_S), "the run has not come so far"
    time.sleep(stage.later_s)
    began_s = time.perf_counter()
    run.stop()
    idle_s = ground.idle_s(began_s, when_gone=stage.is_cold)
    waits.join(_PATIENCE_S)
    run.settle(_PATIENCE_S)
    return Stopped(ended_s[0] - began_s, idle_s)


def bench_stops(row: Row, times: int = TIMES) -> None:
    """Each stage so many times."""
    with ground() as made:
        for name, stage in STAGES.items():
            made.prepare(stage)
            all_of_them = [stopped(made, stage, number) for number in range(times)]
            ended_s, idle_s = zip(*((s.ended_s, s.idle_s) for s in all_of_them), strict=True)
            row(f"stop {name}, to the end of wait()", median_and_worst(ended_s))
            row("    to the server's last work", median_and_worst(idle_s))
