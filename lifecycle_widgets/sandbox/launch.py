"""Starts one private Ollama below the guard and waits until it answers."""

from __future__ import annotations

import http.client
import json
import os
import select
import shutil
import site
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lifecycle_widgets.sandbox import children
from lifecycle_widgets.sandbox.errors import PortTaken, SandboxError, StartFailed, explained
from lifecycle_widgets.sandbox.posix import fcntl
from lifecycle_widgets.sandbox.program import Program

PREFIX = "lifecycle-sandbox-"
_RUNNER = Path(__file__).with_name("runner.py")
_ANSWER_S = 60.0  # a first look for GPUs can take an official Ollama long
_POLL_S = 0.05
_OTHER_PORTS = 5
_STALE_S = 60.0


@dataclass
class Launched:
    """A private Ollama that answers.

    Args:
        folder: its temporary folder; the guard deletes it at the end.
        port: where it listens, on 127.0.0.1.
        pid: its process id.
        version: what its /api/version says.
        guard: the watchdog; ending that ends it.
        log: read and write access to its log, which works also after the folder is gone.
    """

    folder: Path
    port: int
    pid: int = 0
    version: str = ""
    guard: subprocess.Popen[bytes] | None = None
    log: int = field(default=-1, repr=False)

    def log_text(self) -> str:
        """All it has written to its log."""
        if self.log < 0:
            return ""
        return os.pread(self.log, os.fstat(self.log).st_size, 0).decode(errors="replace")

    def is_running(self) -> bool:
        """Whether its process is alive."""
        return self.guard is not None and self.guard.poll() is None

    def end(self, timeout_s: float = 10.0) -> None:
        """End it, its runners and its folder. May be called again."""
        if self.guard is not None:
            children.end(self.guard, timeout_s)
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let go of the log."""
        if self.log >= 0:
            os.close(self.log)
            self.log = -1

    def __del__(self) -> None:
        self.close()  # the log can be read for as long as its sandbox is at hand


def make_folder(furnish: Callable[[Path], None] | None = None) -> Path:
    """A temporary folder for one Ollama; leftovers of killed ones are removed first.

    Args:
        furnish: puts more into it; if that fails, the folder is removed.
    """
    sweep()
    base = Path(tempfile.gettempdir())
    with explained("the sandbox's temporary folder", base, "TMPDIR"):
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        try:
            for name in ("home", "models/blobs", "models/manifests", "tmp"):
                (folder / name).mkdir(parents=True)
            if furnish:
                furnish(folder)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder


def sweep() -> None:
    """Remove the folders of sandboxes whose guard was killed and could not do it."""
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        try:
            info = folder.lstat()
            if info.st_uid != os.getuid() or time.time() - info.st_mtime < _STALE_S:
                continue
            if (folder / "alive").exists():
                fd = os.open(folder / "alive", os.O_RDONLY)
                try:
                    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                finally:
                    os.close(fd)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue  # alive, or gone meanwhile


def launch(
    program: Program,
    folder: Path,
    *,
    models: Path | None = None,
    port: int | None = None,
    settings: Mapping[str, str] | None = None,
    keep: Sequence[int] = (),
) -> Launched:
    """Start Ollama and wait until it answers; on failure nothing is left running.

    Args:
        program: which Ollama.
        folder: from `make_folder`; it belongs to the Ollama from now on.
        models: its models folder; None for an empty one in `folder`.
        port: where it is to listen; None for a free one.
        settings: more environment variables.
        keep: locks to hold as long as it lives.

    Raises:
        PortTaken: `port` belongs to another program.
        StartFailed: it ended, or did not answer within a minute.
    """
    try:
        if port is not None:
            _require_free(port)
        for attempt in range(_OTHER_PORTS):
            launched = Launched(folder, port or _free_port())
            try:
                _start(launched, program, models or folder / "models", settings or {}, keep)
                return launched
            except PortTaken:
                # Between our look and Ollama's another program can take a free port.
                launched.close()
                if port is not None or attempt == _OTHER_PORTS - 1:
                    raise
            except BaseException:
                launched.end()
                launched.close()
                raise
        raise AssertionError("unreachable")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # As Ollama does: a connection that lingers from before is no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise _taken(port, error.strerror) from error


def _taken(port: int, why: str | None) -> PortTaken:
    return PortTaken(
        f"Port {port} cannot be used: {why}. Leave out `port` to get a free one, or end the "
        "program that listens there."
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _start(
    launched: Launched,
    program: Program,
    models: Path,
    settings: Mapping[str, str],
    keep: Sequence[int],
) -> None:
    folder = launched.folder
    # The guard's lock on this file says that the folder is alive; see `sweep`.
    alive = os.open(folder / "alive", os.O_RDWR | os.O_CREAT, 0o600)
    read, write = os.pipe()
    try:
        fcntl.flock(alive, fcntl.LOCK_EX)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
        launched.log = os.open(folder / "ollama.log", flags, 0o600)
        launched.guard = children.spawn(
            [str(program.path), "serve"],
            env=_environment(launched, models, settings),
            output=launched.log,
            cwd=folder,
            keep=[alive, *keep],
            remove=folder,
            pid_to=write,
        )
        os.close(write)
        write = -1
        if select.select([read], [], [], 10.0)[0]:
            launched.pid = int(os.read(read, 40) or b"0")
        _wait(launched)
    finally:
        for fd in (alive, read, write):
            if fd >= 0:
                os.close(fd)


def _environment(launched: Launched, models: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """The person's environment without the person's Ollama settings: a sandbox is repeatable."""
    own = ("OLLAMA_", "LLAMA_ARG_", "LIFECYCLE_SANDBOX_")
    env = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    env |= {
        "HOME": str(launched.folder / "home"),
        "TMPDIR": str(launched.folder / "tmp"),
        "OLLAMA_HOST": f"127.0.0.1:{launched.port}",
        "OLLAMA_MODELS": str(models),
        "OLLAMA_NO_CLOUD": "1",
        "LIFECYCLE_SANDBOX_PYTHON": sys.executable,
        "LIFECYCLE_SANDBOX_RUNNER": str(_RUNNER),
    }
    if site.ENABLE_USER_SITE:
        # HOME is another now, and packages may be installed below the person's.
        env["PYTHONUSERBASE"] = site.getuserbase()
    return {**env, **settings}


def _wait(launched: Launched) -> None:
    deadline = time.monotonic() + _ANSWER_S
    while launched.is_running():
        # Somebody else's Ollama may answer at that port; ours says that it listens.
        if "Listening on" in launched.log_text():
            try:
                launched.version = request(launched.port, "GET", "/api/version", timeout_s=2.0)[
                    "version"
                ]
                return
            except (OSError, http.client.HTTPException, SandboxError, KeyError):
                pass
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_S)
    log = launched.log_text()
    launched_ended = not launched.is_running()
    if launched_ended and "address already in use" in log:
        raise _taken(launched.port, "address already in use")
    what = "ended at once" if launched_ended else f"did not answer within {_ANSWER_S:.0f} s"
    raise StartFailed(f"The private Ollama {what}. The end of its log:\n{tail(log, 15)}")


def tail(text: str, count: int) -> str:
    """The last `count` lines."""
    return "\n".join(text.splitlines()[-count:])


def request(
    port: int, method: str, path: str, body: object = None, timeout_s: float = 60.0
) -> dict[str, Any]:
    """One JSON request to the Ollama on `port` of this machine (no proxy is asked).

    Raises:
        SandboxError: it answered with an error, given word for word.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
    finally:
        connection.close()
    try:
        answer = json.loads(text)
    except ValueError:
        answer = {}
    if response.status != 200 or not isinstance(answer, dict) or "error" in answer:
        error = answer.get("error") if isinstance(answer, dict) else None
        raise SandboxError(str(error or f"{response.status} {text[:200]}"))
    return answer
