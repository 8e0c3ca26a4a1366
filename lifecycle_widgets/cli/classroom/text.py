"""The plan for a class, in words."""

from __future__ import annotations

from collections.abc import Iterator

from lifecycle_widgets.cli.classroom.lessons import CACHE_BYTES, SERVER_BYTES
from lifecycle_widgets.cli.classroom.machine import Machine
from lifecycle_widgets.cli.classroom.plan import ClassPlan, LessonPlan

_SAVED = "there the lesson reads a saved result"
_WHY_PRIVATE = """\
Each student has a private Ollama of their own (the sandbox). One Ollama for all is no good ground
for these lessons: a keep_alive=0 of one student unloads the model of all; the others' requests wait
in one queue; and models that do not fit are evicted for somebody else's. Whoever shares one sees
other numbers than the lesson explains."""
_EACH_OTHER = """\
- Ports on loopback are open to everybody who is logged in on the machine. A student who finds the
  port of another one's Ollama can use it, and unload its models. Ollama has no password. Containers
  (one for each student) prevent that; nothing else here does.
- All share the processor: times are longer, and less steady, while others compute. Do not start all
  at the same second; compare numbers within one run.
- Memory: an experiment reserves what it needs before it begins, on a noticeboard that all kernels
  read: {board}
  Who comes too late is told to wait, and who has it. That is fairness among lessons, not
  protection: a limit for each student (systemdspawner, containers) is.
- The noticeboard shows to all: user, process, lesson, models, sizes. No prompts and no answers."""


def plan_text(plan: ClassPlan) -> str:
    """All of it, as it is printed."""
    return "\n".join(_lines(plan))


def _lines(plan: ClassPlan) -> Iterator[str]:
    machine, number = plan.machine, plan.students
    yield f"A class of {number} on this machine"
    yield ""
    yield (
        f"Memory {machine.memory_bytes / 1e9:.0f} GB, {machine.free_bytes / 1e9:.0f} GB of it free "
        f"now; {_counted(machine.cores, 'core')}; "
        f"{machine.disk_free_bytes / 1e9:.0f} GB free on the disk."
    )
    yield ""
    yield "Lesson by lesson (all students at once)"
    yield from _table(plan)
    yield from _verdict(plan)
    yield ""
    yield "Before the class"
    yield from _cache(machine)
    yield from _rights(machine)
    yield "- To try the class out with JupyterHub, on this machine alone:"
    yield "    pip install jupyterhub configurable-http-proxy"
    yield "    lifecycle-lab class --hub > jupyterhub_config.py"
    yield "    LIFECYCLE_CLASS_PASSWORD=choose-one jupyterhub"
    yield "  The file says what to change for a real class."
    yield ""
    yield "Why not one Ollama for all"
    yield _WHY_PRIVATE
    yield ""
    yield "What students can do to each other"
    yield _EACH_OTHER.format(board=machine.board or "it is off")


def _table(plan: ClassPlan) -> Iterator[str]:
    yield f"  {'':32} {'minutes':>9} {'each':>8} {'all':>8} {'fit':>6} {'slower':>8}"
    for one in plan.lessons:
        lesson = one.lesson
        low, high = lesson.minutes
        minutes = f"{low} to {high}" if low < high else str(low)
        each_bytes = lesson.memory_bytes + SERVER_BYTES
        slower = "no" if one.slower < 1.05 else f"{one.slower:.1f} x"
        yield (
            f"  {lesson.notebook:32} {minutes:>9} {each_bytes / 1e9:5.1f} GB "
            f"{one.needed_bytes / 1e9:5.0f} GB {_fit(one, plan.students):>6} {slower:>8}"
        )
    for lesson in (one.lesson for one in plan.lessons if one.lesson.needs):
        yield f"  {lesson.notebook}: with {lesson.needs}."
    yield "  minutes: by hand and in code, with reading. each, all: memory. fit: so many at once."
    yield "  slower: so many times as long the cells take when all run them at the same moment."


def _fit(one: LessonPlan, students: int) -> str:
    return "all" if one.fit >= students else str(one.fit)


def _verdict(plan: ClassPlan) -> Iterator[str]:
    yield ""
    if not plan.too_small:
        yield f"All {plan.students} can do every lesson at once."
        return
    yield "Too small for all at once:"
    yield from (f"- {sentence}" for sentence in plan.too_small)
    yield "  Let as many begin as fit; the others read first. Or let two share one kernel."


def _cache(machine: Machine) -> Iterator[str]:
    size = f"{CACHE_BYTES / 1e6:.0f} MB"
    if not machine.is_prepared:
        yield f"- The private Ollama and its models ({size}) are not prepared. Once, in 2 to 4"
        yield "  minutes, with the network:"
    elif not machine.is_readable:
        yield f"- The private Ollama and its models are in {machine.cache}, where other"
        yield f"  users cannot read them. Prepare them for all ({size}):"
    else:
        yield f"- The private Ollama and its models ({machine.cache_bytes / 1e6:.0f} MB) are ready"
        yield f"  in {machine.cache}, for all. Each student needs:"
        yield f"    export LIFECYCLE_WIDGETS_CACHE={machine.cache}"
        return
    yield "    sudo install -d -o $USER /srv/lifecycle_widgets"
    yield "    lifecycle-lab class --prepare /srv/lifecycle_widgets"
    yield "  Students only read it. Without it each one prepares their own."


def _rights(machine: Machine) -> Iterator[str]:
    if machine.why_no_shortage is None:
        yield "- Lesson 1 can make its shortage of memory here, as this user. Every student needs"
        yield "  the right to: see the next line if they are other users."
    else:
        yield f"- Lesson 1: {machine.why_no_shortage}"
    yield "  A systemd session of each student's own gives it: sudo loginctl enable-linger STUDENT"
    yield f"  Without the right nothing breaks: {_SAVED}."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
