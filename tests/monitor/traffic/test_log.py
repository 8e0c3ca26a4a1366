"""The server's log: read where it can be, else a sentence; real processes write real files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest

from lifecycle_widgets.monitor.traffic.witnesses.log import Line, ServerLog
from lifecycle_widgets.monitor.traffic.witnesses.log.gin import parse_line
from lifecycle_widgets.monitor.traffic.witnesses.log.places import NoLog, open_log
from lifecycle_widgets.monitor.traffic.witnesses.log.tails import FileTail, ProgramTail, Tail
from lifecycle_widgets.server import Server
from tests.grounds.other_user import as_other_user, other_environment
from tests.monitor.conftest import Eventually

SERVER = "127.0.0.1:1"  # nobody listens there: what is read is the writer's own output


def gin(
    path: str = "/api/chat",
    took: str = "1.5s",
    status: int = 200,
    at: datetime | None = None,
    method: str = "POST",
) -> str:
    """A line as Ollama's web framework writes it."""
    stamp = (at or datetime.now()).strftime("%Y/%m/%d - %H:%M:%S")
    return f'[GIN] {stamp} | {status} | {took:>13} | {"127.0.0.1":>15} | {method:<7}  "{path}"'


PS = gin("/api/ps", "50µs", method="GET")


class Writer:
    """A process that writes what it is told to where its output goes, as a server does."""

    def __init__(self, path: Path | str) -> None:
        self._out = open(path, "ab")  # noqa: SIM115
        echo = "while IFS= read -r line; do printf '%b' \"$line\"; done"
        self.process = subprocess.Popen(
            ["sh", "-c", echo], stdin=subprocess.PIPE, stdout=self._out, stderr=self._out
        )
        self.pid = self.process.pid

    def write(self, *lines: str, end: str = "\\n") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(("\\n".join(lines) + end + "\n").encode())
        self.process.stdin.flush()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(5)
        self._out.close()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    made = Writer(tmp_path / "server.log")
    yield made
    made.close()


Read = Callable[[Callable[[list[Line]], object]], list[Line]]


@pytest.fixture
def log(writer: Writer, eventually: Eventually) -> Iterator[ServerLog]:
    """The log of the writer, which is open."""
    made = ServerLog(Server(SERVER), heard_s=0.4)
    eventually(lambda: made.read(writer.pid) or "opened" in made.told, "the log is open")
    yield made
    made.close()


def lines_of(log: ServerLog, pid: int, count: int, eventually: Eventually) -> list[Line]:
    found: list[Line] = []

    def read() -> bool:
        found.extend(log.read(pid))
        return len(found) >= count

    eventually(read, f"{count} lines", within_s=8.0)
    return found


# --- one line -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("took", "seconds"),
    [("1.728292888s", 1.728292888), ("85.798µs", 85.798e-6), ("1m3s", 63.0), ("57.39ms", 0.05739)],
)
def test_what_a_line_tells(took: str, seconds: float) -> None:
    told = parse_line(gin(took=took).encode())
    assert told is not None
    assert told.duration_s == pytest.approx(seconds)
    assert (told.status, told.kind) == (200, "chat")


def test_a_line_with_colours_as_to_a_terminal() -> None:
    line = (
        "[GIN] 2026/11/26 - 12:00:01 |\x1b[97;42m 499 \x1b[0m|  1.5s |  ::1 |"
        '\x1b[97;46m POST    \x1b[0m "/v1/chat/completions"'
    )
    told = parse_line(line.encode())
    assert told is not None
    assert (told.status, told.kind, told.duration_s) == (499, "chat", 1.5)


@pytest.mark.parametrize(
    "line",
    [
        b"[GIN-debug] POST   /api/chat   --> server.(*Server).ChatHandler-fm (5 handlers)",
        b'time=2026-11-26T12:18:49.710Z level=INFO source=routes.go:1951 msg="server config"',
        b'{"time":"2026-11-26T12:00:00Z","status":200,"path":"/api/chat"}',
        b'[GIN] 2026/13/45 - 12:00:01 | 200 | 1.5s | ::1 | POST "/api/chat"',
        b'[GIN] 2026/11/26 - 12:00:01 | 200 | soon | ::1 | POST "/api/chat"',
        b"\xff\xfe[GIN] \x00",
    ],
)
def test_other_lines_tell_nothing(line: bytes) -> None:
    assert parse_line(line) is None


def test_what_asks_no_model_is_no_request() -> None:
    paths = [
        ("GET", "/api/ps"),
        ("POST", "/api/show"),
        ("POST", "/api/pull"),
        ("GET", "/v1/models"),
    ]
    told = [parse_line(gin(path, method=method).encode()) for method, path in paths]
    assert [one.kind for one in told if one is not None] == [None] * 4


# --- a process that writes a file -----------------------------------------------------------------


def test_requests_are_read_as_they_end(
    log: ServerLog, writer: Writer, eventually: Eventually
) -> None:
    before_s = time.monotonic()
    writer.write("llama_model_loader: loaded", PS, gin("/api/chat", "1.5s"), gin("/v1/embeddings"))
    found = lines_of(log, writer.pid, 2, eventually)
    assert [(one.kind, one.duration_s, one.status) for one in found] == [
        ("chat", 1.5, 200),
        ("embed", 1.5, 200),
    ]
    for one in found:
        assert before_s - 1.0 <= one.low_s <= one.high_s <= time.monotonic()
    assert log.is_heard
    assert "is read" in log.told


def test_the_zone_of_a_server_in_a_container_does_not_matter(
    log: ServerLog, writer: Writer, eventually: Eventually
) -> None:
    elsewhere = datetime.now() - timedelta(hours=5, minutes=30)
    writer.write(gin(at=elsewhere))
    [line] = lines_of(log, writer.pid, 1, eventually)
    assert abs(line.high_s - time.monotonic()) < 2.0


def test_an_unfinished_line_is_read_when_it_is_whole(
    log: ServerLog, writer: Writer, eventually: Eventually
) -> None:
    line = gin("/api/generate", "2s")
    writer.write(line[:60], end="")
    time.sleep(0.2)
    assert log.read(writer.pid) == []
    writer.write(line[60:])
    assert lines_of(log, writer.pid, 1, eventually)[0].duration_s == 2.0


def test_another_form_is_said(log: ServerLog, writer: Writer, eventually: Eventually) -> None:
    writer.write('{"level":"info","path":"/api/chat","status":200}')

    def is_said() -> bool:
        assert log.read(writer.pid) == []
        return "not in a form that is known" in log.told

    eventually(is_said, "the form is not known", within_s=6.0)
    assert not log.is_heard
    writer.write(PS, gin())  # and it is read again when it is
    lines_of(log, writer.pid, 1, eventually)
    assert log.is_heard


def test_a_log_that_is_moved_away_is_followed(
    log: ServerLog, writer: Writer, tmp_path: Path, eventually: Eventually
) -> None:
    """logrotate renames it, and the process writes on to the same file."""
    (tmp_path / "server.log").rename(tmp_path / "server.log.1")
    (tmp_path / "server.log").touch()
    writer.write(gin())
    assert lines_of(log, writer.pid, 1, eventually)


def test_a_log_that_is_cut_is_read_from_its_beginning(
    writer: Writer, tmp_path: Path, eventually: Eventually
) -> None:
    writer.write("x" * 5000)
    eventually(lambda: (tmp_path / "server.log").stat().st_size > 5000, "it is written")
    tail = FileTail(str(tmp_path / "server.log"), "it", look_again_s=0.1)
    os.truncate(tmp_path / "server.log", 0)
    writer.write(gin())
    assert b"[GIN]" in read_on(tail, eventually)


def test_another_file_of_the_name_is_read_from_its_beginning(
    tmp_path: Path, eventually: Eventually
) -> None:
    """As Ollama's own app does it at each start."""
    path = tmp_path / "server.log"
    path.write_text("old\n")
    tail = FileTail(str(path), "it", look_again_s=0.1)
    path.rename(tmp_path / "server-1.log")
    path.write_text("new\n")
    assert read_on(tail, eventually) == b"new\n"
    path.unlink()
    with pytest.raises(OSError, match="No such file"):
        eventually(lambda: tail.read() and False, "it is gone", within_s=2.0)
    tail.close()


def read_on(tail: Tail, eventually: Eventually) -> bytes:
    found = bytearray()

    def read() -> bytearray:
        found.extend(tail.read())
        return found

    eventually(read, "something is read", within_s=5.0)
    return bytes(found)


# --- where it cannot be read ----------------------------------------------------------------------


def test_a_server_that_throws_its_log_away() -> None:
    writer = Writer(os.devnull)
    try:
        with pytest.raises(NoLog, match="thrown away"):
            open_log(writer.pid, 1)
    finally:
        writer.close()


def test_a_server_whose_output_another_program_reads() -> None:
    process = subprocess.Popen(["sleep", "30"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        with pytest.raises(NoLog, match="goes to another program"):
            open_log(process.pid, 1)
    finally:
        process.kill()
        process.communicate()


def test_a_server_of_another_user(tmp_path: Path, writer: Writer) -> None:
    home = tmp_path / "home"
    home.mkdir()
    code = (
        "from lifecycle_widgets.monitor.traffic.witnesses.log.places import NoLog, open_log\n"
        f"try: open_log({writer.pid}, 1)\nexcept NoLog as fault: print(fault)"
    )
    command = as_other_user([sys.executable, "-c", code], home)
    done = subprocess.run(
        command, env=other_environment(home), capture_output=True, text=True, timeout=60
    )
    assert "its process is another user's" in done.stdout, done.stderr


def test_another_machines_log_is_not_looked_for() -> None:
    log = ServerLog(Server("192.0.2.1"))
    assert log.read(None) == []
    assert log.told == "The server's log cannot be read: it is on another machine."


def test_a_server_that_has_ended(log: ServerLog, writer: Writer, eventually: Eventually) -> None:
    writer.close()
    eventually(lambda: log.read(writer.pid) or "come to an end" in log.told, "it is said", 8.0)


# --- a program that prints it ---------------------------------------------------------------------


def test_a_programs_lines_are_read_and_it_ends_with_us(
    tmp_path: Path, eventually: Eventually
) -> None:
    path = tmp_path / "journal"
    path.write_text("old\n")
    tail = ProgramTail(["tail", "-n", "0", "-f", str(path)], "it")
    children = psutil.Process().children(recursive=True)
    try:
        eventually(lambda: any(one.name() == "tail" for one in kin(children)), "it runs")
        time.sleep(0.2)
        with path.open("a") as file:
            file.write("new\n")
        assert read_on(tail, eventually) == b"new\n"
    finally:
        tail.close()
    eventually(lambda: not any(one.is_running() for one in kin(children)), "it has ended")


def kin(children: list[psutil.Process]) -> list[psutil.Process]:
    found = []
    for one in children:
        try:
            if one.status() != psutil.STATUS_ZOMBIE and "tail" in " ".join(one.cmdline()):
                found += [one, *one.children()]
        except psutil.NoSuchProcess:
            pass
    return found


def test_a_program_that_ends_is_noticed(eventually: Eventually) -> None:
    tail = ProgramTail(["sh", "-c", "echo one; exit 3"], "it")
    with pytest.raises(OSError, match="has ended"):
        eventually(lambda: tail.read() and False, "it has ended", within_s=5.0)
    tail.close()


def test_a_program_does_not_outlive_a_process_that_is_killed(
    tmp_path: Path, eventually: Eventually
) -> None:
    path = tmp_path / "journal"
    path.touch()
    code = (
        "import time\n"
        "from lifecycle_widgets.monitor.traffic.witnesses.log.tails import ProgramTail\n"
        f"tail = ProgramTail(['tail', '-f', {str(path)!r}], 'it')\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"
    children = psutil.Process(owner.pid).children(recursive=True)
    assert children
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    eventually(lambda: not any(map(is_alive, children)), "its children have ended", within_s=5.0)


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


# --- a container ----------------------------------------------------------------------------------

DOCKER = """#!/bin/sh
case "$1" in
ps) echo "4e5f60718293 0.0.0.0:{port}->11434/tcp" ;;
inspect) [ "$2" = 4e5f60718293 ] ;;
logs) [ "$*" = "logs -f --tail 0 4e5f60718293" ] && exec tail -n 0 -f {log} ;;
esac
"""


def test_the_log_of_the_container_that_publishes_the_port(
    tmp_path: Path, eventually: Eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, port = tmp_path / "log", 18080
    log.write_text("old\n")
    (tmp_path / "docker").write_text(DOCKER.format(port=port, log=log))
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    tail = open_log(None, port)
    try:
        assert tail.name == "the container 4e5f60718293"
        assert tail.read() == b""

        def is_heard() -> bytes:
            with log.open("a") as file:
                file.write("new\n")
            return tail.read()

        eventually(is_heard, "it is read", within_s=5.0)
    finally:
        tail.close()
    with pytest.raises(NoLog, match="not to be found"):
        open_log(None, port + 1)
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2375")  # another machine's containers
    with pytest.raises(NoLog, match="not to be found"):
        open_log(None, port)
