"""The simulator against the sandbox: 20 random schedules of several models, each predicted first.

    python -m tests.bench advisor-schedules

Three sandboxes work at once, one for each limit, as most of the time is waiting; in about six
minutes. What counts: the same loads, evictions and unloads in the same order. A schedule is taken
only where that order does not hang on how long this machine takes for a load (`is_decided`). Where
the machine was slower than that, the times that it really took are given to the simulator: it must
then tell what was seen.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from tests.advisor.simulate.on_ollama import MODELS, gone, lived, loads_of, ollama
from tests.advisor.simulate.schedule import drawn, explained, predicted

ALL = (*MODELS, "copy-a", "copy-b")
HOW_MANY = {1: 6, 2: 8, 3: 6}  # by limit
Row = Callable[[str, str], None]


def bench_schedules(row: Row, first_seed: int = 0) -> None:
    """Prints each schedule; one that went otherwise with all that was seen. Ends with 1 then."""
    began_s = time.monotonic()
    with ThreadPoolExecutor(len(HOW_MANY)) as lanes:
        lived_in = lanes.map(partial(_lane, row, first_seed), HOW_MANY)
        verdicts = [verdict for lane in lived_in for verdict in lane]
    for verdict in dict.fromkeys(verdicts):
        row(f"schedules {verdict}", f"{verdicts.count(verdict)} of {len(verdicts)}")
    row("  took", f"{time.monotonic() - began_s:.0f} s")
    if "OTHERWISE" in verdicts:
        sys.exit(1)


def _lane(row: Row, first_seed: int, limit: int) -> list[str]:
    with tempfile.TemporaryDirectory() as name, ollama(limit, ALL, Path(name)) as (box, server):
        digests = {model: server.weights_digest(model) or model for model in ALL}
        loads_s = loads_of(server, ALL)
        verdicts = []
        for seed in range(first_seed, first_seed + HOW_MANY[limit]):
            models = random.Random(seed).sample(ALL, limit + 1 + seed % (len(ALL) - limit))
            schedule, count = drawn(seed, models, limit, loads_s, digests)
            expected = predicted(schedule, loads_s, digests)
            assert expected is not None
            seen = lived(box, schedule, digests)
            gone(server)
            same = explained(seen.schedule, seen.load_s, digests, seen.events)
            verdict = "as predicted" if seen.events == expected else "as simulated with its times"
            verdicts.append(verdict if same or seen.events == expected else "OTHERWISE")
            kinds = [what for what, _ in expected]
            told = ", ".join(f"{kinds.count(what)} {what}" for what in sorted(set(kinds)))
            told += "" if same else ", but not with the times it took"
            row(f"limit {limit}, schedule {seed} (of {count} drawn)", f"{verdicts[-1]}: {told}")
            if not same:
                print(f"  expected {expected}\n  seen     {seen.events}", *seen.lines, sep="\n    ")
    return verdicts
