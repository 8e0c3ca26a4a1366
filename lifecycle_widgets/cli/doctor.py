"""``lifecycle-lab doctor``: what is wrong with a server, or with how it is used."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from lifecycle_widgets.watch import Watched, watched

if TYPE_CHECKING:
    from lifecycle_widgets.doctor import Diagnosis
    from lifecycle_widgets.history import History

_ABOUT = """\
Looks at a server for some seconds and says what is wrong with it, or with how it is used: each
finding with its evidence and what to do. It loads nothing, resets no timer and changes nothing.
Without an address it is your own server (OLLAMA_HOST, else localhost). The exit status is 1 when
there is a fault or a warning.
"""


def main(words: Sequence[str]) -> int:
    """Examines them and tells what it found; returns 1 when there is a fault or a warning."""
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab doctor", description=_ABOUT, allow_abbrev=False
    )
    parser.add_argument("servers", nargs="*", metavar="ADDRESS", help="which (default: your own)")
    parser.add_argument("--json", action="store_true", help="as JSON: a list, one object a server")
    parser.add_argument("--seconds", type=float, metavar="S", help="how long to look at least")
    known = parser.parse_args(words)
    try:
        servers = watched(known.servers)
    except ValueError as fault:
        parser.exit(2, f"lifecycle-lab: {fault}\n")
    if known.seconds is not None and not 0 <= known.seconds < float("inf"):
        parser.error(f"--seconds is {known.seconds:g}; give 0 or more.")
    from lifecycle_widgets.doctor import FAULT, WARNING

    found = _examined(servers, known.seconds)
    _tell(servers, found, as_json=known.json)
    severe = (FAULT, WARNING)
    return int(any(one.severity in severe for diagnoses in found for one in diagnoses))


def _examined(servers: Sequence[Watched], watch_s: float | None) -> list[tuple[Diagnosis, ...]]:
    from lifecycle_widgets.doctor import examine
    from lifecycle_widgets.doctor.looking import WATCH_S

    watch_s = WATCH_S if watch_s is None else watch_s
    with ExitStack() as ending:
        history = _history(ending)
        return [examine(one.server, history=history, watch_s=watch_s) for one in servers]


def _history(ending: ExitStack) -> History | None:
    """What was kept, where there is anything: none is begun for this."""
    from lifecycle_widgets.history import History, HistoryError

    try:
        history = History()
        ending.callback(history.close)
        return history if history.path.exists() else None
    except HistoryError:
        return None


def _tell(
    servers: Sequence[Watched], found: Sequence[tuple[Diagnosis, ...]], *, as_json: bool
) -> None:
    from lifecycle_widgets.doctor import show, to_json

    pairs = list(zip(servers, found, strict=True))
    if as_json:
        told = [
            {"server": one.name, "address": one.server.url, "diagnoses": to_json(diagnoses)}
            for one, diagnoses in pairs
        ]
        print(json.dumps(told, ensure_ascii=False, indent=1))
        return
    print("\n\n".join(f"{one.server.url}\n\n{show(diagnoses)}" for one, diagnoses in pairs))
