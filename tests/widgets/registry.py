"""A model registry of our own on loopback, so that a real Ollama can really pull a model."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest


@dataclass
class Registry:
    """What it serves, and where."""

    host: str
    certificate: Path
    blobs: dict[str, bytes]
    manifest: bytes
    go_on: threading.Event = field(default_factory=threading.Event)  # the weights wait for it


def _model() -> tuple[dict[str, bytes], bytes]:
    """A model of random weights: nothing that could run, but everything that can be pulled."""
    weights, config = os.urandom(3_000_000), b'{"model_format": "gguf", "model_family": "llama"}'
    blobs = {f"sha256:{hashlib.sha256(b).hexdigest()}": b for b in (weights, config)}
    weights_digest, config_digest = blobs
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    layer = {"digest": weights_digest, "size": len(weights)}
    manifest = {
        "schemaVersion": 2,
        "mediaType": kind,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": config_digest,
            "size": len(config),
        },
        "layers": [{"mediaType": "application/vnd.ollama.image.model", **layer}],
    }
    return blobs, json.dumps(manifest).encode()


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    """Serve one model as ``HOST/library/tiny:1``, by TLS with a certificate of its own."""
    if shutil.which("openssl") is None:
        lacking = "no openssl for a certificate; on Debian and Ubuntu: apt install openssl"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lacking)
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    blobs, manifest = _model()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    served = Registry(f"localhost:{server.server_address[1]}", certificate, blobs, manifest)
    _Handler.registry = served
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.go_on.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry: Registry

    def do_HEAD(self) -> None:
        self.answer(with_body=False)

    def do_GET(self) -> None:
        self.answer(with_body=True)

    def answer(self, with_body: bool) -> None:
        name = self.path.rsplit("/", 1)[-1]
        body = self.registry.manifest if "/manifests/" in self.path else self.registry.blobs[name]
        if with_body and "/blobs/" in self.path:  # Ollama expects to be sent on to another host
            self.send_response(307)
            self.send_header("Location", f"https://127.0.0.1:{self.server.server_port}/at/{name}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        part = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if part:
            body = body[int(part[1]) : int(part[2]) + 1]
        self.send_response(206 if part else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if not with_body:
            return
        if len(body) > 1000:  # the weights: half of them, and the rest when the test says so
            self.wfile.write(body[: len(body) // 2])
            self.wfile.flush()
            self.registry.go_on.wait(60)
            body = body[len(body) // 2 :]
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True  # the pull was cancelled

    def log_message(self, *_: object) -> None:
        pass
