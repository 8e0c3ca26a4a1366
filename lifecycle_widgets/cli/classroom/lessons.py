"""What one student takes in each lesson, measured: the one table for a class.

Source: ``python -m tests.bench class-lessons``, on 2 cores of a virtual machine, CPython 3.11, with
the sandbox's models, lesson 2 in its frugal form. Memory is the largest sum of proportional shares
(PSS) of the kernel, the private Ollama, its runners and the task; the processor's seconds are those
of all of them together, all cells once; by the clock as it takes when nothing else runs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LessonCost:
    """What one student takes.

    Parameters
    ----------
    notebook:
        Its file, without the ending.
    minutes:
        By hand and in code, with reading: from and to.
    memory_bytes:
        At its most.
    cpu_s, cells_s:
        All cells once: seconds of the processor, and by the clock.
    needs:
        What has to be set for that; empty for nothing.
    """

    notebook: str
    minutes: tuple[int, int]
    memory_bytes: int
    cpu_s: float
    cells_s: float
    needs: str = ""

    @property
    def busy_cores(self) -> float:
        """How many cores it keeps busy while the cells run, by itself."""
        return self.cpu_s / self.cells_s


MB = 1_000_000
LESSONS = (
    LessonCost("00_start_here", (10, 15), 570 * MB, 18, 45),
    LessonCost("01_the_slow_downstream_task", (10, 15), 490 * MB, 15, 55),
    LessonCost(
        "02_many_models_in_turn", (10, 15), 1330 * MB, 50, 200, "FRUGAL = True; else 6.1 GB each"
    ),
    LessonCost("03_one_model_in_a_row", (10, 15), 1420 * MB, 26, 80),
    LessonCost("04_watch_and_tune", (10, 15), 620 * MB, 41, 70),
    LessonCost("05_agents_with_tools", (10, 15), 930 * MB, 36, 55),
    LessonCost("06_advice_from_your_own_work", (10, 15), 660 * MB, 16, 70),
    LessonCost("07_what_to_believe", (10, 10), 1420 * MB, 14, 40),
)
SERVER_BYTES = 100 * MB
"""What a student's notebook server takes beside that (PSS; 62 MB of it with nothing open)."""
CACHE_BYTES = 992 * MB
"""What the private Ollama and its models take on the disk, once for all."""
FOLDER_BYTES = 500 * MB
"""What one student's folder and temporary files may take on the disk (lesson 1 writes 400 MB)."""
