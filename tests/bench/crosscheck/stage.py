"""Stage: a private Ollama with three models and all its witnesses, and what may be done to it."""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from lifecycle_widgets.agent import AgentRun, run_agent
from lifecycle_widgets.experiments import ColdAndWarm
from lifecycle_widgets.experiments.shortage.shortage import Shortage
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.runs import Run
from lifecycle_widgets.sandbox import MODELS, Sandbox
from lifecycle_widgets.sandbox.trouble import TEMPLATE, VARIABLE
from lifecycle_widgets.server import Server
from tests.bench.crosscheck.memory import Account, pages_bytes
from tests.bench.crosscheck.ollama_log import OllamaLog
from tests.bench.crosscheck.process_table import ProcessTable
from tests.bench.crosscheck.relay import Relay
from tests.bench.crosscheck.seen import Asked, Measured, Weighed
from tests.griptape_tools import clock
from tests.live_requests import LiveRequest
from tests.sandbox import sandbox_tools

SMALL, MIDDLE, LARGE = MODELS
TWIN, CALLER = "twin:latest", "caller:latest"  # other names for the weights of the small one
NAMES = (SMALL, MIDDLE, LARGE, TWIN)
LIMIT = 2  # models in memory at once
TOOL_S = 0.7  # that the tool is known to take
STORY = "Write a long story about a lighthouse."


@dataclass
class Stage:
    """What is played on, and what was seen. Make one with `stage`."""

    sandbox: Sandbox
    monitor: Monitor
    server: Server  # the monitor's
    relay: Relay
    table: ProcessTable
    log: OllamaLog
    account: Account | None
    trouble: Path
    chance: random.Random
    scene: str = ""
    asked: list[Asked] = field(default_factory=list)
    measured: list[Measured] = field(default_factory=list)
    weighed: list[Weighed] = field(default_factory=list)
    unloaded: set[int] = field(default_factory=set)  # runners that our Server told to leave

    def __post_init__(self) -> None:
        self.wall_ahead_s = time.time() - time.monotonic()
        self.ended_s = 0.0  # when the story was over
        installed = [model.name for model in self.server.models()]
        self.weights = {name: self.server.weights_digest(name) for name in installed}
        self._relayed = Server(self.relay.url)
        self._beside = Monitor(self.server)  # reads on demand: not the one that is tried

    # --- what may be done ------------------------------------------------------------------------

    def ask(
        self,
        model: str,
        keep_alive: str | int | None = None,
        *,
        prompt: str = "Name three rivers.",
        tokens: int = 6,
        by_relay: bool | None = None,
        is_alone: bool = True,
        **more: Any,
    ) -> Run:
        """A run of ours: by the relay or as the monitor's Server, by chance where not told.

        Where it is not alone (or no model answers) the log tells no tokens of it.
        """
        by_relay = self.chance.random() < 0.5 if by_relay is None else by_relay
        options = {"num_predict": tokens, "temperature": 0, **more.pop("options", {})}
        mark, began_s = self.log.mark(), time.monotonic()
        run = run_agent(
            prompt,
            model=model,
            keep_alive=keep_alive,
            server=self._relayed if by_relay else self.server,
            options=options,
            **more,
        )
        ended_s, count = time.monotonic(), len(run.requests)
        seen = Asked(
            scene=self.scene,
            run=run,
            began_s=began_s,
            ended_s=ended_s,
            exchanges=self.relay.exchanges(count) if by_relay else [],
            completions=self.log.completions(mark, count) if is_alone else [],
            whole_prompts=self.log.whole_prompts(mark),
        )
        self.asked.append(seen)
        return run

    def ask_scripted(self, *answers: dict[str, Any], keep_alive: str | int | None) -> Run:
        """A run whose model says what is written here, calling a tool that takes 0.7 s."""
        self.unload(SMALL)  # the same weights: a runner reads its trouble when it starts
        self.trouble.write_text(json.dumps({"script": answers, "token_delay_s": 0.05}))
        try:
            run = self.ask(
                CALLER, keep_alive, prompt="What time is it?", tools=[clock(TOOL_S)], is_alone=False
            )
            if keep_alive == 0:
                self.until_gone(CALLER)
            else:
                self.unload(CALLER)
        finally:
            self.trouble.unlink()
        return run

    def ask_and_stop(self, model: str, after_s: float) -> Run:
        """A run of ours that is stopped after a while, as the monitor's Server."""
        began_s = time.monotonic()
        begun = AgentRun(STORY, model=model, keep_alive="5m", server=self.server).start()
        time.sleep(after_s)
        begun.stop()
        run = begun.wait()
        self.asked.append(Asked(self.scene, run, began_s, time.monotonic(), [], [], []))
        return run

    def measure(self, model: str) -> None:
        """What a reload costs, by an experiment, which asks by the relay."""
        self.unload(model)  # an experiment leaves alone what it did not load
        before = len(self.log.loads("ended"))
        result = ColdAndWarm(model, rounds=2, server=self._relayed).run()
        seen = self.relay.all_others()
        ttfts_s = [e.token_s - e.sent_s for e in seen if e.token_s is not None]
        loads = len(self.log.loads("ended")) - before
        self.measured.append(Measured(self.scene, result, ttfts_s, loads))

    def unload(self, model: str) -> None:
        """By the monitor's Server."""
        weights = self.weights[model]
        self.unloaded |= {life.pid for life in self.table.alive() if life.weights == weights}
        self.server.unload(model)
        self.until_gone(model)

    def another(self, model: str, **body: Any) -> None:
        """A request of another client: with no prompt it loads, or unloads."""
        sandbox_tools.ask(
            self.sandbox.url, "/api/generate", {"model": model, "stream": False, **body}
        )

    def another_meanwhile(self, model: str) -> LiveRequest:
        """The same, answered while something else is done."""
        body = {"model": model, "prompt": STORY, "keep_alive": 2, "options": {"num_predict": 40}}
        return LiveRequest(self.sandbox.port, body)

    def kill(self) -> None:
        """Kill a runner, if there is one."""
        if alive := self.table.alive():
            psutil.Process(self.chance.choice(alive).pid).kill()

    def until_gone(self, model: str, within_s: float = 10.0) -> None:
        """Wait until the model's runner has ended."""
        weights = self.weights[model]

        def is_gone() -> bool:
            return all(life.weights != weights for life in self.table.alive())

        assert sandbox_tools.eventually(is_gone, within_s), f"{self.scene}: {model} has not left"

    def pause(self, at_most_s: float) -> None:
        """Do nothing for a while."""
        time.sleep(self.chance.uniform(0, at_most_s))

    # --- memory ----------------------------------------------------------------------------------

    def weigh(self) -> None:
        """Read the runners' memory, unless one comes or goes meanwhile, or others are listed."""
        before = {life.pid for life in self.table.alive()}
        sample = self._beside.read()
        try:
            pages = {pid: pages_bytes(pid) for pid in before}
            account = None if self.account is None else self.account.runners_bytes()
        except (OSError, psutil.Error):  # it has just left
            return
        sampled = {runner.pid: runner.rss_bytes for runner in sample.runners or ()}
        residents = sample.residents or ()
        time.sleep(0.05)
        after = {life.pid for life in self.table.alive()}
        named = [runner.model or "" for runner in sample.runners or ()]
        # one that is listed may have made room already for one that still loads
        are_these = len(residents) == len(named) and all(
            any(self.server.same_model(name, one.name) for one in residents) for name in named
        )
        if before and before == after == set(sampled) and are_these:
            told = sum(resident.size_bytes or 0 for resident in residents)
            self.weighed.append(Weighed(self.scene, sampled, pages, account, told))


@contextmanager
def stage(
    seed: int, *, history_s: float, models: Sequence[str] = MODELS, by_account: bool = True
) -> Iterator[Stage]:
    """A stage, with nothing in memory; everything that was started for it ends with it.

    Parameters
    ----------
    seed:
        Of its chances.
    history_s:
        How long the monitor remembers, in seconds.
    models:
        Which it has; the first is the small one.
    by_account:
        Whether memory is also held against a control group's account, where one can be made.
    """
    with ExitStack() as stack:
        group = None
        if by_account and Shortage.why_not() is None:  # no shortage: as much as there is
            group = stack.enter_context(Shortage(psutil.virtual_memory().total))
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        trouble = Path(folder) / "trouble.json"
        sandbox = stack.enter_context(
            Sandbox(
                models=models,
                runner_env={VARIABLE: str(trouble)},
                OLLAMA_MAX_LOADED_MODELS=LIMIT,
                OLLAMA_DEBUG=1,
            )
        )
        server = Server(sandbox.url)
        stack.callback(server.close)
        server.client.copy(SMALL, TWIN)
        server.client.create(model=CALLER, from_=SMALL, template=TEMPLATE)
        log = OllamaLog(sandbox.log_path)
        stack.callback(log.close)
        yield Stage(
            sandbox=sandbox,
            monitor=stack.enter_context(Monitor(server, history_s=history_s)),
            server=server,
            relay=stack.enter_context(Relay(sandbox.port)),
            table=stack.enter_context(ProcessTable(sandbox.pid)),
            log=log,
            account=None if group is None else Account(group, sandbox.pid),
            trouble=trouble,
            chance=random.Random(seed),
        )
