"""Lab: a server under trial, with what the trials need: models, open requests, held loads."""

from __future__ import annotations

import json
import math
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil

from lifecycle_widgets.facts.open_requests import Busy, HeldLoad, until
from lifecycle_widgets.facts.outcomes import CannotTry, NotSo
from lifecycle_widgets.monitor import Monitor
from lifecycle_widgets.monitor.runners.processes import is_forked
from lifecycle_widgets.sandbox import Sandbox, why_not
from lifecycle_widgets.sandbox.program import ready
from lifecycle_widgets.server import (
    FOREVER,
    NotTold,
    Resident,
    Server,
    chat_models,
    full_name,
    same_name,
)

_REQUEST_S = 20.0  # on a private server; the models there are small
_OWN_REQUEST_S = 300.0
_SETTLES_S = 0.03  # until Ollama counts a request that is answered as over
# Repeats itself for as long as it is let: a small model would end an ordinary answer soon.
_ENDLESS = {
    "prompt": "one two one two one two one two one two one two one two one two",
    "raw": True,
    "options": {"num_predict": 4000, "temperature": 0, "repeat_penalty": 1.0},
}


class Lab:
    """One server under trial.

    On a private server everything may be done. On a person's own, models are loaded only while
    nobody else's is in memory, and only those are unloaded: by their weights, whatever name they
    were loaded under.

    Parameters
    ----------
    server:
        The Ollama under trial.
    sandbox:
        Its sandbox, when it is a private one of ours.
    """

    def __init__(self, server: Server, sandbox: Sandbox | None = None) -> None:
        self.server, self.sandbox = server, sandbox
        timeout_s = _OWN_REQUEST_S if sandbox is None else _REQUEST_S
        self.http = server.door.http_client(timeout_s=timeout_s)
        self._monitor = Monitor(server)  # read by hand, no thread
        self._used: set[str] = set()

    def close(self) -> None:
        """Unload what was loaded here, and close the connections."""
        try:
            self.clear()
        except (CannotTry, NotTold):
            pass  # a person's own
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        self._monitor.stop()
        self.http.close()
        self.server.close()

    @contextmanager
    def private(self, **settings: str | int) -> Iterator[Lab]:
        """A private server of the same program, with settings of its own (none: this, if private).

        Raises
        ------
        CannotTry
            When the program that this machine would start is of another version.
        """
        if self.sandbox is not None and not settings:
            yield self
            return
        if self.sandbox is None:
            if (why := why_not()) is not None:
                raise CannotTry(f"needs a private Ollama: {why}")
            program = ready()
            if program is None or program.version != self.server.version:
                other = f"is {program.version}" if program else "has still to be built"
                raise CannotTry(
                    f"needs a private Ollama {self.server.version}; the one of this machine {other}"
                )
        with Sandbox(**settings) as sandbox:  # type: ignore[arg-type]
            lab = Lab(Server(sandbox.url), sandbox)
            try:
                yield lab
            finally:
                lab._hang_up()

    # --- models ----------------------------------------------------------------------------------

    @cached_property
    def models(self) -> list[str]:
        """The installed models that can chat and run there, the smallest first.

        Raises CannotTry when there is none.
        """
        found = [model.name for model in chat_models(self.server)]
        if not found:
            raise CannotTry("needs a model that can chat, and none is installed")
        return found

    @property
    def model(self) -> str:
        """The smallest model. Raises CannotTry when it may not be loaded here."""
        model = self.models[0]
        self._require_no_others()
        self._used.add(full_name(model))
        return model

    def _require_no_others(self) -> None:
        """Raise CannotTry when a person's server has in memory what was not loaded here."""
        if self.sandbox is not None:
            return
        others = [r.name for r in self.server.residents() if not self._is_used(r.name)]
        if others:
            raise CannotTry(f"{', '.join(others)} is in memory, and could have to leave for it")

    def _is_used(self, name: str) -> bool:
        """Whether a model was loaded here: one of the same weights under another name was not."""
        return any(same_name(name, used) for used in self._used)

    def three_models(self) -> list[str]:
        """Three models of a private server, the smallest first."""
        if len(self.models) < 3:
            raise CannotTry("needs three models")
        return self.models[:3]

    def load(self, model: str, keep_alive: object = 600, **body: object) -> dict[str, Any]:
        """Make a model resident without asking it anything (absent: keep_alive=...)."""
        sent = {"model": model, **body}
        if keep_alive is not ...:
            sent["keep_alive"] = keep_alive
        told = self.ask("/api/generate", sent)
        time.sleep(_SETTLES_S)
        return told

    def clear(self) -> None:
        """Have nothing in memory (of a person's own server: nothing that was loaded here)."""
        for resident in self.server.residents():
            if self.sandbox is not None or self._is_used(resident.name):
                self.server.unload(resident.name)
        if self.names():
            raise CannotTry(f"needs an empty memory, and {', '.join(self.names())} is there")

    def cold(self, model: str) -> str:
        """The model, which is not in memory. Raises CannotTry when it is there for somebody."""
        self._require_no_others()
        self.server.unload(model)
        return model

    # --- requests --------------------------------------------------------------------------------

    def post(self, path: str, body: object) -> httpx.Response:
        """One POST; a text goes as it is, everything else as JSON."""
        content = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return self.http.post(path, content=content)

    def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One answer as a single JSON object. Raises NotSo for an error."""
        reply = self.post(path, {"stream": False, **body})
        if reply.status_code != 200:
            raise NotSo(f"{path} answered {reply.status_code} {reply.text[:200]}")
        return dict(reply.json())

    def answer(self, model: str, tokens: int = 4, **more: Any) -> dict[str, Any]:
        """A short answer, always the same."""
        options = {"num_predict": tokens, "temperature": 0, **more.pop("options", {})}
        body = {"model": model, "prompt": "Name three rivers.", "options": options, **more}
        return self.ask("/api/generate", body)

    @contextmanager
    def busy(self, model: str, keep_alive: object = ..., tokens: int = 4000) -> Iterator[Busy]:
        """A request in flight: the model answers until the block ends, and is then left alone."""
        options: dict[str, Any] = {**_ENDLESS["options"], "num_predict": tokens}  # type: ignore[dict-item]
        body = {"model": model, **_ENDLESS, "options": options}
        if keep_alive is not ...:
            body["keep_alive"] = keep_alive
        with self.http.stream("POST", "/api/generate", json=body) as reply:
            if reply.status_code != 200:
                raise NotSo(f"an answer began with {reply.status_code}")
            request = Busy(reply)
            request.next()
            yield request

    @contextmanager
    def background(self) -> Iterator[Callable[..., Future[httpx.Response]]]:
        """POSTs in threads of their own: ``post(path, body)`` gives a future."""
        with ThreadPoolExecutor(32) as pool:
            yield lambda path, body: pool.submit(self.post, path, body)

    # --- what the server shows -------------------------------------------------------------------

    def ps(self) -> list[dict[str, Any]]:
        """/api/ps as it comes."""
        return list(self.http.get("/api/ps").json()["models"])

    def names(self) -> list[str]:
        """The names of the residents, sorted."""
        return sorted(entry["name"] for entry in self.ps())

    def entry(self, model: str) -> Resident:
        """The resident. Raises NotSo when it is not in memory."""
        found = self.server.resident(model)
        if found is None:
            raise NotSo(f"{model} is not in memory")
        return found

    def deadline(self, model: str) -> datetime:
        """When it expires, by our clock. Raises NotSo when that is not told."""
        expires_at = self.entry(model).expires_at
        if expires_at is None:
            raise NotSo("/api/ps does not tell until when it stays")
        return expires_at

    def left_s(self, model: str) -> float:
        """Seconds until the model expires; `math.inf` for forever."""
        left = self.deadline(model) - datetime.now(timezone.utc)
        return math.inf if left > FOREVER else left.total_seconds()

    def require_left(self, model: str, seconds: float) -> None:
        """Raise NotSo unless the model expires in so many seconds (`math.inf`: forever).

        Ollama sets the deadline when its handler has returned: a moment after the answer has come.
        """
        time.sleep(_SETTLES_S)
        in_time = until(lambda: -2 < _minus(self.left_s(model), seconds) <= 0.1, 1.0)
        if not in_time:
            raise NotSo(f"it leaves in {self.left_s(model):.2f} s, not {seconds:g}")

    def gone(self, model: str, within_s: float = 3.0) -> bool:
        """Whether the model leaves in time."""
        return until(lambda: self.server.resident(model) is None, within_s)

    # --- runners ---------------------------------------------------------------------------------

    def runners(self) -> set[int]:
        """The process numbers of the runners. Raises CannotTry where they cannot be seen."""
        sample = self._monitor.read()
        if sample.runners is None:
            raise CannotTry(f"needs to see the runners: {sample.unseen}")
        return {runner.pid for runner in sample.runners}

    def require_private(self) -> Sandbox:
        """The sandbox; trials that touch processes are for private servers only."""
        if self.sandbox is None:
            raise CannotTry("is tried on a private server only")
        return self.sandbox

    def children(self) -> set[int]:
        """All processes that the private Ollama has started, once they are programs of their own.

        Before that a child has Ollama's own command line and memory, and Ollama waits for it:
        whoever stops such a child stops Ollama (vfork(2): "the calling thread is suspended").
        """
        ollama = psutil.Process(self.require_private().pid)
        return {child.pid for child in ollama.children() if not is_forked(child)}

    def _new_child(self, before: set[int]) -> int:
        if not until(lambda: self.children() - before, 10.0):
            raise NotSo("no runner was started")
        return min(self.children() - before)

    @contextmanager
    def leaving_load(self, model: str) -> Iterator[int]:
        """A load whose client has gone away: the process number of the runner that loads."""
        if sys.platform != "linux":
            raise CannotTry("looks at processes, which is tried on Linux only")
        before = self.children()
        port = urlsplit(self.server.url).port or 11434
        body = json.dumps({"model": model, "keep_alive": 600}).encode()
        head = f"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}"
        with socket.create_connection(("127.0.0.1", port), 10.0) as client:
            client.sendall(head.encode() + b"\r\n\r\n" + body)
            runner = self._new_child(before)
            os.kill(runner, signal.SIGSTOP)  # a fast load must not end before the client goes
        try:
            yield runner
        finally:
            try:
                os.kill(runner, signal.SIGCONT)
            except ProcessLookupError:
                pass

    @contextmanager
    def held_load(self, model: str, **body: object) -> Iterator[HeldLoad]:
        """A load that gets no further: its runner is stopped (SIGSTOP) when it appears.

        At the end of the block it goes on, unless it has been given up meanwhile.
        """
        if not hasattr(signal, "SIGSTOP") or sys.platform != "linux":
            raise CannotTry("holds a process, which is tried on Linux only")
        before = self.children()
        with ExitStack() as stack:
            pool = stack.enter_context(ThreadPoolExecutor(1))
            client = stack.enter_context(self.server.door.http_client(timeout_s=_REQUEST_S))
            sent = {"model": model, "keep_alive": 600, "stream": False, **body}
            reply = pool.submit(client.post, "/api/generate", json=sent)
            held = HeldLoad(self._new_child(before), reply)
            held.send(signal.SIGSTOP)
            try:
                yield held
            finally:
                held.send(signal.SIGCONT)


def _minus(left_s: float, right_s: float) -> float:
    """The difference; 0 for two that are infinite."""
    return 0.0 if left_s == right_s else left_s - right_s
