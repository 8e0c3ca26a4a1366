"""Other clients of one Ollama: each request of theirs, by whatever program, and when it was."""

from __future__ import annotations

import json
import random
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import ollama

PROMPT = "Write a long story about a lighthouse."
Clock = Callable[[], float]


@dataclass(frozen=True)
class Asked:
    """One request, by the client's clock (monotonic)."""

    model: str
    began_s: float
    ended_s: float
    by: str
    is_good: bool


class Clients:
    """Sends requests, and notes when each began and ended.

    Parameters
    ----------
    url:
        The server's.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        # made once: what that takes is no part of a request
        self._ollama, self._http = ollama.Client(url), httpx.Client(timeout=None)
        self.asked: list[Asked] = []
        self._ways = {
            "ollama-python": self._python,
            "curl": self._curl,
            "/v1": self._v1,
            "stream": self._stream,
            "aborted": self._aborted,
        }
        self._threads: list[threading.Thread] = []

    def ask(self, by: str, model: str, tokens: int, keep_alive: Any = None) -> None:
        """One request; waits for its end."""
        began_s = time.monotonic()
        try:
            is_good = self._ways[by](model, tokens, keep_alive)
        except (httpx.HTTPError, ollama.ResponseError, ConnectionError):
            is_good = False
        self.asked.append(Asked(model, began_s, time.monotonic(), by, is_good))

    def ask_meanwhile(self, by: str, model: str, tokens: int, keep_alive: Any = None) -> None:
        """One request, in a thread of its own."""
        thread = threading.Thread(target=self.ask, args=(by, model, tokens, keep_alive))
        self._threads.append(thread)
        thread.start()

    def wait(self) -> None:
        """For all that is on its way."""
        for thread in self._threads:
            thread.join()

    def work(self, models: tuple[str, ...], for_s: float, seed: int) -> None:
        """Mixed traffic of one client, until the time is over."""
        chance = random.Random(seed)
        until_s = time.monotonic() + for_s
        while time.monotonic() < until_s:
            time.sleep(chance.choice((0.05, 0.3, 1.0, 2.0, 4.0, 7.0)) * chance.uniform(0.5, 1.5))
            by = chance.choice(("ollama-python", "ollama-python", "curl", "/v1", "stream"))
            by = "aborted" if chance.random() < 0.1 else by
            keep_alive = chance.choice((None, None, None, None, 60, "7s", -1, 0))
            model = models[0] if chance.random() < 0.7 else chance.choice(models)
            self.ask(by, model, chance.choice((1, 3, 10, 30, 80, 160)), keep_alive)

    # --- each way --------------------------------------------------------------------------------

    def _python(self, model: str, tokens: int, keep_alive: Any) -> bool:
        options = {"num_predict": tokens}
        messages = [{"role": "user", "content": PROMPT}]
        return bool(self._ollama.chat(model, messages, options=options, keep_alive=keep_alive).done)

    def _curl(self, model: str, tokens: int, keep_alive: Any) -> bool:
        body = json.dumps(self._body(model, tokens, keep_alive))
        command = ["curl", "-s", "-f", f"{self._url}/api/generate", "-d", body]
        return subprocess.run(command, stdout=subprocess.DEVNULL).returncode == 0

    def _v1(self, model: str, tokens: int, keep_alive: Any) -> bool:
        messages = [{"role": "user", "content": PROMPT}]
        body = {"model": model, "messages": messages, "max_tokens": tokens}
        return self._http.post(f"{self._url}/v1/chat/completions", json=body).is_success

    def _stream(self, model: str, tokens: int, keep_alive: Any) -> bool:
        return self._read(model, tokens, keep_alive, lines=10**6)

    def _aborted(self, model: str, tokens: int, keep_alive: Any) -> bool:
        return self._read(model, max(tokens, 30), keep_alive, lines=12)

    def _read(self, model: str, tokens: int, keep_alive: Any, lines: int) -> bool:
        body = self._body(model, tokens, keep_alive) | {"stream": True}
        with self._http.stream("POST", f"{self._url}/api/generate", json=body) as reply:
            for number, _ in enumerate(reply.iter_lines()):
                if number > lines:
                    break
            return reply.is_success

    def _body(self, model: str, tokens: int, keep_alive: Any) -> dict[str, Any]:
        body = {"model": model, "prompt": PROMPT, "options": {"num_predict": tokens}}
        return body if keep_alive is None else body | {"keep_alive": keep_alive}
