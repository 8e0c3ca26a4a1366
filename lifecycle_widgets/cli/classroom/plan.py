"""How many students a machine has room for, and how long they wait. Computes only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lifecycle_widgets.cli.classroom.lessons import (
    CACHE_BYTES,
    FOLDER_BYTES,
    LESSONS,
    SERVER_BYTES,
    LessonCost,
)
from lifecycle_widgets.cli.classroom.machine import Machine

SPARE = 0.1
"""The share of the memory that is left to the system and its page cache."""


@dataclass(frozen=True)
class LessonPlan:
    """One lesson for so many students: what it takes, how many fit, and how they wait.

    Parameters
    ----------
    lesson:
        What it costs one student.
    needed_bytes:
        The memory that all take who run it at once, notebook servers included.
    fit:
        How many may run it at once.
    slower:
        How many times as long the cells take when all run at once, of a student who is alone.
    """

    lesson: LessonCost
    needed_bytes: int
    fit: int
    slower: float


@dataclass(frozen=True)
class ClassPlan:
    """A machine and a class: what fits, and what is too small."""

    students: int
    machine: Machine
    lessons: tuple[LessonPlan, ...]

    @property
    def too_small(self) -> tuple[str, ...]:
        """What is lacking, one sentence each; empty where all can do all lessons at once."""
        short = [one for one in self.lessons if one.fit < self.students]
        said = [
            f"{one.lesson.notebook}: memory for {one.fit} of {self.students} students at once."
            for one in short
        ]
        needed_bytes = self.students * FOLDER_BYTES
        if not self.machine.is_prepared:
            needed_bytes += CACHE_BYTES
        if needed_bytes > self.machine.disk_free_bytes:
            said.append(
                f"The disk has {self.machine.disk_free_bytes / 1e9:.0f} GB free; "
                f"{needed_bytes / 1e9:.0f} GB may be needed."
            )
        return tuple(said)


def plan(students: int, machine: Machine, lessons: Sequence[LessonCost] = LESSONS) -> ClassPlan:
    """The plan for so many students, each with a private Ollama."""
    room_bytes = machine.free_bytes - SPARE * machine.memory_bytes
    found = []
    for lesson in lessons:
        one_bytes = lesson.memory_bytes + SERVER_BYTES
        found.append(
            LessonPlan(
                lesson,
                students * one_bytes,
                max(0, int(room_bytes // one_bytes)),
                max(1.0, students * lesson.busy_cores / machine.cores),
            )
        )
    return ClassPlan(students, machine, tuple(found))
