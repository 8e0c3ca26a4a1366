"""The result that lesson 1 shows where no shortage can be made: measured anew, and saved.

    python -m tests.bench.classroom.saved

Needs a machine that can make a shortage and does nothing else; it takes about a minute. What was
measured beside other work is not saved.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lifecycle_widgets.experiments import Downstream
from lifecycle_widgets.server import Server

PLACE = Path(__file__).parents[3] / "notebooks" / "saved" / "01_the_slow_downstream_task"


def main() -> int:
    """Measure and save; returns 1 when it is no good example."""
    result = Downstream(server=Server.sandbox(), rounds=2).run()
    print(result.verdict)
    slow = result.slowdown("resident, idle")
    if not (result.is_complete and result.is_short and result.is_disk_slow and slow.low > 2):
        print("Not saved: no shortage, or other work ran beside it. Run it on a quiet machine.")
        return 1
    print(f"saved: {result.save(PLACE)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
