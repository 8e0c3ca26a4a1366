"""Staged: a structure with all that one run of it needs: its models, its clients, its hold."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from lifecycle_widgets.agent.choices import checked_hold
from lifecycle_widgets.agent.hold import LEASE_S, Hold, is_shorter
from lifecycle_widgets.agent.record.asked_for import Asked
from lifecycle_widgets.agent.record.record import Record
from lifecycle_widgets.agent.requests.client import MeteredClient
from lifecycle_widgets.agent.requests.whole_prompt import Sent
from lifecycle_widgets.agent.structures.asked import AskedModel, AskedModels, answers_seat
from lifecycle_widgets.agent.structures.borrowed import Borrowed
from lifecycle_widgets.agent.structures.drivers import Stopped, lent
from lifecycle_widgets.agent.structures.failed_tasks import failed_tasks
from lifecycle_widgets.agent.structures.listening import Listening
from lifecycle_widgets.agent.structures.quiet import be_quiet
from lifecycle_widgets.agent.structures.seats import Seat, other_drivers, seats_of, tasks_of
from lifecycle_widgets.agent.usual_load import note_load
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Step, ToolCall
from lifecycle_widgets.server import AnyServer, Server

_RELEASES_S = 5.0  # how long the end of a run waits for its models to be let go


class Staged:
    """A structure for one run.

    Parameters
    ----------
    structure, args, server, keep_alive, hold:
        As `StructureRun` takes them.

    Raises
    ------
    ValueError
        For what is no structure, or asks no model of Ollama's.
    """

    def __init__(
        self,
        structure: Any,
        args: tuple[Any, ...],
        server: AnyServer,
        keep_alive: KeepAlive | str | float | Mapping[str, Any] | None,
        hold: bool | None,
    ) -> None:
        self.structure, self.args = checked_structure(structure, args), args
        self.seats = seats_of(structure)
        self.others = other_drivers(structure)
        if not self.seats:
            raise ValueError(_asks_nothing(structure, self.others))
        self._models = AskedModels(self.seats, server, keep_alive)
        self._answers = answers_seat(structure, self.seats)
        self.answers = self._models.of(self._answers)
        self._held = self._to_hold(hold)
        # which deadlines are our own is to be known of every request, also to later runs
        self._hold, self._plain = Hold(), Hold(lease_s=0)
        self._ended_tasks: set[str] = set()
        self.tasks = {task.id: task for task in tasks_of(structure)}
        self.listening = Listening(self.tasks, self)
        self.clients: list[MeteredClient] = []
        self._in_flight: dict[int, AskedModel] = {}  # by thread
        self._record: Record | None = None
        self._is_stopped: Callable[[], bool] = lambda: False

    @property
    def models(self) -> list[AskedModel]:
        """All models that it asks."""
        return self._models.all

    @property
    def is_held(self) -> bool:
        """Whether a model is held between its requests."""
        return any(is_shorter(model.chosen, LEASE_S) for model in self._held)

    @property
    def asked(self) -> tuple[str, Server] | None:
        """The model and the server of a request in flight."""
        one = next(iter(list(self._in_flight.values())), None)
        return (one.model, one.server) if one is not None else None

    @property
    def is_fresh(self) -> bool:
        """Whether the drivers that it was made of still sit there: another run can have had it."""
        return all(seat.sits is seat.driver for seat in self.seats)

    # --- the run ---------------------------------------------------------------------------------

    def borrowed(self, is_stopped: Callable[[], bool]) -> Borrowed:
        """Have the structure for this run. Raises Busy."""
        return Borrowed(self.structure, self.seats, is_stopped)

    def begin_to_look(self) -> None:
        """Begin to look what is in memory: that takes a moment, and must be before a request."""
        for model in self.models:
            model.memory.begin_to_look(model.choice.is_adaptive or model.chosen.is_zero)

    def lend(
        self, borrowed: Borrowed, record: Record, began_s: float, is_stopped: Callable[[], bool]
    ) -> None:
        """Put our drivers in."""
        self._record, self._is_stopped = record, is_stopped
        borrowed.lend(self.seats, partial(self._driver, began_s), self.args)

    def run(self) -> BaseException | str | None:
        """Run it to its end; returns what went wrong, which griptape does not raise."""
        be_quiet()
        with self.listening.listening():
            self.structure.run(*self.args)
        return self._what_failed()

    def stop(self) -> None:
        """End the requests in flight, and every later one."""
        for client in list(self.clients):
            client.stop()

    def let_go(self) -> tuple[str, ...]:
        """The run has ended: each model's keep_alive is to apply. What there is to say of it."""
        return self._hold.close(_RELEASES_S)

    def close(self) -> None:
        """Close the connections that were opened for this run alone."""
        for server in self._models.found:
            server.close()

    def as_asked(self) -> Asked:
        """What was asked for, as the run shows it."""
        driver = self._answers.driver
        return Asked(
            self.answers.model,
            self.answers.chosen,
            self._prompt(),
            self.answers.server,
            self.answers.options,
            think=getattr(driver, "extra_params", {}).get("think"),
            structure=type(self.structure).__name__,
        )

    def _prompt(self) -> str:
        """The texts of what `run` was given; else what its first task was asked."""
        if self.args:
            return "\n".join(map(_text_of, self.args))
        first = getattr(self.structure, "input_task", None) or self.structure
        try:
            return str(first.input.to_text())
        except Exception:  # it may be made of what the run has not come to
            return ""

    def text_of_answer(self) -> str | None:
        """The output's text; None when there is none."""
        output = self._output()
        return output.to_text() if output is not None else None

    def _output(self) -> Any:
        if (last := getattr(self.structure, "output_task", None)) is not None:
            return last.output
        return getattr(self.structure, "output", None)

    def _what_failed(self) -> BaseException | str | None:
        from griptape.artifacts import ErrorArtifact

        output = self._output()
        if output is not None and not isinstance(output, ErrorArtifact):
            return None  # a structure that does not fail fast may have gone on after an error
        return next((why for why, _ in failed_tasks(self.tasks.values()).values()), None)

    def failed(self, fault: BaseException | str) -> tuple[AskedModel, str, bool]:
        """The model whose request it was that failed; the task, where there are several; and
        whether anything of the answer had come."""
        tasks = failed_tasks(self.tasks.values()) if len(self.tasks) > 1 else {}
        task = next((task for task, (why, _) in tasks.items() if why is fault), "")
        for seat, client in zip(self.seats, self.clients, strict=False):
            if client.fault is fault:
                return self._models.of(seat), task, client.has_begun
        return self.answers, task, False

    # --- one request -----------------------------------------------------------------------------

    def _driver(self, began_s: float, seat: Seat) -> Any:
        """The driver that sits in a seat for the time of the run."""
        asked, is_answer = self._models.of(seat), seat is self._answers
        task = next(iter(seat.tasks)) if len(seat.tasks) == 1 else ""
        record = self._record
        assert record is not None
        client = MeteredClient(
            asked.server,
            task=task,
            on_ask=partial(self._ask, asked, seat, task),
            on_text=partial(record.text, task, asked.model, is_answer=is_answer),
            on_thinking=partial(record.thinking, task, asked.model, is_answer=is_answer),
            on_token=asked.memory.look_meanwhile,
            on_step=lambda step, sent: self._step_ended(asked, client, is_answer, step, sent),
        )
        client.run_began_s = began_s
        self.clients.append(client)
        if self._is_stopped():
            client.stop()
        return lent(seat.driver, seat.kind, client)

    def _ask(self, asked: AskedModel, seat: Seat, task: str, request: dict[str, Any]) -> None:
        """A request is about to be sent: with which keep_alive."""
        self.may_go_on()
        asked.memory.before()  # raises what /api/ps did, where no server is there
        hold = self._hold if asked in self._held else self._plain
        options = request.get("options") or {}
        chosen = asked.choose(more=asked.is_certain_again(self._ended_tasks | {task}))
        sent = hold.asked(asked.server, asked.model, chosen, options, seat.kind)
        if not sent.is_default:
            request["keep_alive"] = sent.to_json()
        self._in_flight[threading.get_ident()] = asked
        self._recorded.began(task, asked.model, sent)

    def _step_ended(
        self, asked: AskedModel, client: MeteredClient, is_answer: bool, step: Step, sent: Sent
    ) -> None:
        self._in_flight.pop(threading.get_ident(), None)
        asked.remote_host = client.remote_host or asked.remote_host
        hold = self._hold if asked in self._held else self._plain
        hold.ended(asked.server, asked.model, loaded=bool(step.loaded))
        if step.loaded and step.timings.load_s is not None:
            note_load(asked.server, asked.model, step.timings.load_s)
        if asked.memory.zeroed and step.keep_alive is not None and step.keep_alive.is_zero:
            asked.server.zeroed.append((asked.memory.zeroed, time.monotonic()))
        self._recorded.step_ended(step, sent, asker=str(id(client)), is_answer=is_answer)

    @property
    def _recorded(self) -> Record:
        assert self._record is not None
        return self._record

    # --- what griptape tells ---------------------------------------------------------------------

    def may_go_on(self) -> None:
        """Raises Stopped when it must not."""
        if self._is_stopped():
            raise Stopped

    def task_ended(self, task: str) -> None:
        """Let the models go that nobody needs any more."""
        self._ended_tasks |= {task, *(t.id for t in self.tasks.values() if _is_over(t))}
        for model in self._held:
            if not any(m.is_needed(self._ended_tasks) for m in self._alike(model)):
                self._hold.release(model.server, model.model)

    def _alike(self, model: AskedModel) -> list[AskedModel]:
        """The models of the same weights, itself included: they are one in memory."""
        return [
            other
            for other in self.models
            if other is model
            or (
                other.server.url == model.server.url
                and model.server.same_model(model.model, other.model)
            )
        ]

    def tools_began(self, task: str, calls: tuple[ToolCall, ...]) -> None:
        """The tools of the task's last answer begin."""
        self._recorded.tools_began(task, calls)

    def tools_ended(self, task: str, calls: tuple[ToolCall, ...], seconds: float) -> None:
        """They have ended."""
        self._recorded.tools_ended(task, calls, seconds)

    def _to_hold(self, hold: bool | None) -> list[AskedModel]:
        """The models that are held; they are compared by identity."""
        shorter = [m for m in self.models if m.choice.is_adaptive or is_shorter(m.choice, LEASE_S)]
        hold = checked_hold(hold, (model.choice for model in self.models))
        return [m for m in shorter if hold or (hold is None and m.can_repeat)]


def checked_structure(structure: Any, args: tuple[Any, ...] = ()) -> Any:
    """The structure, if it is one of griptape's, and can be run with these arguments.

    Raises
    ------
    ValueError
        For anything else.
    """
    from griptape.structures import Structure
    from griptape.tasks import PromptTask

    whole = getattr(structure, "structure", None)
    if args and isinstance(structure, PromptTask) and whole is not None:
        raise ValueError(
            f"This PromptTask is part of one {type(whole).__name__}, and griptape gives it what "
            "that was run with. Run that."
        )
    if isinstance(structure, (Structure, PromptTask)):
        return structure
    raise ValueError(
        f"A {type(structure).__name__} is no griptape structure. Give an Agent, a PromptTask, a "
        "Pipeline or a Workflow."
    )


def _asks_nothing(structure: Any, others: list[str]) -> str:
    by = f" Its driver is {' and '.join(others)}." if others else ""
    return (
        f"This {type(structure).__name__} asks no model of Ollama's.{by} Give its tasks an "
        "OllamaPromptDriver."
    )


def _is_over(task: Any) -> bool:
    return bool(task.is_finished() or task.is_skipped())


def _text_of(value: Any) -> str:
    """An argument of `run` in words; an image is no words."""
    if isinstance(value, (list, tuple)):
        return "\n".join(map(_text_of, value))
    kind = type(value).__name__
    if kind.endswith("Artifact") and not kind.startswith(("Text", "Info", "Json", "List")):
        return f"[{kind}]"
    return str(value)
