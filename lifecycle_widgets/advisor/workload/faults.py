"""WorkloadError: why something is no workload, in one sentence, with the row."""

from __future__ import annotations


class WorkloadError(ValueError):
    """There is no workload to be had; its text says why, in which row, and what to do."""
