"""The watch itself: until Ctrl-C, a signal, or a reader who has gone."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue

from lifecycle_widgets.waiting import next_of
from lifecycle_widgets.watch.keeping import kept
from lifecycle_widgets.watch.news.news import News, SampleNews
from lifecycle_widgets.watch.prometheus.scrape import scraped
from lifecycle_widgets.watch.servers import Watched
from lifecycle_widgets.watch.watching import Watching
from lifecycle_widgets.watch.written.output import Write

_ENDS_WITHIN_S = 1.0  # a server that hangs is not waited for: its thread ends with the process
_HEARS_S = 1.0  # a signal that the main thread has slept through; it may wait for hours
_MOST_SAMPLES, _MOST = 50, 10_000  # that wait for a reader who does not read
_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")

Say = Callable[[str], object]
"""Called with a sentence about the watch itself."""


def watch(
    servers: Sequence[Watched],
    write: Write,
    say: Say,
    *,
    interval_s: float = 5.0,
    metrics_port: int | None = None,
    with_history: bool = True,
) -> None:
    """Watch them until Ctrl-C, SIGTERM, or until nobody reads what is written.

    Parameters
    ----------
    servers:
        Which ones; one that is away is watched until it is there.
    write:
        Called in this thread with what is new.
    say:
        Called with sentences about the watch: where the metrics are, why nothing is kept.
    interval_s:
        Seconds from one sample that is written to the next.
    metrics_port:
        Where Prometheus finds them, on loopback; 0: any free port; None: no metrics.
    with_history:
        Whether what is seen goes into the history.

    Raises
    ------
    OSError
        When the port cannot be had; nothing runs then.
    BrokenPipeError
        From ``write``.
    """
    waiting: SimpleQueue[tuple[str, News]] = SimpleQueue()

    def tell(server: str, news: News) -> None:
        most = _MOST_SAMPLES if isinstance(news, SampleNews) else _MOST
        if waiting.qsize() < most:
            waiting.put((server, news))

    with (
        suppress(KeyboardInterrupt),
        _interrupted_by_signals() as hear_no_more,
        ExitStack() as ending,
    ):
        watching: list[Watching] = []
        ends: list[Callable[[], object]] = []
        ending.callback(_at_once, ends)
        if metrics_port is not None:  # first: where the port is taken, nothing has begun
            metrics = ExitStack()
            address = metrics.enter_context(scraped(watching, metrics_port))
            ends.append(metrics.close)
            say(f"The metrics are at {address}")
        for one in servers:
            watching.append(Watching(one, tell, interval_s))
            ends.append(watching[-1].close)
        if with_history:
            ending.enter_context(kept([one.monitor for one in watching], say))
        ending.callback(hear_no_more)  # from here on it ends anyway
        while True:
            write(*next_of(waiting, _HEARS_S))


def _at_once(ends: Sequence[Callable[[], object]]) -> None:
    """All of them, and none is waited for longer than a person waits."""
    threads = [threading.Thread(target=end, daemon=True) for end in ends]
    for thread in threads:
        thread.start()
    until_s = time.monotonic() + _ENDS_WITHIN_S
    for thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))


@contextmanager
def _interrupted_by_signals() -> Iterator[Callable[[], None]]:
    """Signals that end a program end the watch as Ctrl-C does, until the answer is called.

    One that is ignored already (``nohup``) stays so.
    """
    found = (getattr(signal, name, None) for name in _SIGNALS)  # Windows has not all of them
    heard = [one for one in found if one and signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, signal.default_int_handler) for one in heard}

    def hear_no_more() -> None:
        for one in heard:
            signal.signal(one, signal.SIG_IGN)

    try:
        yield hear_no_more
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def to_stderr(sentence: str) -> None:
    """Say it where it does not mix with what is written."""
    print(f"lifecycle-lab: {sentence}", file=sys.stderr, flush=True)
