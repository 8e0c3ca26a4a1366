"""A cache that a student can only read is enough for a sandbox, and nothing is written there."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lifecycle_widgets.sandbox import Sandbox, cache_dir

_DROP = 24  # PR_CAPBSET_DROP
_OF_ROOT = (0, 1, 2, 3)  # chown, dac_override, dac_read_search, fowner
_LESSON = """
import os
from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.sandbox import Sandbox
folder = os.environ["LIFECYCLE_WIDGETS_CACHE"]
for place in (folder, os.path.join(folder, "locks")):
    try:
        open(os.path.join(place, "mine"), "w")
    except OSError:
        pass
    else:
        raise SystemExit("it can be written to")
with Sandbox() as sandbox:
    run = run_agent("Hi", model="smollm2:135m", server=sandbox.url, options={"num_predict": 3})
print(run.error, run.timings.output_tokens)
"""


def _as_a_student() -> None:
    """Root's right to write everywhere is taken away; others do not have it."""
    if os.geteuid() == 0:
        for right in _OF_ROOT:
            ctypes.CDLL(None).prctl(_DROP, right, 0, 0, 0)


def _for_reading(folder: Path) -> None:
    """The prepared cache, as far as somebody could write there; the large files are linked."""
    source = cache_dir()
    for path in (*source.glob("ollama-*"), source / "models" / "blobs"):
        link = folder / path.relative_to(source)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(path)
    for name in ("manifests", "prepared"):
        shutil.copytree(source / "models" / name, folder / "models" / name)
    (folder / "locks").mkdir()
    for path in (source / "locks").iterdir():
        shutil.copyfile(path, folder / "locks" / path.name)
    for place, _, names in os.walk(folder):
        for path in (Path(place), *(Path(place) / name for name in names)):
            if not path.is_symlink():
                if os.geteuid() == 0:
                    os.chown(path, 65534, 65534)
                path.chmod(0o555 if path.is_dir() else 0o444)


@pytest.mark.skipif(sys.platform != "linux", reason="root's rights are taken away as in Linux")
def test_a_sandbox_on_a_cache_that_can_only_be_read(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    _for_reading(folder)
    env = {**os.environ, "LIFECYCLE_WIDGETS_CACHE": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", _LESSON],
        env=env,
        preexec_fn=_as_a_student,
        capture_output=True,
        text=True,
    )
    for place, _, _ in os.walk(folder):
        os.chmod(place, 0o755)  # so that pytest can remove it
    assert done.stdout == "None 3\n", done.stderr
