"""One trial: a server that answers these bodies, and everything of the product that reads them."""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st

from lifecycle_widgets import (
    ColdAndWarm,
    Downstream,
    InARow,
    InTurn,
    Model,
    ModelPicker,
    Monitor,
    Resident,
    Run,
    RunFailed,
    Server,
    ServerError,
    ServerUnreachable,
    TuningLab,
    UnknownModel,
    run_agent,
)
from lifecycle_widgets.server import chat_models, smallest_chat_models
from tests.bodies.mutations import QUESTIONS, answers
from tests.recorded import Answer, RecordedServer, chat, chunk, final, ollama, tags
from tests.recorded import model as listed

NAMES = ("smollm2:135m", "gpt-oss:120b-cloud", "nothing:1b")
OURS = (ServerUnreachable, ServerError, UnknownModel, RunFailed)
EXPERIMENTS = (InARow, ColdAndWarm, InTurn, Downstream)
_GENERATED = {"model": NAMES[0], "response": "", "done": True, "done_reason": "unload"}

BODIES = st.lists(st.sampled_from(QUESTIONS), min_size=1, unique=True).flatmap(
    lambda chosen: st.fixed_dictionaries({question: answers(question) for question in chosen})
)
"""Some of the questions, with a changed answer to each."""


class Trials:
    """One server for all trials, and what was counted."""

    def __init__(self, recorded: RecordedServer) -> None:
        self._recorded = recorded
        self.bodies = self.readings = self.refused = 0
        self.escaped: list[BaseException] = []  # out of threads

    @property
    def connections(self) -> int:
        """How many are open."""
        return self._recorded.connections

    def set(self, told: Mapping[str, Answer]) -> Server:
        """Answer these from now on; everything else as Ollama does."""
        self.bodies += len(told)
        whole = ollama(
            tags=tags(listed(NAMES[0]), listed("other:1b", digest="e" * 64)),
            chat=chat(chunk("Hello"), final(), pause_s=0.0),
            generate=_GENERATED,
        )
        self._recorded.routes = whole | {f"/api/{path}": one for path, one in told.items()}
        return Server(self._recorded.url, quick_timeout_s=2.0)

    def ask(self, question: Callable[[], Any], *also: type[BaseException]) -> Any:
        """The answer; None for an exception of ours, or one of these. Any other goes on."""
        try:
            return question()
        except (*OURS, *also) as fault:
            message = str(fault)
            assert message.strip()
            assert len(message) < 1500, message
            assert "\n" not in message.strip(), message
            self.refused += 1
            return None

    def check_threads(self) -> None:
        """Nothing has escaped in a thread either."""
        if self.escaped:
            raise self.escaped.pop()

    # --- who reads bodies ------------------------------------------------------------------------

    def server(self, server: Server) -> None:
        """All questions that a `Server` answers."""
        for question in (
            server.models, server.residents, lambda: server.version, server.answers,
            lambda: server.in_memory(NAMES), lambda: chat_models(server),
            lambda: list(server.pull(NAMES[0])), lambda: server.clock_offset_s,
        ):  # fmt: skip
            self.ask(question)
        self.ask(lambda: smallest_chat_models(server), LookupError)
        for name in NAMES:
            for method in (server.require, server.resident, server.weights_digest,
                           server.weights_path, server.preload):  # fmt: skip
                self.ask(lambda method=method, name=name: method(name))
            assert isinstance(server.capabilities(name), (frozenset, type(None)))
            assert isinstance(server.same_model(name, NAMES[0]), bool)
            self.ask(lambda name=name: server.unload(name, timeout_s=0.0), TimeoutError)
        for model in self.ask(server.models) or ():
            self._sound_model(model)
        residents = self.ask(server.residents) or ()
        for resident in residents:
            self._sound_resident(resident)
        server.match(NAMES[0], residents)

    @staticmethod
    def _sound_model(model: Model) -> None:
        assert isinstance(model.name, str)
        assert model.name
        assert model.size_bytes is None or (type(model.size_bytes) is int and model.size_bytes >= 0)
        for can in (model.can_chat, model.can_think, model.can_use_tools, model.can_see):
            assert isinstance(can, bool)
        repr(model)
        hash(model)

    @staticmethod
    def _sound_resident(resident: Resident) -> None:
        for size in (resident.size_bytes, resident.size_vram_bytes, resident.context_length):
            assert size is None or (type(size) is int and size >= 0)
        left_s = resident.expires_in_s()
        assert (left_s is None) == (resident.expires_at is None)
        assert left_s is None or math.isfinite(left_s)
        if resident.expires_at is not None:
            assert resident.expires_at.tzinfo is not None
            resident.expires_at.astimezone()
        assert isinstance(resident.is_forever, bool)

    def monitor(self, server: Server) -> None:
        """Each reading is a sample, and none of its faults comes from the server's answers."""
        monitor = Monitor(server)
        try:
            for count in (1, 2):
                sample = monitor.read()
                self.readings += 1
                assert len(monitor.samples) == count, "a sample is lost"
                told = (sample.residents is not None, bool(sample.error), bool(sample.not_told))
                assert sum(told) == 1, sample
                for fault in sample.faults:
                    assert "GPU" in fault or ("memory" in fault and "models" not in fault), fault
            monitor.residencies()
        finally:
            monitor.stop()

    def widgets(self, server: Server) -> None:
        """The picker, alone."""
        picker = ModelPicker(server)
        try:
            for model in picker.models:
                picker.label(model)
            picker.refresh()
            assert picker.models or picker.error
        finally:
            picker.close()

    def lab(self, server: Server) -> None:
        """Everything on one page, once drawn."""
        lab = TuningLab(server)
        try:
            lab.monitor.read()
            _ = lab.chart.figure
            assert isinstance(lab.error, str)
        finally:
            lab.close()

    def experiments(self, server: Server) -> None:
        """What they would do, with models that they choose and with a named one."""
        for kind in EXPERIMENTS:
            made = self.ask(lambda kind=kind: kind(server=server), LookupError)
            if made is not None:
                self.ask(made.plan, LookupError)
        named = InARow(NAMES[0], server=server)
        self.ask(named.plan, ValueError)  # told to be for embeddings only: a wrong choice

    def run(self, server: Server) -> None:
        """A prompt."""
        pieces: list[str] = []
        run = self.ask(
            lambda: run_agent("hi", model=NAMES[0], server=server, on_text=pieces.append)
        )
        if isinstance(run, Run):
            assert run.answer == "".join(pieces)
            for figure in vars(run.timings).values():
                assert not isinstance(figure, float) or math.isfinite(figure)
            repr(run)


@contextmanager
def trials() -> Iterator[Trials]:
    """A server for trials; exceptions in threads are kept, and the log is quiet."""
    log, hook = logging.getLogger("lifecycle_widgets"), threading.excepthook
    level = log.level
    with RecordedServer() as recorded:
        made = Trials(recorded)
        log.setLevel(logging.CRITICAL)
        threading.excepthook = lambda told: made.escaped.append(told.exc_value or SystemExit())
        try:
            yield made
            made.check_threads()
        finally:
            log.setLevel(level)
            threading.excepthook = hook
