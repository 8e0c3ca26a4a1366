"""Any interleaving of requests, unloads and faults on a real Ollama goes as `Scheduler` says.

After every step the model's prediction is held against /api/ps: who is in memory, with which
``expires_at``, and which model is being loaded. ``LIFECYCLE_LONG=1`` runs many more examples, each
time others.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import psutil
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    rule,
    run_state_machine_as_test,
)

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.scheduler import Scheduler
from lifecycle_widgets.server import Server
from tests.live_requests import LiveRequest, LoadLog
from tests.possible_worlds import Event, Seen, Worlds

LONG = os.environ.get("LIFECYCLE_LONG") == "1"
LIMIT = 2
DEFAULT = "3s"
WEIGHTS = ("smollm2:135m", "smollm2:135m-f16", "smollm2:135m-f32")
NAMES = (*WEIGHTS, "twin:latest")  # the twin shares the first one's weights
ENDLESS = {"prompt": "1 1 1 1 1 1 1 1", "raw": True}  # it never thinks of anything else
KINDS = {
    "load": ({}, {}),
    "short": ({"prompt": "Hi"}, {"num_predict": 2}),
    "endless": (ENDLESS, {"num_predict": -1, "temperature": 0}),
}
PATIENCE_S = 3.0  # for what Ollama does after it has answered
TAKEN_IN_S = 0.06  # by then it has dealt with what it was sent
OLD_S = 0.2  # a reading that took longer says nothing of now
UNDECIDED_S = 0.8  # when several worlds are possible, look that long before one is ruled out

names = st.sampled_from(NAMES)
keep_alives = st.sampled_from([None, None, 0, 0.7, 1.5, 5, -1])
runner_options = st.sampled_from([{}, {}, {}, {"num_ctx": 4096}, {"num_ctx": 1024}])

tally: Counter[str] = Counter()
"""What the runs have come across."""


class Machine(RuleBasedStateMachine):
    sandbox: Sandbox
    server: Server
    digests: dict[str, str]

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[int, LiveRequest] = {}
        self.bodies: list[dict[str, object]] = []
        self.log = LoadLog(self.sandbox.log_path)
        scheduler = Scheduler(LIMIT, DEFAULT, weights=self.digests)
        scheduler.advance(time.time())
        self.worlds = Worlds(scheduler, self.digests)

    # --- what may be done ------------------------------------------------------------------------
    # Each rule at any time, also where it finds nothing to do: what is possible depends on the
    # clock, and hypothesis takes a rule that comes and goes by itself for a flaky test.

    @rule(
        model=names,
        kind=st.sampled_from(tuple(KINDS)),
        keep_alive=keep_alives,
        options=runner_options,
        wait=st.sampled_from([True, True, False]),
    )
    def ask(
        self,
        model: str,
        kind: str,
        keep_alive: float | None,
        options: dict[str, object],
        wait: bool,
    ) -> None:
        fields, more = KINDS[kind]
        if kind == "load" and keep_alive == 0:
            return  # that is an unload
        body = {"model": model, "options": {"num_thread": 1, **options, **more}, **fields}
        if keep_alive is not None:
            body["keep_alive"] = keep_alive
        sent_s = self.before()
        ticket = len(self.bodies)
        self.bodies.append(body)
        self.requests[ticket] = LiveRequest(self.sandbox.port, body)
        self.after(sent_s, lambda w, s: w.request(s, model, keep_alive, options=body["options"]))
        if wait:
            self.wait_for_a_load()

    @rule(model=names, keep_alive=st.sampled_from([None, 5, -1]))
    def preload(self, model: str, keep_alive: float | None) -> None:
        self.ask(model, "load", keep_alive, {}, wait=True)

    @rule(model=names, keep_alive=st.sampled_from([None, 5, -1]))
    def keep_busy(self, model: str, keep_alive: float | None) -> None:
        self.ask(model, "endless", keep_alive, {}, wait=True)

    @rule(number=st.integers(0, 9))
    def hang_up(self, number: int) -> None:
        if not self.requests:
            return
        ticket = sorted(self.requests)[number % len(self.requests)]
        sent_s = self.before()
        if ticket in self.requests:  # it may have ended
            self.requests.pop(ticket).hang_up()
            self.after(sent_s, lambda w, s: w.cancel(s, ticket))

    @rule(model=names)
    def unload(self, model: str) -> None:
        sent_s = self.before()
        self.server.client.generate(model=model, keep_alive=0)
        self.after(sent_s, lambda w, s: w.unload(s, model))

    @rule(number=st.integers(0, 2))
    def kill_a_runner(self, number: int) -> None:
        sent_s = self.before()
        runners = sorted(self.runners().items())
        if runners:
            digest, process = runners[number % len(runners)]
            process.kill()
            name = next(n for n, d in self.digests.items() if d == digest)
            self.after(sent_s, lambda w, s: w.crash(s, name))

    @rule()
    def wait_for_the_next_deadline(self) -> None:
        due_s = min(world.next_s for world in self.worlds.all)
        if due_s < time.time() + 6:
            self.look_until(due_s + 0.1)

    @rule()
    def wait_for_a_load(self) -> None:
        if self.log.loading is not None:
            self.look_until(time.time() + 6, until_loaded=True)

    # --- looking ---------------------------------------------------------------------------------

    def before(self) -> float:
        """All that is over has been taken in: Ollama deals with an end after it has answered."""
        while news := self.news():
            self.worlds.happened(news)
            time.sleep(TAKEN_IN_S)
        return time.time()

    def after(self, sent_s: float, act: object) -> None:
        """Something was sent: let Ollama take it in, and hold it against the worlds."""
        sent = Event(sent_s, time.time(), act)
        time.sleep(TAKEN_IN_S)
        self.worlds.happened([sent, *self.news()])
        self.agree()

    def look_until(self, end_s: float, until_loaded: bool = False) -> None:
        while time.time() < end_s and not (until_loaded and self.log.loading is None):
            self.worlds.happened(self.news())
            time.sleep(0.02)
        self.agree()

    def news(self) -> list[Event]:
        """What the log and the connections tell that was not known."""
        events = []
        for ticket, request in sorted(self.requests.items()):
            was_s = request.looked_s
            request.look()
            if request.is_over:
                request.hang_up()
                act = partial(_ended, ticket, request.has_failed)
                events.append(Event(was_s, time.time(), act))
        over = [t for t, request in self.requests.items() if request.is_over]
        for ticket in over:
            del self.requests[ticket]
        # after the connections: a load that a request was answered by is then in the log
        for line in self.log.new():
            tally[f"a load {line.what}"] += 1
            if line.what == "ended":
                act = partial(_load_ended, self.digests, line.weights)
                events.append(Event(line.at_s, line.at_s + 0.001, act))
        return events

    def agree(self) -> None:
        """Look until the server is as predicted; fail if it does not come to that."""
        tally["steps"] += 1
        began_s = time.time()
        give_up_s = began_s + 60
        while True:
            asked_s = time.time()
            expires = {r.name: r.expires_at.timestamp() for r in self.server.residents()}
            read_s = time.time()
            if read_s - asked_s > OLD_S:  # the machine paused; what was read is old
                assert read_s < give_up_s, "For a minute /api/ps never answered in good time."
                tally["old readings"] += 1
                began_s += read_s - asked_s
                continue
            news = self.news()
            seen = Seen(expires, self.log.loading)
            if news:
                self.worlds.happened(news)
                continue
            explaining = [w for w in self.worlds.explaining(seen, read_s) if self.fits(w)]
            undecided = len(self.worlds.all) > 1 and read_s < began_s + UNDECIDED_S
            if explaining and not undecided:
                tally["worlds ruled out"] += max(0, len(self.worlds.all) - len(explaining))
                self.worlds.keep(explaining, seen)
                tally["stuck"] += explaining[0].is_stuck
                return
            assert explaining or read_s < began_s + PATIENCE_S, self.report(seen)
            time.sleep(0.03)

    def fits(self, world: Scheduler) -> bool:
        """Whether the requests that have been answered are those which the world has served."""
        return all(
            world.call(ticket).served_s is not None
            for ticket, request in self.requests.items()
            if request.has_begun
        )

    def report(self, seen: Seen) -> str:
        now_s = time.time()
        lines = [f"seen: loading {seen.loading}"]
        for world in self.worlds.all:
            world.advance(max(world.now_s, now_s))
        lines += [f"  {name} expires {at - now_s:+.3f}" for name, at in seen.expires_at_s.items()]
        lines += [f"open: {ticket} {request}" for ticket, request in self.requests.items()]
        lines += [f"sent: {ticket} {body}" for ticket, body in enumerate(self.bodies)]
        for number, world in enumerate(self.worlds.all):
            lines.append(f"world {number} at {world.now_s - now_s:+.3f}: stuck {world.is_stuck}")
            lines += [f"  differs: {text}" for text in self.worlds.differences(world, seen)]
            lines += [f"  {r.model} {r.expires_at_s - now_s:+.3f} {r}" for r in world.residents]
            lines += [f"  {world.call(t)}" for t in range(len(self.bodies))]
            lines += [f"  {departure}" for departure in world.departures]
        log = self.sandbox.log_tail(2000).splitlines()
        lines += [line for line in log if "/api/ps" not in line][-40:]
        return "\n".join(lines)

    def runners(self) -> dict[str, psutil.Process]:
        """The runners of models, by their weights' digest."""
        found = {}
        for process in psutil.Process(self.sandbox.pid).children():
            try:
                for argument in process.cmdline():
                    if "sha256-" in argument and process.status() != psutil.STATUS_ZOMBIE:
                        found[argument.rpartition("sha256-")[2]] = process
            except psutil.NoSuchProcess:
                pass
        return found

    def teardown(self) -> None:
        for departure in self.worlds.all[0].departures if self.worlds.all else ():
            tally[departure.why] += 1
        for request in self.requests.values():
            request.hang_up()
        deadline_s = time.time() + 30
        empty = 0
        while empty < 3:  # one that hung up may still be on its way to a load, which then fails
            for resident in self.server.residents():
                self.server.client.generate(model=resident.name, keep_alive=0)
            empty = 0 if self.runners() or self.server.residents() else empty + 1
            time.sleep(0.05)
            assert time.time() < deadline_s, (self.server.residents(), self.runners())
        self.log.close()


def _load_ended(digests: dict[str, str], weights: str, world: Scheduler, at_s: float) -> None:
    if world.loading is None or digests[world.loading.model] != weights:
        raise ValueError("this world loads something else")
    world.loaded(at_s, world.loading.ticket)


def _ended(ticket: int, failed: bool, world: Scheduler, at_s: float) -> None:
    state = world.call(ticket).state
    if failed != (state == "failed"):
        raise ValueError(f"{ticket} is {state} in this world")
    if not failed:
        world.finish(at_s, ticket)


@pytest.fixture(scope="module")
def machine() -> Iterator[type[Machine]]:
    with Sandbox(
        OLLAMA_MAX_LOADED_MODELS=LIMIT, OLLAMA_KEEP_ALIVE=DEFAULT, OLLAMA_DEBUG=1
    ) as sandbox:
        server = Server(sandbox.url)
        server.client.copy(WEIGHTS[0], "twin")
        digests = {name: server.weights_digest(name) for name in NAMES}
        yield type(
            "OnThisServer",
            (Machine,),
            {"sandbox": sandbox, "server": server, "digests": digests},
        )
        server.close()


@pytest.mark.slow
def test_the_hang_goes_as_predicted(machine: type[Machine]) -> None:
    """Two busy at the limit; the victim gets a keep_alive before it leaves."""
    first, second, third = WEIGHTS
    run = machine()
    try:
        run.keep_busy(first, 5)
        run.keep_busy(second, -1)
        run.ask(third, "load", -1, {}, wait=False)
        run.ask(first, "short", -1, {}, wait=False)
        for _ in range(2):
            run.hang_up(0)  # the two that kept the first and the second busy
        run.look_until(time.time() + 1)
        assert [world.is_stuck for world in run.worlds.all] == [True]
        run.hang_up(0)  # the third's client
        run.ask(third, "load", 5, {}, wait=False)
        run.look_until(time.time() + 1)
        assert [world.is_stuck for world in run.worlds.all] == [True]
        run.unload(second)  # not the victim
        run.wait_for_a_load()
        assert {r.model for r in run.worlds.all[0].residents} == {first, third}
    finally:
        run.teardown()


@pytest.mark.slow
def test_what_is_done_while_a_model_loads_goes_as_predicted(machine: type[Machine]) -> None:
    first, second, third = WEIGHTS
    run = machine()
    try:
        run.preload(first, -1)
        run.ask(second, "load", 5, {}, wait=False)
        run.unload(second)  # does nothing
        run.wait_for_a_load()
        assert {r.model for r in run.worlds.all[0].residents} == {first, second}
        run.ask(third, "load", 5, {}, wait=False)  # the second is evicted
        run.ask(second, "load", 5, {}, wait=False)
        run.hang_up(0)
        assert run.log.loading == run.digests[second]
        run.ask(third, "load", 5, {}, wait=False)
        run.kill_a_runner(sorted(run.runners()).index(run.digests[second]))
        run.wait_for_a_load()
        assert {r.model for r in run.worlds.all[0].residents} == {first, third}
    finally:
        run.teardown()


@pytest.mark.slow
def test_ollama_does_what_the_scheduler_predicts(machine: type[Machine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=int(os.environ.get("LIFECYCLE_EXAMPLES", 300 if LONG else 5)),
            stateful_step_count=40 if LONG else 15,
            derandomize=not LONG,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # to make a failing example smaller would take hours
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(dict(tally))
