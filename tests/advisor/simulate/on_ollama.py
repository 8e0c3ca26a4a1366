"""A schedule on a real Ollama: what its log tells of it, and how long everything took."""

from __future__ import annotations

import json
import re
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from gguf import GGUFReader, GGUFValueType, GGUFWriter
from gguf.scripts.gguf_new_metadata import MetadataDetails, copy_with_new_metadata

from lifecycle_widgets.advisor.simulate.replay import Asked
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import VARIABLE
from lifecycle_widgets.server import Server
from tests.advisor.simulate.schedule import DEFAULT_S, TOKEN_S, Event, Schedule
from tests.live_requests import LiveRequest
from tests.sandbox.sandbox_tools import weights

MODELS = ("smollm2:135m", "smollm2:135m-f16", "smollm2:135m-f32")
ENDLESS = {"prompt": "1 1 1 1 1 1 1 1", "raw": True}  # it never thinks of anything else
PATIENCE_S = 60.0


# --- a server -------------------------------------------------------------------------------------


@contextmanager
def ollama(limit: int, models: Sequence[str], folder: Path) -> Iterator[tuple[Sandbox, Server]]:
    """A sandbox with that limit and those models, whose answers take `TOKEN_S` a token.

    Other names than its own become copies of the first one, with weights files of their own.
    """
    trouble = folder / "trouble.json"
    trouble.write_text(json.dumps({"token_delay_s": TOKEN_S}))
    with Sandbox(
        models=[model for model in MODELS if model in models],
        runner_env={VARIABLE: str(trouble)},
        OLLAMA_MAX_LOADED_MODELS=limit,
        OLLAMA_KEEP_ALIVE=f"{DEFAULT_S}s",
        OLLAMA_DEBUG=1,
    ) as sandbox:
        server = Server(sandbox.url)
        for name in models:
            if name not in MODELS:
                _install_copy(server, name, folder)
        yield sandbox, server
        server.close()


def _install_copy(server: Server, name: str, folder: Path) -> None:
    path = folder / f"{name}.gguf"
    writer = GGUFWriter(path, "llama")
    named = {"general.name": MetadataDetails(GGUFValueType.STRING, name)}
    copy_with_new_metadata(GGUFReader(weights()), writer, named, ["general.name"])
    server.client.create(model=name, files={"model.gguf": server.client.create_blob(path)})
    path.unlink()


def loads_of(server: Server, models: Sequence[str]) -> dict[str, float]:
    """How long each takes to load here, in seconds; each is gone afterwards."""
    loads_s = {}
    for model in models:
        began_s = time.monotonic()
        server.client.generate(model=model, keep_alive=60)
        loads_s[model] = time.monotonic() - began_s
        server.unload(model)
    return loads_s


def gone(server: Server) -> None:
    """Nothing is in memory any more."""
    while residents := server.residents():
        for resident in residents:
            server.unload(resident.name)


# --- a schedule -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lived:
    """What came of a schedule: the events in order, and the same schedule as it really went."""

    events: list[Event]
    schedule: Schedule
    loads: Sequence[tuple[str, float, float]]  # model, when it had ended, how long it took
    lines: list[str]

    def load_s(self, one: Asked) -> float:
        """How long a load took that this request may have needed."""
        its = [(end_s, took_s) for model, end_s, took_s in self.loads if model == one.model]
        after = [took_s for end_s, took_s in its if end_s > one.at_s]
        return after[0] if after else statistics.median(t for _, t in its) if its else 1.0


def lived(sandbox: Sandbox, schedule: Schedule, digests: Mapping[str, str]) -> Lived:
    """Let it happen."""
    mark = sandbox.log_path.stat().st_size
    began_s = time.time()
    sent: list[tuple[Asked, float, LiveRequest]] = []
    counts = dict.fromkeys(digests, 0)
    for one in schedule.asked:
        time.sleep(max(0.0, began_s + one.at_s - time.time()))
        request = LiveRequest(sandbox.port, _body(schedule, one, counts[one.model]))
        sent.append((one, time.time() - began_s, request))
        counts[one.model] += 1
    end_s = began_s + schedule.end_s
    while time.time() < end_s or not all(request.is_over for _, _, request in sent):
        for _, _, request in sent:
            request.look()
        assert time.time() < end_s + PATIENCE_S, [str(request) for _, _, request in sent]
        time.sleep(0.05)
    with sandbox.log_path.open("rb") as file:
        file.seek(mark)
        said = list(_said(file.read(), digests, began_s))
    return Lived(
        events=_events(said, schedule.end_s),
        schedule=replace(schedule, asked=_as_it_went(sent, began_s)),
        loads=_loads(said),
        lines=[f"{at_s:7.2f} {says:45} {model}" for at_s, says, model in said],
    )


def _body(schedule: Schedule, one: Asked, number: int) -> dict[str, object]:
    options = {"num_predict": round(one.answer_s / TOKEN_S), "temperature": 0, "num_thread": 1}
    body = {"model": one.model, "options": options, **ENDLESS}
    carried = schedule.sent(one.model, number)
    return body if carried is None else {**body, "keep_alive": carried}


def _as_it_went(
    sent: Sequence[tuple[Asked, float, LiveRequest]], began_s: float
) -> tuple[Asked, ...]:
    """With the time that each answer took once it was its turn."""
    asked, ends_s = [], dict[str, float]()
    for one, at_s, request in sent:
        assert not request.has_failed, str(request)
        request.hang_up()
        told = request.told
        end_s = _wall_s(told["created_at"]) - began_s
        served_s = end_s - (told["total_duration"] - told["load_duration"]) / 1e9
        turn_s = max(served_s, ends_s.get(one.model, served_s))
        ends_s[one.model] = end_s
        asked.append(Asked(one.model, at_s, end_s - turn_s))
    return tuple(asked)


def _wall_s(at: str) -> float:
    whole, _, fraction = at.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{whole}+00:00").timestamp() + float(f"0.{fraction or 0}")


# --- its log --------------------------------------------------------------------------------------

_LOADING = "loading model via llama-server"
_LOADED = "finished setting up"
_EVICTED = "resetting model to expire immediately to make room"
_EXPIRED = "timer expired, expiring to unload"
_LEAVING = "got lock to unload expired event"
_LEFT = "runner terminated and removed from list"
_SAYS = re.compile(
    rf'^time=(\S+) .*msg="?({_LOADING}|{_LOADED}|{_EVICTED}|{_EXPIRED}|{_LEAVING}|{_LEFT})'
    r".*sha256-([0-9a-f]{64})".encode(),
    re.MULTILINE,
)


def _said(
    log: bytes, digests: Mapping[str, str], began_s: float
) -> Iterator[tuple[float, str, str]]:
    names = {digest: name for name, digest in digests.items()}
    for at, says, digest in _SAYS.findall(log):
        yield _wall_s(at.decode()) - began_s, says.decode(), names[digest.decode()]


def _events(said: Sequence[tuple[float, str, str]], end_s: float) -> list[Event]:
    evicted: set[str] = set()
    events: list[Event] = []
    for at_s, says, model in said:
        if at_s >= end_s:
            break
        if says == _LOADING:
            events.append(("loads", model))
        elif says == _EVICTED:
            evicted.add(model)
        elif says == _EXPIRED:
            evicted.discard(model)  # a request had kept it
        elif says == _LEAVING:
            events.append(("evicted" if model in evicted else "unloaded", model))
            evicted.discard(model)
    return events


def _loads(said: Sequence[tuple[float, str, str]]) -> list[tuple[str, float, float]]:
    """Each load; with the time in which a runner ended, where it waited for that."""
    found, began_s, leaving_s, left_s = [], 0.0, 0.0, -1.0
    for at_s, says, model in said:
        if says == _LEAVING:
            leaving_s = at_s
        elif says == _LEFT:
            left_s = at_s
        elif says == _LOADING:
            began_s = leaving_s if at_s - left_s < 0.1 else at_s
        elif says == _LOADED:
            found.append((model, at_s, at_s - began_s))
    return found
