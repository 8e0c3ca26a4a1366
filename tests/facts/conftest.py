"""The servers under trial: a private one always, and the one that OLLAMA_HOST points at."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lifecycle_widgets.facts import Lab
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server

# as it was before the fixtures of the other tests pointed it at theirs
HOST = os.environ.get("OLLAMA_HOST", "")


@pytest.fixture(scope="session", params=["private", *([HOST] if HOST else [])])
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A server under trial."""
    if request.param != "private":
        lab = Lab(Server(request.param))
        yield lab
        lab.close()
        return
    with Sandbox() as sandbox:
        lab = Lab(Server(sandbox.url), sandbox)
        yield lab
        lab.close()
