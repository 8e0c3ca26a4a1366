"""The address at which Prometheus finds the metrics: on loopback only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from lifecycle_widgets.watch.watching import Watching

_HERE = "127.0.0.1"


@contextmanager
def scraped(watching: Sequence[Watching], port: int) -> Iterator[str]:
    """The metrics can be read at the address that is given, until the end of the `with`.

    Parameters
    ----------
    watching:
        The servers.
    port:
        Where; 0 for any free port.

    Raises
    ------
    OSError
        With one sentence, when the port cannot be had.
    """
    from prometheus_client import start_http_server

    from lifecycle_widgets.watch.prometheus.metrics import registry

    try:
        server, thread = start_http_server(port, _HERE, registry(watching))
    except OSError as fault:
        raise OSError(
            f"The metrics cannot be at port {port} of {_HERE} ({fault.strerror}); "
            "give --metrics another port."
        ) from fault
    try:
        yield f"http://{_HERE}:{server.server_port}/metrics"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
