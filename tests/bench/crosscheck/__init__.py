"""Every number that we derive, held against a second witness; printed as a table.

    python -m tests.bench crosscheck                          # about three minutes
    python -m tests.bench.crosscheck 900 7                    # seconds, and the seed

A story of random scenes (of a seed, which is printed) on a private Ollama of three models, two of
which have room. The witnesses know nothing of us: Ollama's log, the process table, a bare socket's
clock, the kernel's accounts of memory. It ends with exit code 1 when a count differs, or anything
by more than what stands beside it.
"""

from tests.bench.crosscheck.bench import bench_crosscheck

__all__ = ["bench_crosscheck"]
