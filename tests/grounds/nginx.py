"""nginx before an Ollama, as people put it there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.grounds.namespaces import Namespace
from tests.grounds.programs import free_port, listens, running
from tests.recorded import Certificate

_CONFIG = """\
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ }}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    proxy_http_version 1.1;
    proxy_buffering off;
    server {{
        listen {host}:{port}{tls};
        {settings}
    }}
}}
"""


@dataclass(frozen=True)
class Gateway:
    """An nginx that runs."""

    url: str
    folder: Path

    @property
    def log(self) -> str:
        """Its log of requests and errors."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("*.log")))


@contextmanager
def nginx(
    folder: Path,
    settings: str,
    tls: Certificate | None = None,
    *,
    inside: Namespace | None = None,
) -> Iterator[Gateway]:
    """Run one with these settings of its server, such as ``location / { proxy_pass ...; }``."""
    host = "127.0.0.1" if inside is None else inside.there
    port = free_port() if inside is None else 18443
    certificate = ""
    if tls is not None:
        certificate = f"ssl_certificate {tls.path}; ssl_certificate_key {tls.key};"
    config = folder / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            folder=folder,
            host=host,
            port=port,
            tls=" ssl" if tls else "",
            settings=f"{certificate}\n        {settings}",
        )
    )
    command = ["nginx", "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(config)]
    command = command if inside is None else inside.command(*command)
    with running(command, lambda: listens(port, host), folder / "output.txt"):
        name = "localhost" if tls and inside is None else host
        yield Gateway(f"{'https' if tls else 'http'}://{name}:{port}", folder)


def to(url: str, more: str = "", path: str = "/") -> str:
    """The location that hands everything on to a server."""
    return f"location {path} {{ {more} proxy_pass {url}/; proxy_set_header Host localhost; }}"
