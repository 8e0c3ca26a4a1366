"""``python -m tests.bench.classroom [numbers of kernels]``: see `tests.bench.classroom.load`."""

from __future__ import annotations

import sys

from tests.bench.classroom.load import KERNELS, LESSONS, bench_class

numbers = tuple(int(word) for word in sys.argv[1:])
bench_class(numbers or KERNELS, numbers or LESSONS)
