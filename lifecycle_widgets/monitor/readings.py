"""One reading after another: each probe fails alone, and no failure loses a sample."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cached_property
from typing import TypeVar

from lifecycle_widgets.monitor.gpus import Gpus
from lifecycle_widgets.monitor.host import MACHINE, Host
from lifecycle_widgets.monitor.in_force import InForce
from lifecycle_widgets.monitor.in_force.watch import InForceWatch
from lifecycle_widgets.monitor.machine import MachineProbe, Pressure, Swap
from lifecycle_widgets.monitor.others import Others, Taken
from lifecycle_widgets.monitor.runner_memory import note
from lifecycle_widgets.monitor.runners import Found, ModelNames, RunnerWatch
from lifecycle_widgets.monitor.runners.limit import most_models
from lifecycle_widgets.monitor.sample import Gpu, Machine, Runner, Sample
from lifecycle_widgets.monitor.system.sources import Sources
from lifecycle_widgets.server import NotTold, Resident, Server, ServerError, ServerUnreachable
from lifecycle_widgets.server.polling import ResidentsPoll

_ANSWER_S = 1.0  # a server that hangs must not hold up the readings of memory and CPU
_UNREADABLE = "The processes of this machine cannot be read."
_log = logging.getLogger("lifecycle_widgets")

_Value = TypeVar("_Value")
_NO_MEMORY: tuple[int | None, int | None, str] = (None, None, MACHINE)


# a monitor that has ended may be kept for long, for its samples: three dozen files would stay open
_HOLD_FILES = ("_others", "_watch", "_machine", "_host", "_sources")


class Readings:
    """Takes samples, with everything that it reads from kept open.

    What fails is None in the sample (empty, for GPUs), stands in its ``faults``, and is logged
    once (logger ``lifecycle_widgets``).

    Parameters
    ----------
    server:
        The Ollama to watch.
    """

    def __init__(self, server: Server) -> None:
        self._given = server
        self._faults: dict[str, str] = {}  # of each probe that fails now
        self._said: set[str] = set()

    # opened at the first reading, so that what fails then is a fault like any other

    @cached_property
    def _server(self) -> Server:
        return self._given.with_timeout(_ANSWER_S)

    @cached_property
    def _poll(self) -> ResidentsPoll:
        return self._server.poll()

    @cached_property
    def _sources(self) -> Sources:
        return Sources()

    @cached_property
    def _host(self) -> Host:
        return Host(self._sources)

    @cached_property
    def _machine(self) -> MachineProbe:
        return MachineProbe(self._sources)

    @cached_property
    def _gpus(self) -> Gpus:
        return Gpus()

    @cached_property
    def _watch(self) -> RunnerWatch:
        return RunnerWatch(self._given)

    @cached_property
    def _others(self) -> Others:
        return Others(self._sources)

    @cached_property
    def _in_force(self) -> InForceWatch:
        return InForceWatch(self._server)

    @cached_property
    def _names(self) -> ModelNames:
        return ModelNames(self._server)

    def close(self) -> None:
        """Let go of what is open; the next reading opens it anew."""
        gpus = self.__dict__.pop("_gpus", None)
        if gpus is not None:
            gpus.close()
        poll = self.__dict__.pop("_poll", None)
        if poll is not None:
            poll.close()
        for name in _HOLD_FILES:
            self.__dict__.pop(name, None)  # its files are closed with it

    def take(self) -> Sample:
        """One reading of everything. Raises nothing."""
        at, t_s = datetime.now().astimezone(), time.monotonic()
        used, total, ram_of = self._probe("main memory", lambda: self._host.memory(), _NO_MEMORY)
        # processes before /api/ps: Ollama ends a runner first and then drops it from the list, so
        # a model without a runner has lost it
        self._probe("the processes", lambda: self._watch.scan(), None)
        residents, error, not_told = self._ask()
        runners = self._probe("the runners", lambda: self._named(residents, error), None)
        others = self._probe("what others take", lambda: self._read_others(runners, used), Taken())
        gpus = self._read_gpus()
        machine = self._read_machine()
        in_force = self._probe(
            "what is in force", lambda: self._read_in_force(residents, error), None
        )
        return Sample(
            at=at,
            t_s=t_s,
            ram_used_bytes=used,
            ram_total_bytes=total,
            cpu_fraction=self._probe("the CPU", lambda: self._host.cpu_fraction(), None),
            runners=runners,
            gpus=gpus,
            residents=residents,
            error=error,
            unseen=self._unseen(runners),
            not_told=not_told,
            ram_of=ram_of,
            faults=self._told_faults(),
            cpu_of_others=others.cpu,
            disk_of_others_bytes_per_s=others.disk_bytes_per_s,
            ram_of_others_bytes=others.ram_bytes,
            most_models=self._probe(
                "the limit of models", lambda: most_models(in_force, _cards(gpus)), None
            ),
            machine=machine,
            in_force=in_force,
        )

    # --- probes ----------------------------------------------------------------------------------

    def _ask(self) -> tuple[tuple[Resident, ...] | None, str | None, str | None]:
        """The models in memory; why the server did not answer; why it does not tell."""
        try:
            residents = self._poll.residents()
        except NotTold as fault:
            return None, None, str(fault)
        except (ServerUnreachable, ServerError) as fault:
            return None, str(fault), None
        except Exception as fault:
            self._fails("the list of models in memory", fault)
            return None, f"What {self._given.url} answers cannot be read.", None
        self._faults.pop("the list of models in memory", None)
        return residents, None, None

    def _named(
        self, residents: tuple[Resident, ...] | None, error: str | None
    ) -> tuple[Runner, ...] | None:
        told = residents or ()
        unknown: list[str | None] = [None for _ in told]
        weights = self._probe("the models' weights", lambda: self._names.weights(told), unknown)
        seen = self._watch.judge(weights if error is None else None)
        if seen is None:
            return None
        runners = self._names.named(seen, residents)
        _note_memory(seen, runners, told)
        return runners

    def _read_others(self, runners: tuple[Runner, ...] | None, used_bytes: int | None) -> Taken:
        """Not told where the server's processes are not seen: they would count as others'."""
        if runners is None:
            return Taken()
        pid = self._watch.server_pid
        servers = {runner.pid for runner in runners} | ({pid} if pid is not None else set())
        return self._others.read(servers, used_bytes, self._watch.alive)

    def _read_in_force(self, residents: tuple[Resident, ...] | None, error: str | None) -> InForce:
        watch = self._watch
        return self._in_force.read(watch.server_pid, watch.unseen, residents, answers=error is None)

    def _read_machine(self) -> Machine:
        probe = self._machine
        swap = self._probe("the swap space", lambda: probe.swap(), Swap())
        disk = self._probe("the disks", lambda: probe.disk_read_bytes_per_s(), None)
        group = self._host.group
        pressure = self._probe("the pressure", lambda: probe.pressure(group), Pressure())
        return Machine(
            page_cache_bytes=self._host.page_cache_bytes,
            swap_used_bytes=swap.used_bytes,
            swap_total_bytes=swap.total_bytes,
            swapped_in_bytes_per_s=swap.in_bytes_per_s,
            disk_read_bytes_per_s=disk,
            cpu_pressure=pressure.cpu,
            memory_pressure=pressure.memory,
            io_pressure=pressure.io,
        )

    def _read_gpus(self) -> tuple[Gpu, ...]:
        return self._probe("the GPUs", lambda: self._gpus.read(), ())

    def _unseen(self, runners: tuple[Runner, ...] | None) -> str | None:
        if runners is not None:
            return None
        return self._probe("the runners' whereabouts", lambda: self._watch.unseen, None) or (
            _UNREADABLE
        )

    # --- what fails ------------------------------------------------------------------------------

    def _probe(self, what: str, ask: Callable[[], _Value], otherwise: _Value) -> _Value:
        try:
            value = ask()
        except Exception as fault:
            self._fails(what, fault)
            return otherwise
        self._faults.pop(what, None)
        return value

    def _fails(self, what: str, fault: Exception) -> None:
        line = (str(fault).strip().splitlines() or [""])[0]
        why = f"{type(fault).__name__}: {line}" if line else type(fault).__name__
        self._faults[what] = f"{what[0].upper()}{what[1:]} cannot be read ({why})."
        if self._says(what, self._faults[what]):
            _log.debug("how that happened:", exc_info=fault)

    def _told_faults(self) -> tuple[str, ...]:
        gpus = self.__dict__.get("_gpus")
        told = gpus.faults if gpus is not None else ()
        for fault in told:
            self._says(fault, fault)
        return (*self._faults.values(), *told)

    def _says(self, what: str, sentence: str) -> bool:
        """Log it, the first time: there are two samples a second. True when it was."""
        if what in self._said:
            return False
        self._said.add(what)
        _log.warning("%s The monitor goes on; this is said once.", sentence)
        return True


def _cards(gpus: Iterable[Gpu]) -> int:
    return sum(not gpu.is_integrated for gpu in gpus)


def _note_memory(
    found: Iterable[Found], runners: Iterable[Runner], residents: Iterable[Resident]
) -> None:
    """Keep what models take that have been loaded, for whoever plans with them; not on GPUs."""
    listed = {resident.name: resident for resident in residents}
    for one, runner in zip(found, runners, strict=True):
        resident = listed.get(runner.model or "")
        if one.digest and resident is not None and not resident.size_vram_bytes:
            note(one.digest, resident.context_length, runner.pid, runner.rss_bytes)
