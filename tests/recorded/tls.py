"""Certificates of a test's own, made with openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost; as it signed itself, it is its own authority (CA)."""

    path: Path
    key: Path


def certificate(folder: Path, name: str = "localhost", address: str = "127.0.0.1") -> Certificate:
    """Make one in that folder; the test is skipped where there is no openssl."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-keyout", str(made.key), "-out", str(made.path), "-days", "2"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name},IP:{address}"]
    subprocess.run(command, check=True, capture_output=True)
    return made
