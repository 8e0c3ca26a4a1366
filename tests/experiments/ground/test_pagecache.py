"""The page cache as the kernel tells it, on a real file."""

from __future__ import annotations

import os
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets.experiments.ground.pagecache import cached_fraction, forget

pytestmark = pytest.mark.skipif(not psutil.LINUX, reason="the page cache is told on Linux only")


def test_a_file_comes_and_goes(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(os.urandom(8_000_000))
    assert cached_fraction(file) == pytest.approx(1.0)
    if not forget(file):
        pytest.skip("the filesystem of the temporary folder lives in memory")
    gone = cached_fraction(file)
    assert gone is not None
    assert gone < 0.05
    file.read_bytes()
    assert cached_fraction(file) == pytest.approx(1.0)


def test_what_cannot_be_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    assert cached_fraction(empty) is None
    assert cached_fraction(tmp_path / "none") is None
    assert forget(tmp_path / "none") is False
