"""Everyone's traffic beside the truth, which the clients know: recall, precision, idle gaps.

    python -m tests.bench monitor-traffic

Three folds see the same samples: with the server's log, without it, and without runners, as from
another machine.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from lifecycle_widgets.monitor import Monitor, Request, Sample
from lifecycle_widgets.monitor.traffic.traffic import Traffic
from lifecycle_widgets.monitor.traffic.witnesses.log import ServerLog
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.monitor.traffic.clients import Asked, Clients
from tests.monitor.traffic.figures import (
    figures,
    median_and_p90,
    spans_of_requests,
    spans_of_truth,
)

MODELS = ("smollm2:135m", "smollm2:135m-f16")
SECONDS = 240.0
CLIENTS = 2
_SETTLE_S = 8.0
Row = Callable[[str, str], None]


def bench_monitor_traffic(row: Row, seconds: float = SECONDS, seed: int = 1) -> None:
    """Mixed traffic of several clients for some minutes."""
    with Sandbox(models=MODELS) as sandbox:
        server, clients = Server(sandbox.url), Clients(sandbox.url)
        blind = Traffic(server, 3600.0, log=ServerLog(server, is_wanted=False))
        afar = Traffic(server, 3600.0, log=ServerLog(server, is_wanted=False))

        def see(sample: Sample) -> None:
            blind.see(sample)
            afar.see(replace(sample, runners=None))

        with Monitor(server, history_s=3600.0) as monitor:
            monitor.listen(see)
            time.sleep(2.0)
            workers = [
                threading.Thread(target=clients.work, args=(MODELS, seconds, seed + number))
                for number in range(CLIENTS)
            ]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
            time.sleep(_SETTLE_S)
            interval_s = monitor.interval_s
            told, cost_s = monitor.traffic_told, monitor.cost_s
        found = {
            "with the log": monitor.requests(),
            "without the log": blind.requests,
            "without runners": afar.requests,
        }
    row("requests of other clients", f"{len(clients.asked)} in {seconds:.0f} s")
    row("a sample, with this traffic", f"{1000 * cost_s:.2f} ms of CPU")
    for sentence in told:
        row("", sentence)
    for name, requests in found.items():
        _show(row, name, clients.asked, requests, interval_s)


def _show(
    row: Row, name: str, asked: list[Asked], requests: tuple[Request, ...], interval_s: float
) -> None:
    truth = spans_of_truth(asked)
    told = figures(truth, spans_of_requests(requests))
    long = {span for span in truth if span.ended_s - (span.began_s or 0.0) > interval_s}
    short = len(truth) - len(long)
    missed_long = [span for span in told.missed if span in long]
    row(
        f"{name}: busy times longer than {interval_s:g} s",
        f"{len(long) - len(missed_long)} of {len(long)} found",
    )
    row(f"{name}: not told apart from the next", f"{told.covered} of {told.true}")
    missed_short = len(told.missed) - len(missed_long)
    row(f"{name}: shorter ones", f"{short - missed_short} of {short} found")
    row(f"{name}: invented", f"{len(told.invented)} of {told.found}")
    row(f"{name}: single requests", f"{sum(one.count for one in requests)} of {len(asked)}")
    row(f"{name}: ends", median_and_p90(told.end_errors_s))
    gaps = f"{median_and_p90(told.gap_errors_s)}, {len(told.gap_errors_s)} of {told.gaps}"
    row(f"{name}: idle gaps, error", gaps)


def _row(name: str, value: str) -> None:
    print(f"{name:58} {value}", flush=True)


if __name__ == "__main__":
    bench_monitor_traffic(_row, float(sys.argv[1]) if sys.argv[1:] else SECONDS)
