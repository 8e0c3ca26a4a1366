"""The program: the `ollama` on PATH, else one that was built before, else one built now."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from lifecycle_widgets.sandbox.cache import Hold, cache_dir, delete, require_space, scratch
from lifecycle_widgets.sandbox.children import Finished, run
from lifecycle_widgets.sandbox.errors import THREE_WAYS, BuildFailed, explained
from lifecycle_widgets.sandbox.posix import require
from lifecycle_widgets.sandbox.progress import Listener, Reporter
from lifecycle_widgets.sandbox.toolchain import compilers, go, raise_if_full

VERSION = "0.32.15"
"""The Ollama that is built where there is none."""

_MODULE = "github.com/ollama/ollama"
_PACKAGES = 525  # about as many lines `go install -v` prints; for the progress only
_BUILD_BYTES = 1_500_000_000
_HELPER = '#!/bin/sh\nexec "$LIFECYCLE_SANDBOX_PYTHON" "$LIFECYCLE_SANDBOX_RUNNER" {name} "$@"\n'


@dataclass(frozen=True)
class Program:
    """An Ollama that can be started.

    Args:
        path: the executable.
        origin: ``"PATH"`` (the person's own) or ``"built"`` (ours, in the cache).
        version: what it calls itself, such as ``"0.32.15"``.
    """

    path: Path
    origin: str
    version: str


_answers: dict[tuple[str, int], Program | None] = {}


def ready(*, ours: bool = False) -> Program | None:
    """The program that would be started, or None if one has to be built first. Fast.

    Args:
        ours: not the one on PATH, which runs models with a runner of its own.

    Example:
        >>> ready()  # doctest: +SKIP
        Program(path=PosixPath('/usr/local/bin/ollama'), origin='PATH', version='0.32.15')
    """
    found = None if ours else shutil.which("ollama")
    if found and (program := _on_path(Path(found))):
        return program
    built = _built()
    return Program(built, "built", VERSION) if os.access(built, os.X_OK) else None


def _built() -> Path:
    return cache_dir() / f"ollama-{VERSION}" / "bin" / "ollama"


def _on_path(path: Path) -> Program | None:
    """Ask the program for its version, once per file; None if it does not answer."""
    try:
        key = (str(path), path.stat().st_mtime_ns)
        if key not in _answers:
            version = _version(path)
            _answers[key] = Program(path, "PATH", version) if version else None
        return _answers[key]
    except OSError:
        return None


def _version(path: Path) -> str | None:
    # With OLLAMA_HOST at a port where nobody listens it speaks of itself, not of a server.
    env = {name: value for name, value in os.environ.items() if not name.startswith("OLLAMA_")}
    env["OLLAMA_HOST"] = "127.0.0.1:1"
    try:
        done = subprocess.run([path, "--version"], env=env, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(rb"version is (\S+)", done.stdout + done.stderr)
    return match[1].decode(errors="replace") if done.returncode == 0 and match else None


def prepare_program(progress: Listener | None = None, *, ours: bool = False) -> Program:
    """Find an Ollama, or build one into the cache (2 to 4 minutes, once).

    Two processes may call this at once: one builds, the other waits and uses the result. A build
    that was interrupted goes on where it stopped.

    Args:
        progress: hears what is going on; None prints to stderr.
        ours: not the one on PATH, which runs models with a runner of its own.

    Raises:
        NotHere: this operating system cannot run a sandbox.
        BuildFailed: there is none and none could be built; the message says three ways to one.
        DiskFull: not enough room.
        CacheUnusable: the cache folder cannot be written.
    """
    require()
    if program := ready(ours=ours):
        return program
    reporter = Reporter("program", progress)
    with Hold("use", shared=True) as use, Hold("program", waiting=reporter) as lock:
        if program := ready(ours=ours):
            return program
        fds = [hold.fd for hold in (use, lock) if hold.fd is not None]
        staging = _build(reporter, fds)
        publish(staging / "ollama", staging)
        reporter("removing what only the build needed")
        for leftover in ("build", "tools", "tmp/program"):
            delete(cache_dir() / leftover)
        reporter(f"ready, built as {_built()}")
    return Program(_built(), "built", VERSION)


def _build(report: Reporter, fds: list[int]) -> Path:
    """Build Ollama; return the folder it is in."""
    require_space(_BUILD_BYTES, "building Ollama")
    report("preparing to build it, once; this usually takes 2 to 4 minutes")
    compiler, c_environment = go(report, fds), compilers(report, fds)
    staging = scratch("program")
    build = cache_dir() / "build"
    with explained("building Ollama", build):
        (build / "tmp").mkdir(parents=True, exist_ok=True)
    env = {
        **os.environ,
        **c_environment,
        "GOTOOLCHAIN": "local",
        "GO111MODULE": "on",
        "GOWORK": "off",
        "CGO_ENABLED": "1",
        "GOBIN": str(staging),
        "GOPATH": str(build / "path"),
        "GOMODCACHE": str(build / "path" / "pkg" / "mod"),
        "GOCACHE": str(build / "cache"),
        "GOTMPDIR": str(build / "tmp"),
        "TMPDIR": str(build / "tmp"),
    }
    # A wheel's Go brings its own GOROOT; one from the environment belongs to another Go.
    env.pop("GOROOT", None)
    jobs = str(min(2, os.cpu_count() or 1))
    command = [str(compiler), "install", "-v", "-trimpath", "-modcacherw", "-p", jobs]
    command += ["-ldflags", f"-s -w -X {_MODULE}/version.Version={VERSION}"]
    done = run(
        [*command, f"{_MODULE}@v{VERSION}"], env=env, cwd=staging, keep=fds, on_line=_watch(report)
    )
    if done.code != 0 or not (staging / "ollama").is_file():
        _failed(done)
    return staging


def _watch(report: Reporter) -> _Lines:
    return _Lines(report)


class _Lines:
    """Turns the lines of `go install -v` into progress."""

    def __init__(self, report: Reporter) -> None:
        self.report, self.compiled, self.downloaded = report, 0, 0

    def __call__(self, line: str | None) -> None:
        if line is not None and line.startswith("go: downloading"):
            self.downloaded += 1
        elif line is not None and not line.startswith("go: "):
            self.compiled += 1
        if self.compiled:
            self.report("compiling", min(0.99, self.compiled / _PACKAGES))
        else:
            self.report("downloading its source", None)


def _failed(done: Finished) -> None:
    raise_if_full(done, "building Ollama")
    # Names of packages and downloads are no reasons.
    reasons = [x for x in done.lines if " " in x.strip() and not x.startswith("go: downloading")]
    reason = "\n".join(reasons[-6:]) or f"go ended with code {done.code}"
    raise BuildFailed(
        f"Building Ollama {VERSION} failed:\n{reason}\n\n"
        f"{THREE_WAYS}\nOr make the Go module registry reachable (see GOPROXY) and run this "
        "again: the build goes on where it stopped."
    )


def publish(binary: Path, staging: Path) -> Path:
    """Put a built program and its two helpers into the cache, all at once.

    Args:
        binary: the `ollama` executable; it is moved.
        staging: a scratch folder on the cache's disk.

    Returns:
        Where it is now.
    """
    target = _built().parents[1]
    layout = staging / "layout"
    with explained("the program", cache_dir()):
        (layout / "bin").mkdir(parents=True)
        (layout / "lib" / "ollama").mkdir(parents=True)
        shutil.move(binary, layout / "bin" / "ollama")
        for name in ("llama-server", "llama-quantize"):
            # Which Python, and which runner.py, is said by who starts Ollama: the cache
            # serves every environment and every version of this package.
            helper = layout / "lib" / "ollama" / name
            helper.write_text(_HELPER.format(name=name))
            helper.chmod(0o755)
        delete(target)
        layout.rename(target)
    return _built()
