"""Watch servers from a process of its own: python -m tests.grounds.watch URL ...

Loads nothing; prints what a sample of each server shows, as a line of JSON each.
"""

from __future__ import annotations

import json
import os
import sys

from lifecycle_widgets import Monitor, Sample, Server
from tests.cases.case_tools import wait_until


def main(urls: list[str]) -> None:
    """All at the same time, as two notebooks would."""
    monitors = [Monitor(Server(url)).start() for url in urls]
    for url, monitor in zip(urls, monitors, strict=True):
        wait_until(lambda m=monitor: len(m.samples) >= 3, "three samples", 20)  # type: ignore[misc]
        last = monitor.samples[-1]
        found = None
        if last.runners is not None:
            found = [(runner.pid, runner.model, runner.rss_bytes) for runner in last.runners]
        told = {
            "url": url,
            "uid": os.geteuid(),
            "runners": found,
            "unseen": last.unseen,
            "error": last.error,
            "in_force": _in_force(last),
            "residents": [(r.name, r.size_bytes) for r in last.residents or ()],
        }
        print(json.dumps(told))
    for monitor in monitors:
        monitor.stop()


def _in_force(last: Sample) -> dict[str, object]:
    told = last.in_force
    assert told is not None
    return {
        "version": told.version,
        "pid": told.pid,
        "environment": told.environment and dict(told.environment),
        "default_keep_alive_s": told.default_keep_alive_s,
        "unseen": told.unseen,
    }


if __name__ == "__main__":
    main(sys.argv[1:])
