"""Grounds on which the product is tried: real programs on loopback, and namespaces of our own."""

from __future__ import annotations

import sys

if sys.platform != "linux":
    collect_ignore_glob = ["test_*"]  # the grounds are made with what Linux has
