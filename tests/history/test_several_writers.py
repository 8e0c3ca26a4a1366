"""Three processes that write one server's history at once: no loss, and nothing twice."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from lifecycle_widgets.history import History
from tests.history.history_tools import rows

PROCESSES, EACH = 3, 20
CODE = """
import sys, time
from lifecycle_widgets.history import History
from tests.history.history_tools import Watching, request
path, number, base = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
def ago(n, shift=0.0):
    return time.time() - base - n * 3.0 - shift
history, watching = History(path), Watching()
exact = {"whose": "ours", "witnesses": ("own",), "begin_within_s": 0.0, "end_within_s": 0.0}
requests = []
for n in range(int(sys.argv[4])):  # the order in which they ended
    who = n % 6
    if who == number:
        requests.append(lambda n=n: request(ago(n), **exact))
    elif who < 3:  # another process's: as it is seen from here
        requests.append(lambda n=n: request(ago(n, 0.2 * (number + 1 - 1.5)), witnesses=("log",)))
    else:
        requests.append(lambda n=n: request(ago(n, 0.1 * number)))
with history.keep(watching) as keeping:
    for first in range(0, len(requests), 6):
        watching.see(*(make() for make in requests[first : first + 6]))
        time.sleep(0.02)
    watching.see()
    assert keeping.told is None, keeping.told
"""


def test_three_at_once(tmp_path: Path) -> None:
    history = History(tmp_path / "h.sqlite")
    count = PROCESSES * EACH * 2
    base = time.time() - count * 3.0 - 30.0
    given = (str(base), str(count))
    writers = [
        subprocess.Popen([sys.executable, "-c", CODE, str(history.path), str(n), *given])
        for n in range(PROCESSES)
    ]
    assert [writer.wait(timeout=90) for writer in writers] == [0] * PROCESSES
    table = history.requests()
    whose = table["whose"].value_counts().to_dict()
    assert whose == {"ours": PROCESSES * EACH, "another client": PROCESSES * EACH}
    [(counted, ours)] = rows(history.path, "SELECT sum(requests), sum(ours) FROM hours")
    assert (counted, ours) == (2 * PROCESSES * EACH, PROCESSES * EACH)
    assert rows(history.path, "PRAGMA integrity_check") == [("ok",)]
