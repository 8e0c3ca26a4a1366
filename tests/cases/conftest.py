"""What the cases share."""

from __future__ import annotations

import pytest

from tests.recorded import Certificate, certificate


@pytest.fixture(scope="session")
def localhost(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """A certificate of our own for localhost."""
    return certificate(tmp_path_factory.mktemp("tls"))
