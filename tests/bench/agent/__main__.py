"""python -m tests.bench.agent [PART ...]"""

import sys

from tests.bench.__main__ import row
from tests.bench.agent import bench_agent

if __name__ == "__main__":
    bench_agent(row, sys.argv[1:])
