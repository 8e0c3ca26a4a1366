"""Downstream: does the model that an agent left in memory slow down the next step of the work?"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import psutil

from lifecycle_widgets.experiments.face.experiment import Experiment, Row
from lifecycle_widgets.experiments.face.plan import Plan, quoted
from lifecycle_widgets.experiments.ground.ground import (
    RUNNER_BYTES,
    chat_model,
    ground_notes,
)
from lifecycle_widgets.experiments.ground.model_memory import memory_of, planned
from lifecycle_widgets.experiments.shortage.downstream_result import (
    CONDITIONS,
    RESIDENT,
    STOP,
    ZERO,
    DownstreamResult,
)
from lifecycle_widgets.experiments.shortage.place import Place
from lifecycle_widgets.experiments.shortage.shortage import Shortage
from lifecycle_widgets.experiments.shortage.task import BigFile, TaskRun, run_task
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.runs import Think
from lifecycle_widgets.sandbox import MODELS, Sandbox
from lifecycle_widgets.server import (
    AnyServer,
    Model,
    Server,
    chat_models,
    full_name,
    smallest_chat_models,
)

_KEEP_ALIVE: dict[str, str | int] = {RESIDENT: "5m", ZERO: 0, STOP: "5m"}
_PROMPT = "Say hello."
_OPTIONS = {"num_predict": 8, "temperature": 0, "seed": 0}
_AGENT_S = 2.5
_GONE_S = 10.0

# The shortage, sized from the model, as in a machine whose memory is just enough: beside the model
# there is room for a third of the file, without it for all of it.
_ROOM_BYTES = 150_000_000
_FILE_BYTES = 400_000_000
_DISK_BYTES_PER_S = 150_000_000  # a laptop's disk


class Downstream(Experiment["DownstreamResult"]):
    """An agent answers; then an ordinary task runs. Is it slower because the model is still there?

    Four conditions, in random order within each round: the model was never loaded; it is resident
    and idle; it is gone by ``keep_alive=0``; it is gone by ``ollama stop``. Each time the task runs
    twice: the first run may have to fetch its data anew, the second is the steady state.

    Where Linux's control groups allow it, the shortage is made real: a fresh private Ollama and
    the task share a budget of memory and of disk speed that is enough for either, not for both.
    Elsewhere, and with ``shortage=False``, the machine is measured as it is, and it may well be
    that nothing slows down: that is an answer too.

    Parameters
    ----------
    model:
        An installed model; by default the largest of the sandbox, and of a person's own server the
        smallest that can chat.
    shortage:
        None: made where it can be. True: raise PermissionError where it cannot. False: never.
    task:
        A command of your own (program and arguments) in place of reading a large file.
    rounds:
        How often each condition is measured.
    server:
        The Ollama to measure without a shortage (with one, it is a private one): a `Server`, its
        address, or a `Sandbox`. Without one, `Server.find` looks for it.
    think:
        Whether a model that can think does so first; None: not sent.
    seed:
        Of the random order.

    Examples
    --------
    >>> result = Downstream("smollm2:135m-f32").run()  # doctest: +SKIP
    >>> result.slowdown("resident, idle").median > 2  # doctest: +SKIP
    True

    The cure, in griptape (issue 1379 there):

    >>> driver = OllamaPromptDriver(  # doctest: +SKIP
    ...     model="llama3.2", extra_params={"keep_alive": 0}
    ... )
    """

    def __init__(
        self,
        model: str | None = None,
        *,
        shortage: bool | None = None,
        task: Sequence[str] | None = None,
        rounds: int = 3,
        server: AnyServer = None,
        think: Think = None,
        seed: int = 0,
    ) -> None:
        if rounds < 1:
            raise ValueError(f"rounds is {rounds}; give 1 or more.")
        if task is not None and (isinstance(task, str) or not task):
            raise ValueError("task is a program and its arguments: ['python', 'train.py'].")
        super().__init__(server, think=think)
        self.model = model or self._default_model()
        self.task = list(task) if task is not None else None
        self.rounds, self.seed, self._wanted = rounds, seed, shortage
        self._why_not: str | None = None

    def _default_model(self) -> str:
        if self.server.is_sandbox:
            return chat_models(self.server)[-1].name
        return smallest_chat_models(self.server)[0]

    # --- what it will take -----------------------------------------------------------------------

    def plan(self) -> Plan:
        """What will be run. Raises PermissionError for a shortage that must be and cannot."""
        model, short = chat_model(self.server, self.model), self._is_short()
        memory = memory_of(self.server, model)
        what = f"{self.rounds} times each: {quoted(CONDITIONS)}; then "
        what += f"{' '.join(self.task)!r}" if self.task else f"a file of {_FILE_BYTES / 1e9:.1f} GB"
        what += " is run twice." if self.task else " is read twice."
        return Plan(
            what=f"{self.model} answers an agent. {what}",
            rows=self.rounds * len(CONDITIONS),
            seconds=round(self.rounds * (22.0 if short else 12.0) + 5),
            models=() if short else (self.model,),
            notes=(self._note(short), *([] if short else self._notes_on(model))),
            **planned(memory and memory.plus(_FILE_BYTES)),
        )

    def _notes_on(self, model: Model) -> list[str]:
        """On the person's server as it is."""
        notes = ground_notes(self.server, [model], self.think)
        if not self.server.is_local:
            notes.append("The task runs on this machine, so a model on another one takes it none.")
        if self._command() is None:
            notes.append(
                "In place of `ollama stop` the request is sent that it would send: there is no "
                "such command here, or it would not get through to this server."
            )
        return notes

    def _command(self) -> str | None:
        """The `ollama` command, when it reaches the person's server by its address alone."""
        by_address = self.server.door.is_plain and self.server.url.startswith("http://")
        return shutil.which("ollama") if by_address and _has_no_path(self.server.url) else None

    def _note(self, short: bool) -> str:
        if short:
            return (
                f"A shortage is made for a private Ollama and the task: {self._budget() / 1e9:.2f} "
                f"GB of memory, and {_DISK_BYTES_PER_S / 1e6:.0f} MB/s from the disk where the "
                "system lets us slow it down. Nothing else on this machine is touched."
            )
        if self._why_not:
            return f"{self._why_not} The machine is measured as it is."
        return "No shortage is made: the machine is measured as it is."

    def _is_short(self) -> bool:
        """Whether a shortage is made. Raises PermissionError when it must be and cannot."""
        self._why_not = None
        if self._wanted is False:
            return False
        if psutil.LINUX and not self._is_ours():
            self._why_not = (
                "A shortage is made for the private sandbox's models only, never for a person's "
                "own Ollama."
            )
        else:
            self._why_not = Shortage.why_not()
        if self._why_not and self._wanted:
            raise PermissionError(self._why_not)
        return not self._why_not

    def _is_ours(self) -> bool:
        return self.server.is_sandbox and full_name(self.model) in MODELS

    def _budget(self) -> int:
        return (self.server.require(self.model).size_bytes or 0) + RUNNER_BYTES + _ROOM_BYTES

    def _settings(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "task": self.task or ["cat", f"a file of {_FILE_BYTES} bytes"],
            "rounds": self.rounds,
            "think": self.think,
            "seed": self.seed,
        }

    # --- measuring -------------------------------------------------------------------------------

    def _measure(self) -> Iterator[Row]:
        short = self._is_short()
        self._found |= {"shortage": None, "why_no_shortage": None if short else self._note(False)}
        order = random.Random(self.seed)
        with ExitStack() as ending:
            self._say("making the file that the task reads" if not self.task else "getting ready")
            file = ending.enter_context(BigFile(_FILE_BYTES)) if not self.task else None
            for number in range(self.rounds):
                for condition in order.sample(CONDITIONS, len(CONDITIONS)):
                    self._say(f"round {number + 1} of {self.rounds}: {condition}")
                    with ExitStack() as trial:
                        place = self._place(trial, short, file)
                        try:
                            measured = self._trial(condition, place, file)
                        finally:
                            place.require_alive()  # the reason behind whatever else went wrong
                    yield {"round": number + 1, "condition": condition, **measured}

    def _place(self, ending: ExitStack, short: bool, file: BigFile | None) -> Place:
        """A fresh private Ollama under a budget; without a shortage the server as it is."""
        if not short:
            return Place(self.server, self._command(), self._monitor(ending, self.server))
        folder = file.folder if file is not None else os.getcwd()
        shortage = ending.enter_context(Shortage(self._budget(), _DISK_BYTES_PER_S, folder=folder))
        sandbox = ending.enter_context(Sandbox(models=[full_name(self.model)]))
        shortage.adopt(sandbox.pid)
        self._found["shortage"] = {
            "way": shortage.way,
            "memory_bytes": shortage.memory_bytes,
            "disk_bytes_per_s": _DISK_BYTES_PER_S if shortage.disk_is_limited else None,
        }
        server = Server(sandbox.url)
        ending.callback(server.close)
        monitor = self._monitor(ending, server)
        return Place(server, str(sandbox.program), monitor, sandbox, shortage)

    @staticmethod
    def _monitor(ending: ExitStack, server: Server) -> Monitor:
        monitor = Monitor(server)
        ending.callback(monitor.stop)
        return monitor

    def _trial(self, condition: str, place: Place, file: BigFile | None) -> Row:
        if file is not None:
            file.forget()
        if place.shortage is None:
            self._unload(self.model)
        if condition in _KEEP_ALIVE:
            self._ask(
                _PROMPT,
                model=self.model,
                keep_alive=_KEEP_ALIVE[condition],
                server=place.server,
                options=_OPTIONS,
            )
        if condition == STOP:
            self._stop_model(place)
        if condition in (ZERO, STOP):
            self._until_gone(place)
        first = self._task(place, file)
        steady = self._task(place, file)
        return {
            "first_s": first.seconds,
            "steady_s": steady.seconds,
            "first_disk_bytes": first.disk_read_bytes,
            "steady_disk_bytes": steady.disk_read_bytes,
            "runner_bytes": self._held_bytes(place),
            "page_cache_bytes": place.page_cache_bytes,
            "used_bytes": place.used_bytes,
        }

    def _task(self, place: Place, file: BigFile | None) -> TaskRun:
        self._look_for_stop()
        command = self.task if file is None else file.task
        assert command is not None
        adopt = place.shortage.adopt if place.shortage is not None else None
        run = run_task(command, adopt=adopt, stop=self._stop_asked)
        self._look_for_stop()  # a task that was stopped is no measurement
        return run

    def _stop_model(self, place: Place) -> None:
        """`ollama stop`, the command itself; without one, the request that it sends."""
        if place.shortage is None:
            self._consent.require(self.model)
        if place.ollama is None:
            place.server.unload(self.model)
            return
        env = {**os.environ, "OLLAMA_HOST": place.server.url}
        done = subprocess.run(
            [place.ollama, "stop", self.model], env=env, capture_output=True, text=True, timeout=30
        )
        if done.returncode:
            raise OSError(f"`ollama stop {self.model}` failed: {done.stderr.strip()}")

    def _until_gone(self, place: Place) -> None:
        """Until it has left, and its runner's memory is back where that can be seen."""
        for _ in range(int(_GONE_S / 0.05)):
            if place.server.resident(self.model) is None and not self._held_bytes(place):
                return
            self._wait(0.05)
        raise TimeoutError(
            f"{self.model} is still in memory {_GONE_S:.0f} s after it was to leave. Somebody else "
            "is using it."
        )

    def _held_bytes(self, place: Place) -> int | None:
        """The memory that the model takes: its runner's, or, where it is not seen, as told."""
        sample = place.monitor.read()
        resident = place.server.match(self.model, sample.residents or ())
        if sample.runners is None:
            self._found["why_memory_is_told"] = sample.unseen
            return 0 if resident is None else resident.size_bytes
        names = {self.model, resident.name if resident is not None else self.model}
        ours = (r for r in sample.runners if r.model is None or r.model in names)
        return sum(runner.rss_bytes for runner in ours)


def _has_no_path(url: str) -> bool:
    return not urlsplit(url).path.strip("/")


Downstream.result_kind = DownstreamResult
