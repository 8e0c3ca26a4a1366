"""tinyproxy, a real HTTP proxy, with a log of who asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.grounds.programs import free_port, listens, running


@dataclass(frozen=True)
class Tinyproxy:
    """A proxy that runs."""

    port: int
    log_path: Path

    @property
    def url(self) -> str:
        """What goes into HTTP_PROXY."""
        return f"http://127.0.0.1:{self.port}"

    def asked(self) -> int:
        """How many connections it has had, the test's own left out."""
        return self.log_path.read_text().count("Request (file descriptor")


@contextmanager
def tinyproxy(folder: Path, more: str = "") -> Iterator[Tinyproxy]:
    """Run one with these settings on top."""
    port, log = free_port(), folder / f"tinyproxy-{len(list(folder.glob('tinyproxy*')))}.log"
    config = log.with_suffix(".conf")
    config.write_text(
        f"Port {port}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\nLogLevel Connect\n"
        f'LogFile "{log}"\nMaxClients 50\nViaProxyName "tinyproxy"\n{more}\n'
    )
    command = ["tinyproxy", "-d", "-c", str(config)]
    with running(command, lambda: listens(port), log.with_suffix(".out")):
        yield Tinyproxy(port, log)
