"""What one student takes in each lesson: the table of `lifecycle-lab class`, measured.

    python -m tests.bench class-lessons

Each notebook is run once, in a kernel with a private Ollama of its own, as a student of a class has
it. It prints the rows of ``lifecycle_widgets/cli/classroom/lessons.py``; about ten minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from lifecycle_widgets.cli import put_notebooks
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE
from tests.bench.classroom.family import Family

EXECUTE = """
import sys, nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], 4)
NotebookClient(notebook, timeout=900, kernel_name="python3").execute()
"""
_EXECUTOR_BYTES = 60_000_000  # of it is not the student's: about what nbclient itself takes


def bench_class_lessons(names: tuple[str, ...] = ()) -> None:
    """Memory, processor and seconds of each lesson."""
    hidden = ("OLLAMA_HOST", SANDBOX_URL_VARIABLE)
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    print("lesson                                 peak MB   CPU s   seconds", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        put_notebooks(Path(folder))
        for notebook in sorted(Path(folder).glob("*.ipynb")):
            if names and not notebook.name.startswith(names):
                continue
            began_s = time.monotonic()
            text = notebook.read_text(encoding="utf-8")  # lesson 2, as it is done in a class
            notebook.write_text(text.replace("FRUGAL = None", "FRUGAL = True"), encoding="utf-8")
            command = [sys.executable, "-c", EXECUTE, str(notebook)]
            done = subprocess.Popen(
                command, cwd=folder, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
            )
            with Family(done.pid) as family:
                _, said = done.communicate()
            seconds = time.monotonic() - began_s
            peak = (family.peak_bytes - _EXECUTOR_BYTES) / 1e6
            state = "" if done.returncode == 0 else said.decode()[-300:]
            print(
                f"{notebook.stem:38} {peak:7.0f} {family.cpu_s:7.0f} {seconds:9.0f}   {state}",
                flush=True,
            )


if __name__ == "__main__":
    bench_class_lessons(tuple(sys.argv[1:]))
