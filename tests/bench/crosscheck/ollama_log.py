"""What Ollama's log tells (with OLLAMA_DEBUG): loads, tokens, and what became of each runner.

Loads and departures are the scheduler's own lines, tokens the runner's. What a runner says has no
name and no time of day on it, so a request's tokens are read from what was written while it was
the only one.
"""

from __future__ import annotations

import math
import re
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lifecycle_widgets.go_duration import from_json
from tests.live_requests import LoadLine, LoadLog

_PATIENCE_S = 1.0
_SCHEDULER = re.compile(
    rb'^time=(?P<at>\S+) level=DEBUG source=sched\.go:\d+ msg="?(?P<says>[^"\n]*?)"? runner\.'
    rb".*?runner\.model=\S*sha256-(?P<weights>[0-9a-f]{64})(?:.* duration=(?P<duration>\S+))?",
    re.MULTILINE,
)
_PROMPT = re.compile(
    rb"new prompt, n_ctx_slot = (?P<context>\d+), .*task\.n_tokens = (?P<prompt>\d+)\n"
    rb"(?:.*\n)*?.*cached n_tokens = (?P<cached>\d+)"
    rb"(?:.*\n)*?.*prompt eval time = +(?P<prompt_ms>[\d.]+) ms / +(?P<evaluated>\d+) tokens"
    rb"(?:.*\n)*?.* eval time = +(?P<eval_ms>[\d.]+) ms / +(?P<output>\d+) tokens"
)
_CUT = re.compile(rb'msg="truncating input prompt" limit=\d+ prompt=(\d+)')
_MEANS = {
    b"after processing request finished event": "served",
    b"runner with non-zero duration has gone idle, adding timer": "idle",
    b"runner with non-zero duration has gone idle, resetting timer": "idle",
    b"runner with zero duration has gone idle, expiring to unload": "zero",
    b"timer expired, expiring to unload": "timer",
    b"resetting model to expire immediately to make room": "evicted",
    b"runner expired event received": "unloaded",  # with none of these three before it
}


@dataclass(frozen=True)
class Completion:
    """What the runner counted of one request: tokens, and seconds.

    ``prompt`` is as much of the prompt as the model saw; of these ``cached`` were there already,
    and ``evaluated`` were read. ``context`` is how many tokens it could see at most.
    """

    prompt: int
    cached: int
    evaluated: int
    output: int
    context: int
    prompt_eval_s: float
    eval_s: float


@dataclass(frozen=True)
class Said:
    """What the scheduler says of the runner of some weights, and when (wall clock).

    ``what``: it has "served" a request (a preload, too; unloading is none), is "idle" until
    ``due_s``, or has to leave: its keep_alive was "zero", its "timer" ran out, it is "evicted", or
    "unloaded" by whomever. What carries such a decision out looks like "unloaded" and comes after
    it: the first one counts.
    """

    at_s: float
    what: str
    weights: str
    due_s: float = math.inf

    @property
    def is_end(self) -> bool:
        """Whether the runner has to leave."""
        return self.what not in ("served", "idle")


class OllamaLog:
    """The log of a sandbox from now on.

    Parameters
    ----------
    path:
        `Sandbox.log_path`; the sandbox was started with ``OLLAMA_DEBUG=1``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._began = self.mark()
        self._load_log = LoadLog(path)
        self._loads: list[LoadLine] = []

    def mark(self) -> int:
        """Where the log ends now."""
        return self._path.stat().st_size

    def loads(self, what: str) -> list[LoadLine]:
        """All loads that "began", or those that "ended" well, in order, by the wall clock."""
        self._loads += self._load_log.new()
        return [line for line in self._loads if line.what == what]

    def completions(self, mark: int, count: int) -> list[Completion]:
        """What was counted of the requests since a mark; waits for so many, not for long.

        A runner that is ended at once after its answer (keep_alive 0) may not come to tell.
        """
        until_s = time.monotonic() + _PATIENCE_S
        while len(found := _completions(self._since(mark))) < count:
            if time.monotonic() > until_s:
                break
            time.sleep(0.02)
        return found

    def whole_prompts(self, mark: int) -> list[int]:
        """Tokens of each prompt since a mark that was too long and was cut."""
        return [int(tokens) for tokens in _CUT.findall(self._since(mark))]

    def scheduler(self) -> list[Said]:
        """What the scheduler has said of runners, in order."""
        lines = _SCHEDULER.finditer(self._since(self._began))
        return [_said(line) for line in lines if line["says"] in _MEANS]

    def close(self) -> None:
        """Let go of the file."""
        self._load_log.close()

    def _since(self, mark: int) -> bytes:
        with self._path.open("rb") as file:
            file.seek(mark)
            return file.read()


def _completions(text: bytes) -> list[Completion]:
    return [
        Completion(
            prompt=int(told["prompt"]),
            cached=int(told["cached"]),
            evaluated=int(told["evaluated"]),
            output=int(told["output"]),
            context=int(told["context"]),
            prompt_eval_s=float(told["prompt_ms"]) / 1e3,
            eval_s=float(told["eval_ms"]) / 1e3,
        )
        for told in _PROMPT.finditer(text)
    ]


def _said(line: re.Match[bytes]) -> Said:
    at_s, lasts = _wall_s(line["at"]), line["duration"]
    lasts_s = math.inf if lasts is None else (from_json(lasts.decode()) or 0) / 1e9
    return Said(at_s, _MEANS[line["says"]], line["weights"].decode(), at_s + lasts_s)


def _wall_s(at: bytes) -> float:
    return datetime.fromisoformat(at.decode().replace("Z", "+00:00")).timestamp()
