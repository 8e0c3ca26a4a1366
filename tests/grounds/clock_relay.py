"""A relay that shifts the clock of a real Ollama: its Date header and its deadlines."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from tests.recorded import Answer, RecordedServer, Request
from tests.sandbox.sandbox_tools import ask


def relay(url: str, path: str) -> Callable[[Request], Answer]:
    """Hands a request on, and the answer back."""

    def answer(request: Request) -> Answer:
        data = request.body if request.method == "POST" else None
        with urllib.request.urlopen(urllib.request.Request(url + path, data), timeout=60) as reply:
            lines = reply.read().split(b"\n")
        return Answer(lines=[line for line in lines if line], kind="application/x-ndjson")

    return answer


@contextmanager
def shifted(url: str, ahead_s: float) -> Iterator[RecordedServer]:
    """The same Ollama by the clock of a machine that is ahead."""

    def residents(_: Request) -> Any:
        told = ask(url, "/api/ps")
        for entry in told["models"]:
            whole = re.sub(r"\.\d+", "", entry["expires_at"]).replace("Z", "+00:00")
            at = datetime.fromisoformat(whole)
            entry["expires_at"] = (at + timedelta(seconds=ahead_s)).isoformat()
        return json.loads(json.dumps(told))

    paths = ["/api/version", "/api/tags", "/api/show", "/api/chat", "/api/generate"]
    routes: dict[str, Any] = {path: relay(url, path) for path in paths}
    with RecordedServer(routes | {"/api/ps": residents}, ahead_s=ahead_s) as recorded:
        yield recorded
