"""python -m tests.bench.crosscheck [SECONDS [SEED]]"""

import sys

from tests.bench.crosscheck.bench import SECONDS, bench_crosscheck

if __name__ == "__main__":
    seconds, seed = (*sys.argv[1:], None, None)[:2]
    bench_crosscheck(float(seconds or SECONDS), None if seed is None else int(seed))
