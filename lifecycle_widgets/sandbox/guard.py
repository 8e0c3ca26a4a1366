"""The watchdog: runs one command and ends it, with all its descendants, when its owner is gone.

A process of its own, because the owner may be killed with SIGKILL and can then do nothing.
Standard library only, one thread, and small, so that it costs next to nothing. It is a direct
child of its owner and looks every 0.2 s whether that is still its parent; `exec` in the owner
keeps the process id, so the command then lives on.

    python -I -S guard.py --owner PID --grace SECONDS [--remove DIR] [--pid-to FD] -- COMMAND...
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time

_LOOK_S = 0.2
_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def prctl(option: int, value: int) -> None:
    """Linux's prctl(2); nothing elsewhere."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def start(command: list[str]) -> int:
    """Start the command in a process group of its own; return its process id."""
    guard = os.getpid()
    # Until the child has put its signals in order, one that is sent to it has to wait.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    child = os.fork()
    if child:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        return child
    try:
        os.setpgid(0, 0)
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
        if os.getppid() == guard:
            # The locks and pipes are the guard's; the command gets only 0, 1 and 2.
            os.closerange(3, 256)
            os.execvp(command[0], command)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def reap(child: int) -> int | None:
    """Collect ended processes; the exit code of `child` if it was among them."""
    code = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if pid == 0:
            return code
        if pid == child:
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def children() -> list[int]:
    """Linux: the processes whose parent is this one (orphans come here: it is a subreaper)."""
    found = []
    for name in os.listdir("/proc") if sys.platform == "linux" else ():
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
            if parent == os.getpid():
                found.append(int(name))
    return found


def send(number: int, pid: int, group: bool = False) -> bool:
    """Send a signal; whether there was anybody to get it."""
    try:
        os.killpg(pid, number) if group else os.kill(pid, number)
    except OSError:
        return False
    return True


def end(child: int, code: int | None, grace_s: float) -> int:
    """End the command politely, then its whole group and every orphan without mercy."""
    deadline = time.monotonic() + grace_s
    if code is None:
        send(signal.SIGTERM, child)
        while code is None and time.monotonic() < deadline:
            time.sleep(0.02)
            code = reap(child)
    deadline = time.monotonic() + 2.0
    while time.monotonic() < deadline:
        alive = send(signal.SIGKILL, child, group=True)
        for orphan in children():
            alive = send(signal.SIGKILL, orphan) or alive
        found = reap(child)
        code = found if code is None else code
        if not alive:
            break
        time.sleep(0.01)
    return 137 if code is None else code


def watch(owner: int, child: int, wake: int, asked_to_stop: list[int]) -> int | None:
    """Wait until the command ends (its exit code) or has to be ended (None)."""
    while True:
        code = reap(child)
        if code is not None:
            return code
        if asked_to_stop or os.getppid() != owner:
            return None
        if select.select([wake], [], [], _LOOK_S)[0]:
            os.read(wake, 4096)


def main(arguments: list[str]) -> int:
    """Run the command until it ends or the owner does."""
    split = arguments.index("--")
    options = list(zip(arguments[:split:2], arguments[1:split:2], strict=True))
    command = arguments[split + 1 :]
    option = dict(options)
    owner = int(option["--owner"])

    asked_to_stop: list[int] = []
    wake, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda number, _: asked_to_stop.append(number))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN)

    code: int | None = 137
    if os.getppid() == owner:
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
        child = start(command)
        if "--pid-to" in option:
            fd = int(option["--pid-to"])
            os.write(fd, f"{child}\n".encode())
            os.close(fd)
        code = watch(owner, child, wake, asked_to_stop)
        code = end(child, code, float(option.get("--grace", "2")))
    folders = [value for name, value in options if name == "--remove"]
    if folders:
        import shutil

        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
    return code if code is not None else 137


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
