"""The system's Chromium (or Chrome), for whoever tests a page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ON_MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_QUIET = ["--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """It, without a window; where there is none the test is skipped, and in CI it fails."""
    program = next((p for p in map(shutil.which, (*_NAMES, _ON_MAC)) if p), None)
    if program is None:
        lacking = "no Chromium or Chrome; on Debian and Ubuntu: apt install chromium"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(lacking)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=[*_QUIET, "--no-sandbox", "--disable-quic"]
        )
        yield browser
        browser.close()
