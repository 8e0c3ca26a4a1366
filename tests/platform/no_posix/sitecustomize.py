"""Makes the Python that finds this on its path look to the package as it would on Windows.

What is another build there (the standard library, psutil), and what chooses its own parts by the
system when it is imported, is imported first and keeps the system as it is. Whatever is imported
after that, the whole package, sees views of ``os``, ``signal`` and others that lack what Windows
lacks, and cannot import the modules that Windows does not have. Python processes that are started
from it see the system as it is again.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
from types import ModuleType
from typing import Any

ABSENT = (  # modules
    "_posixsubprocess crypt fcntl grp nis posix pty pwd resource spwd syslog termios tty "
    "_curses curses readline"
)
FIRST = (  # modules
    "asyncio concurrent.futures ctypes ctypes.util email.message getpass http.client http.server "
    "importlib.metadata logging.handlers mmap multiprocessing.pool pathlib platform queue random "
    "selectors shutil socketserver sqlite3 ssl subprocess tempfile threading unittest.mock "
    "urllib.request uuid zipfile "
    "psutil IPython ipykernel.ipkernel ipykernel.debugger ipykernel.kernelapp "
    "ipywidgets anywidget plotly.graph_objects pandas itables "
    "scipy.stats numba httpx ollama griptape.structures griptape.drivers.prompt.ollama pynvml pip"
)
# what os, signal, select and socket of Windows do not have
LACKING = {
    "os": (
        "WCONTINUED WEXITED WEXITSTATUS WIFEXITED WIFSIGNALED WIFSTOPPED WNOHANG WNOWAIT WSTOPPED "
        "WSTOPSIG WTERMSIG WUNTRACED O_CLOEXEC O_DIRECT O_DIRECTORY O_NOFOLLOW O_NONBLOCK O_SYNC "
        "POSIX_FADV_DONTNEED POSIX_FADV_WILLNEED RTLD_NOW chown chroot confstr copy_file_range "
        "ctermid eventfd fchdir fchown fdatasync fork forkpty fpathconf fstatvfs getegid geteuid "
        "getgid getgrouplist getgroups getloadavg getpgid getpgrp getpriority getresgid getresuid "
        "getsid getuid initgroups killpg lchown lockf login_tty major makedev memfd_create minor "
        "mkfifo mknod nice openpty pathconf pidfd_open pipe2 posix_fadvise posix_fallocate "
        "posix_openpt posix_spawn posix_spawnp pread preadv pwrite pwritev readv register_at_fork "
        "sched_get_priority_max sched_getaffinity sched_getparam sched_getscheduler "
        "sched_setaffinity sched_setscheduler sched_yield sendfile set_blocking setegid seteuid "
        "setgid setgroups setns setpgid setpriority setregid setresgid setresuid setreuid setsid "
        "setuid splice statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname unshare wait wait3 "
        "wait4 waitid writev"
    ),
    "signal": (
        "SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGHUP SIGIO SIGKILL SIGPIPE SIGPOLL SIGPROF SIGPWR "
        "SIGQUIT SIGRTMAX SIGRTMIN SIGSTOP SIGSYS SIGTRAP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGUSR1 "
        "SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ alarm getitimer pause pthread_kill "
        "pthread_sigmask setitimer siginterrupt sigpending sigtimedwait sigwait sigwaitinfo"
    ),
    "select": "poll epoll kqueue devpoll",
    "socket": "AF_UNIX AF_NETLINK AF_PACKET SO_REUSEPORT socketpair CMSG_LEN SCM_RIGHTS",
    "sys": "abiflags getdlopenflags setdlopenflags",
    "psutil": "sensors_temperatures sensors_fans RLIMIT_AS",
    "subprocess": "",
    "time": "clock_gettime clock_settime pthread_getcpuclockid tzset",
}


def not_on_windows(*_: Any, **__: Any) -> None:
    raise AssertionError("exec returns to the shell at once on Windows")


class View(ModuleType):
    """A module without some of its names, and with other values for some."""

    def __init__(self, real: ModuleType, lacking: str, **other: Any) -> None:
        super().__init__(real.__name__)
        self.__dict__.update(
            _real=real, _lacking=frozenset(lacking.split()), _other=other, __spec__=real.__spec__
        )

    def __getattr__(self, name: str) -> Any:
        if name in self._other:
            return self._other[name]
        if name in self._lacking:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(self._real, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._real, name, value)

    def __dir__(self) -> list[str]:
        return sorted({*dir(self._real)} - self._lacking)


def install() -> None:
    """Import what comes first; then hide."""
    path = [p for p in os.environ["PYTHONPATH"].split(os.pathsep) if p != os.path.dirname(__file__)]
    os.environ["PYTHONPATH"] = os.pathsep.join(path)
    for name in FIRST.split():
        importlib.import_module(name)
    other = {
        "os": {"name": "nt", **dict.fromkeys(("execv", "execve", "execvp"), not_on_windows)},
        "sys": {"platform": "win32"},
        "psutil": {"LINUX": False, "POSIX": False, "WINDOWS": True},
        "subprocess": {"Popen": windows_popen(), "CREATE_NEW_PROCESS_GROUP": 0},
    }
    real = {name: importlib.import_module(name) for name in LACKING}
    for name, module in real.items():
        sys.modules[name] = View(module, LACKING[name], **other.get(name, {}))
    for name in ABSENT.split():
        sys.modules[name] = None  # type: ignore[assignment]


def windows_popen() -> type:
    """`subprocess.Popen` as it is on Windows: some arguments are refused."""
    import subprocess

    class Popen(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **options: Any) -> None:
            for name in ("preexec_fn", "pass_fds", "user", "group", "umask", "process_group"):
                if options.get(name):
                    raise ValueError(f"{name} is not supported on Windows platforms")
            options.pop("start_new_session", None)
            super().__init__(*args, **options)

    return Popen


if not getattr(builtins, "_no_posix", False):
    builtins._no_posix = True  # type: ignore[attr-defined]
    install()
