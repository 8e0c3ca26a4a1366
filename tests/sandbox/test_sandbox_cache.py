"""Preparing: safe when done twice at once or killed half-way; and getting rid of it all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sandbox_tools import (
    SMALL,
    environment,
    eventually,
    generate,
    run_python,
    start_python,
    wait_for_line,
)

from lifecycle_widgets.sandbox import MODELS, Sandbox, cache_dir, prepare, remove
from lifecycle_widgets.sandbox.cache import Hold, scratch
from lifecycle_widgets.sandbox.errors import CacheInUse
from lifecycle_widgets.sandbox.store import missing, record, store

LONG = os.environ.get("LIFECYCLE_LONG") == "1"
PREPARE = f"from lifecycle_widgets.sandbox import prepare; print(prepare(['{SMALL}']))"
"""Prepares the smallest model, without using it."""


def whole_files(folder: Path) -> set[str]:
    """What is in a cache, but for the locks."""
    found = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    return {name for name in found if not name.startswith("locks")}


def test_prepared_is_found_at_once(sandbox: Sandbox) -> None:
    times_s = []
    for _ in range(5):
        began = time.monotonic()
        program = prepare()
        times_s.append(time.monotonic() - began)
    assert min(times_s) < 0.05
    assert program.path == sandbox.program
    assert missing(MODELS) == ()
    for name in MODELS:
        found = record(name)
        assert found is not None
        assert found["as_pinned"], "another gguf writer? Then pin its digests as well"


@pytest.mark.slow
def test_two_at_once_do_the_work_once(empty_cache: Path, ollama_on_path: Path) -> None:
    both = [start_python(PREPARE) for _ in range(2)]
    outputs = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    assert sum("downloading" in text for text in outputs) == 1
    assert sum("converting" in text for text in outputs) == 1
    waited = [text for text in outputs if "waiting for another process" in text]
    assert len(waited) == 1
    assert (
        str(next(p.pid for p, t in zip(both, outputs, strict=True) if t not in waited)) in waited[0]
    )
    assert missing([SMALL]) == ()
    with Sandbox(models=[SMALL]) as sandbox:
        assert generate(sandbox.url)["response"]


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["converting", *(("downloading", "registering") if LONG else ())])
def test_killed_half_way_the_next_run_works(
    empty_cache: Path, ollama_on_path: Path, stage: str
) -> None:
    first = start_python(PREPARE)
    wait_for_line(first, stage)
    time.sleep(0.15)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert first.stdout is not None
    first.stdout.close()
    assert missing([SMALL]) == (SMALL,)
    # Its children hold its locks; they end with it.
    with Hold("models", wait_s=5), Hold("program", wait_s=5):
        pass
    second = run_python(PREPARE)
    assert second.returncode == 0, second.stderr
    if stage == "registering":  # what was finished is not done twice
        assert "downloading" not in second.stderr
        assert "converting" not in second.stderr
    assert missing([SMALL]) == ()
    kept = whole_files(empty_cache)
    assert {name.split("/")[0] for name in kept} == {"models", "download"}
    # The source stays until all three models are made of it.
    assert [name for name in kept if name.startswith("download")] == [
        "download/SmolLM2-135M-Instruct.Q4_1.gguf"
    ]
    with Sandbox(models=[SMALL]) as sandbox:
        assert generate(sandbox.url)["response"]
    assert remove()
    assert not empty_cache.exists()


@pytest.mark.slow
def test_a_kernel_interrupt_stops_the_preparation_at_once(
    empty_cache: Path, ollama_on_path: Path
) -> None:
    first = start_python(PREPARE)
    wait_for_line(first, "converting")
    first.send_signal(signal.SIGINT)
    said = first.communicate(timeout=20)[0]
    assert "KeyboardInterrupt" in said
    assert "registering" not in said, "the conversion was waited for"
    assert missing([SMALL]) == (SMALL,)
    assert not list((empty_cache / "tmp").rglob("*.gguf"))


@pytest.mark.slow
def test_a_damaged_model_is_made_again(empty_cache: Path, ollama_on_path: Path) -> None:
    assert run_python(PREPARE).returncode == 0
    blob = max((store() / "blobs").iterdir(), key=lambda path: path.stat().st_size)
    os.truncate(blob, 1000)
    assert missing([SMALL]) == (SMALL,)
    done = run_python(PREPARE)
    assert done.returncode == 0, done.stderr
    assert "downloading" not in done.stderr
    assert missing([SMALL]) == ()
    assert blob.stat().st_size > 1e8


def test_the_cache_folder_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LIFECYCLE_WIDGETS_CACHE", str(tmp_path / "here"))
    assert cache_dir() == tmp_path / "here"
    monkeypatch.delenv("LIFECYCLE_WIDGETS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_dir().is_absolute()
    assert cache_dir().name == "lifecycle_widgets"


def test_remove_takes_all_of_ours_and_nothing_else(empty_cache: Path) -> None:
    assert not remove()  # nothing there yet
    module = empty_cache / "build" / "path" / "pkg" / "module"
    module.mkdir(parents=True)
    (module / "file.go").touch()
    module.chmod(0o555)
    (empty_cache / "ollama-0.1.2" / "bin").mkdir(parents=True)
    scratch("program")
    (empty_cache / "diary.txt").write_text("mine")
    assert remove()
    assert [path.name for path in empty_cache.iterdir()] == ["diary.txt"]


def test_remove_refuses_while_it_is_in_use(empty_cache: Path) -> None:
    with Hold("use", shared=True), Hold("use", shared=True):
        began = time.monotonic()
        with pytest.raises(CacheInUse, match="in use"):
            remove(wait_s=0.3)
        assert 0.3 <= time.monotonic() - began < 2
    assert remove()


def test_who_waits_is_told_for_whom(empty_cache: Path) -> None:
    told: list[str] = []
    with Hold("models"), pytest.raises(CacheInUse):
        Hold("models", wait_s=0.3, waiting=told.append)
    assert told
    assert str(os.getpid()) in told[0]


def test_a_lock_that_was_removed_while_waiting_is_made_anew(empty_cache: Path) -> None:
    with Hold("use", shared=True):
        waiting = start_python(
            "from lifecycle_widgets.sandbox.cache import Hold\n"
            "hold = Hold('use', waiting=lambda _: print('waiting'))\n"
            "import os, sys; sys.exit(0 if os.path.exists(sys.argv[1]) else 1)"
        )
        wait_for_line(waiting, "waiting")
        (empty_cache / "locks" / "use.lock").unlink()
    waiting.communicate(timeout=10)
    assert eventually(lambda: (empty_cache / "locks" / "use.lock").exists())


def test_the_command_line_prepares_the_program_with_the_standard_library_only() -> None:
    # `-S`: no site-packages at all, as before anything is installed.
    code = "import runpy, sys; sys.argv[1:] = ['program']; "
    code += "runpy.run_module('lifecycle_widgets.sandbox', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Ollama ")
