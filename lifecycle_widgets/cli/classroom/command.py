"""``lifecycle-lab class [N]``: what a teacher should know before N students come."""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lifecycle_widgets.cli.classroom.plan import ClassPlan, plan
from lifecycle_widgets.cli.classroom.text import plan_text
from lifecycle_widgets.short_texts import shortened

_ABOUT = """\
A class: one machine, N students, each with a private Ollama. Prints what fits, lesson by lesson,
what to prepare, how long it takes, and what students can do to each other. Changes nothing, unless
it is told to prepare.
"""
_MOST = 10_000


def main(words: Sequence[str]) -> int:
    """Prints it; returns 1 where ``--check`` finds the machine too small."""
    known = _parser().parse_args(words)
    if known.hub:
        config = Path(__file__).with_name("jupyterhub_config.py.txt")
        print(config.read_text(encoding="utf-8"), end="")
        return 0
    if known.prepare:
        return _prepare(Path(known.prepare).expanduser().absolute())
    from lifecycle_widgets.cli.classroom.machine import look

    found = plan(_number(known.students), look())
    if known.json:
        print(json.dumps(_values(found), indent=1, ensure_ascii=False))
    elif not known.check:
        print(plan_text(found))
    if known.check:
        for sentence in found.too_small:
            print(f"lifecycle-lab: {sentence}", file=sys.stderr)
        return 1 if found.too_small else 0
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab class", description=_ABOUT, allow_abbrev=False
    )
    parser.add_argument("students", nargs="?", default="25", metavar="N", help="how many (25)")
    parser.add_argument("--json", action="store_true", help="the figures, as JSON")
    parser.add_argument(
        "--check", action="store_true", help="exit status 1, and why, if not all fit at once"
    )
    parser.add_argument(
        "--prepare", metavar="FOLDER", help="build the private Ollama and its models there, for all"
    )
    parser.add_argument(
        "--hub", action="store_true", help="print a JupyterHub configuration for a class"
    )
    return parser


def _number(word: str) -> int:
    if word.isascii() and word.isdigit() and 0 < int(word[:9]) <= _MOST:
        return int(word)
    raise ValueError(
        f"{shortened(word, 20)!r} is no number of students. Say for example: lifecycle-lab class 25"
    )


def _prepare(folder: Path) -> int:
    """Everything that a sandbox needs, in one folder that all may read and none of them change."""
    from lifecycle_widgets.sandbox import prepare

    os.environ["LIFECYCLE_WIDGETS_CACHE"] = str(folder)
    folder.mkdir(parents=True, exist_ok=True)
    prepare()
    prepare_for_all(folder)
    print(f"{folder} is ready. Every student needs this line in their environment:")
    print(f"export LIFECYCLE_WIDGETS_CACHE={folder}")
    closed = [p for p in folder.parents if not p.stat().st_mode & stat.S_IXOTH]
    for parent in closed[-1:]:
        print(
            f"But other users cannot enter {parent}. Choose a folder outside of it, for example "
            "/srv/lifecycle_widgets.",
            file=sys.stderr,
        )
    return 1 if closed else 0


def prepare_for_all(folder: Path) -> None:
    """Let everybody read and run what is in it, and nobody but its owner write."""
    for place, _, names in os.walk(folder):
        for path in (Path(place), *(Path(place) / name for name in names)):
            if path.is_symlink():
                continue
            mode = stat.S_IMODE(path.stat().st_mode)
            more = 0o555 if path.is_dir() or mode & stat.S_IXUSR else 0o444
            path.chmod((mode | more) & ~0o022)


def _values(found: ClassPlan) -> dict[str, Any]:
    machine = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in asdict(found.machine).items()
    }
    lessons = [
        {
            **asdict(one.lesson),
            "needed_bytes": one.needed_bytes,
            "fit": one.fit,
            "slower": round(one.slower, 2),
        }
        for one in found.lessons
    ]
    return {
        "students": found.students,
        "machine": machine,
        "lessons": lessons,
        "too_small": list(found.too_small),
    }
