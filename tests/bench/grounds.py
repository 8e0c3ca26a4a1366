"""The start notebook on each ground that README's "Where it works" names, from top to bottom."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import pytest

from lifecycle_widgets.experiments.shortage.shortage import Shortage
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import TEMPLATE, VARIABLE
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server
from tests.grounds.clock_relay import shifted
from tests.grounds.ground_tools import SMALL, elsewhere, forwarded, serving
from tests.grounds.llama_server import linked_weights, llama_cpp, older
from tests.grounds.nginx import nginx, to
from tests.grounds.other_user import as_other_user, other_environment
from tests.grounds.programs import free_port, running
from tests.grounds.socks5 import Socks5
from tests.grounds.tinyproxy import tinyproxy
from tests.recorded import RecordedServer, certificate, model, ollama, resident, tags
from tests.sandbox.sandbox_tools import ROOT, environment

START = ROOT / "notebooks" / "00_start_here.ipynb"
NO_POSIX = ROOT / "tests" / "platform" / "no_posix"
APART = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--")
LIMIT_S = 180
DEAD = "http://127.0.0.1:9"  # a proxy that is not there


@dataclass
class Ground:
    """Where the notebook finds itself."""

    url: str
    env: dict[str, str] = field(default_factory=dict)
    wrap: Callable[[list[str]], list[str]] = list
    folder: Path | None = None  #: for the notebook, where it cannot be any
    kernel: str | None = None
    group_bytes: int | None = None  #: of memory, for whatever runs the notebook
    ends_with: str = ""  #: the exception, where nobody can go on


Made = Callable[[Path, Server], AbstractContextManager[Ground]]
GROUNDS: dict[str, Made] = {}


def ground(name: str) -> Callable[[Callable[[Path, Server], Iterator[Ground]]], Made]:
    """Enters it in the list."""

    def enter(make: Callable[[Path, Server], Iterator[Ground]]) -> Made:
        GROUNDS[name] = contextmanager(make)
        return GROUNDS[name]

    return enter


def bench_grounds(wanted: Sequence[str] = ()) -> None:
    """Each ground: seconds, size of what was executed, and what the notebook said of itself."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, make) in enumerate(GROUNDS.items()):
            if wanted and not any(word in name for word in wanted):
                continue
            place = Path(folder) / str(number)
            place.mkdir(mode=0o755)
            try:
                with Sandbox() as sandbox, make(place, Server(sandbox.url)) as made:
                    said, good = _executed(made, place)
            except pytest.skip.Exception as why:
                said, good = f"skipped: {why}", True
            failed += not good
            print(f"{name:46} {said}", flush=True)
    if failed:
        sys.exit(f"{failed} failed")


def _executed(made: Ground, place: Path) -> tuple[str, bool]:
    """Run the notebook as a person's own would be there; one line of what came of it."""
    folder = made.folder or place
    copy = folder / START.name
    shutil.copyfile(START, copy)
    copy.chmod(0o666)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbmake"]
    command += [f"--nbmake-timeout={LIMIT_S}", "--overwrite", "--rootdir", str(folder), str(copy)]
    if made.kernel:
        command.insert(-1, f"--nbmake-kernel={made.kernel}")
    env = environment(**{"OLLAMA_HOST": made.url, SANDBOX_URL_VARIABLE: "", **made.env})
    began_s = time.monotonic()
    log = place / "nbmake.txt"
    with ExitStack() as stack:
        process = stack.enter_context(running(made.wrap(command), lambda: True, log, env=env))
        if made.group_bytes:
            stack.enter_context(Shortage(made.group_bytes)).adopt(process.pid)
        status = process.wait(2 * LIMIT_S)
    seconds = time.monotonic() - began_s
    printed, shown = _outputs(copy)
    size = f"{seconds:4.0f} s {copy.stat().st_size / 1e3:5.0f} kB, {shown} widgets"
    if made.ends_with:
        told = re.sub("\x1b" + r"\[[\d;]*m", "", log.read_text())
        [end] = re.findall(rf"^{made.ends_with}: .+", told, re.MULTILINE)[-1:] or [""]
        return f"{size} | ends with {end or told[-3000:]}", bool(end)
    if status:
        return f"{size} FAILED\n{log.read_text()[-3000:]}", False
    return f"{size} | {' | '.join(printed)}", True


def _outputs(notebook: Path) -> tuple[list[str], int]:
    """What its cells printed, line by line, and how many showed a widget."""
    lines: list[str] = []
    widgets = 0
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", ()):
            widgets += "application/vnd.jupyter.widget-view+json" in output.get("data", {})
            lines += output.get("text", "").splitlines()
    return lines, widgets


# --- where Ollama runs --------------------------------------------------------------------------


@ground("the sandbox")
def _sandbox(_: Path, server: Server) -> Iterator[Ground]:
    yield Ground(server.url, {SANDBOX_URL_VARIABLE: server.url})


@ground("a service of another user")
def _service(place: Path, _: Server) -> Iterator[Ground]:
    home = _home(place)
    wrap = lambda command: as_other_user(command, home)  # noqa: E731
    with serving(place, SMALL, wrap=wrap, env=other_environment(home)) as told:
        yield Ground(told["url"])


@ground("an ordinary user, Ollama of another")
def _ordinary(place: Path, server: Server) -> Iterator[Ground]:
    yield _as_nobody(place, server, "")


@ground("an ordinary user, /proc hidden")
def _hidden(place: Path, server: Server) -> Iterator[Ground]:
    yield _as_nobody(place, server, "mount -t proc -o hidepid=2 proc /proc")


def _as_nobody(place: Path, server: Server, before: str) -> Ground:
    home = _home(place)
    own = {name: str(value) for name, value in other_environment(home).items()}
    wrap = lambda command: as_other_user(command, home, before)  # noqa: E731
    return Ground(server.url, own, wrap, home)


def _home(place: Path) -> Path:
    home = place / "home"
    home.mkdir()
    return home


@ground("two Ollamas, the other one has a model loaded")
def _two(_: Path, server: Server) -> Iterator[Ground]:
    with Sandbox(models=[SMALL]) as other:
        Server(other.url).preload(SMALL, "1h")
        yield Ground(server.url)


@ground("every model is in memory already")
def _in_use(_: Path, server: Server) -> Iterator[Ground]:
    for each in server.models():
        server.preload(each.name, "1h")
    yield Ground(server.url)


@ground("an SSH tunnel (a TCP forwarder)")
def _tunnel(place: Path, server: Server) -> Iterator[Ground]:
    with forwarded(place, server.url) as url:
        yield Ground(url)


@ground("a container's published port")
def _published(place: Path, _: Server) -> Iterator[Ground]:
    with elsewhere(place, *APART) as (_made, there), forwarded(place, there) as url:
        yield Ground(url)


@ground("another machine")
def _machine(place: Path, _: Server) -> Iterator[Ground]:
    with elsewhere(place) as (_made, there):
        yield Ground(there)


@ground("a clock that is two minutes ahead")
def _ahead(_: Path, server: Server) -> Iterator[Ground]:
    with shifted(server.url, 120.0) as recorded:
        yield Ground(recorded.url)


# --- what stands before it ----------------------------------------------------------------------


@ground("https of an own authority, a key, a prefix")
def _https(place: Path, server: Server) -> Iterator[Ground]:
    ca = certificate(place)
    keyed = 'if ($http_authorization != "Bearer k3y") { return 401; }'
    with nginx(place, to(server.url, keyed, "/ollama/"), ca) as gateway:
        env = {"SSL_CERT_FILE": str(ca.path), "OLLAMA_API_KEY": "k3y", "HTTPS_PROXY": DEAD}
        yield Ground(gateway.url + "/ollama", env)


@ground("a user and a password")
def _password(place: Path, server: Server) -> Iterator[Ground]:
    (place / "users").write_text("me:{PLAIN}p@ss/w0rd\n")
    wanted = f'auth_basic "Ollama"; auth_basic_user_file {place}/users;'
    with nginx(place, to(server.url, wanted)) as gateway:
        yield Ground(gateway.url.replace("://", "://me:p%40ss%2Fw0rd@"))


@ground("a redirect from http to https")
def _redirect(place: Path, server: Server) -> Iterator[Ground]:
    ca = certificate(place)
    (place / "plain").mkdir()
    with nginx(place, to(server.url), ca) as secure:
        settings = f"return 301 {secure.url}$request_uri;"
        with nginx(place / "plain", settings) as plain:
            by_name = plain.url.replace("127.0.0.1", "localhost")
            yield Ground(by_name, {"SSL_CERT_FILE": str(ca.path)})


@ground("HTTP_PROXY to another machine")
def _http_proxy(place: Path, _: Server) -> Iterator[Ground]:
    with elsewhere(place) as (_made, there), tinyproxy(place) as proxy:
        yield Ground(there, {"HTTP_PROXY": proxy.url})
        assert proxy.asked(), "the proxy was not asked"


@ground("ALL_PROXY, socks, to another machine")
def _socks(place: Path, _: Server) -> Iterator[Ground]:
    with elsewhere(place) as (_made, there), Socks5() as socks:
        yield Ground(there, {"ALL_PROXY": f"socks5://127.0.0.1:{socks.port}"})
        assert socks.asked, "the proxy was not asked"


@ground("NO_PROXY names the other machine")
def _no_proxy(place: Path, _: Server) -> Iterator[Ground]:
    with elsewhere(place) as (made, there):
        yield Ground(there, {"HTTP_PROXY": DEAD, "ALL_PROXY": DEAD, "NO_PROXY": made.there})


@ground("proxies that are not there, Ollama on loopback")
def _loopback(_: Path, server: Server) -> Iterator[Ground]:
    yield Ground(server.url, {"HTTP_PROXY": DEAD, "HTTPS_PROXY": DEAD, "ALL_PROXY": DEAD})


# --- what answers -------------------------------------------------------------------------------


@ground("llama.cpp with Ollama's routes")
def _llama(place: Path, _: Server) -> Iterator[Ground]:
    kept = ROOT / ".pytest_cache" / "d" / "xllamacpp"
    kept.mkdir(parents=True, exist_ok=True)
    with llama_cpp(linked_weights(place), place, older(kept)) as url:
        yield Ground(url)


@ground("OLLAMA_HOST as it is now")
def _as_it_is(_: Path, __: Server) -> Iterator[Ground]:
    if "OLLAMA_HOST" not in os.environ:
        pytest.skip("OLLAMA_HOST is not set; an older or newer Ollama, say")
    yield Ground(os.environ["OLLAMA_HOST"])


@ground("a server that does not tell what is in memory")
def _no_ps(_: Path, __: Server) -> Iterator[Ground]:
    with RecordedServer(ollama(ps=None)) as recorded:
        yield Ground(recorded.url)


@ground("fields that are null, dates of year 1")
def _nulls(_: Path, __: Server) -> Iterator[Ground]:
    nothing = model(size=None, details=None, digest="", modified_at="0001-01-01T00:00:00Z")
    held = resident(size=0, size_vram=None, expires_at="0001-01-01T00:00:00Z", digest=None)
    routes = ollama(tags=tags(nothing), ps={"models": [held]}, show={}, version={"version": None})
    with RecordedServer(routes) as recorded:
        yield Ground(recorded.url)


@ground("aliases, letter case, names with a registry")
def _names(_: Path, server: Server) -> Iterator[Ground]:
    server.client.copy(SMALL, "Alias:Latest")
    server.client.copy(SMALL, "registry.example/me/tiny:1b")
    yield Ground(server.url)


@ground("only embedding and cloud models")
def _unusable(_: Path, __: Server) -> Iterator[Ground]:
    cloud = model("big:480b-cloud", size=384, remote_model="big:480b", remote_host="https://x")
    routes = ollama(tags=tags(cloud, model("embed:v1", details={"family": "bert"})))
    routes["/api/show"] = {"capabilities": ["embedding"], "model_info": {}, "details": {}}
    with RecordedServer(routes | {"/api/ps": {"models": []}}) as recorded:
        yield Ground(recorded.url)
        assert not recorded.asked("/api/chat"), "no prompt leaves the machine unasked"


@ground("a model that thinks")
def _thinks(place: Path, _: Server) -> Iterator[Ground]:
    script = [{"thinking": "Short is best.", "text": "Hello!"}]
    trouble = place / "trouble.json"
    trouble.write_text(json.dumps({"script": script}))
    with Sandbox(models=[SMALL], runner_env={VARIABLE: str(trouble)}) as box:
        client = Server(box.url).client
        client.create(model="thinker", from_=SMALL, template=TEMPLATE)
        client.delete(SMALL)
        yield Ground(box.url)


# --- the machine --------------------------------------------------------------------------------


@ground("a container with 1.5 GB of memory")
def _limited(_: Path, server: Server) -> Iterator[Ground]:
    if (why := Shortage.why_not()) is not None:
        pytest.skip(why)
    yield Ground(server.url, group_bytes=1_500_000_000)


@ground("a Python without POSIX (as on Windows)")
def _no_posix(place: Path, server: Server) -> Iterator[Ground]:
    """The kernel only: whatever runs it keeps the system as it is."""
    spec = place / "share" / "kernels" / "no-posix"
    spec.mkdir(parents=True)
    path = os.pathsep.join([str(NO_POSIX), str(ROOT)])
    kernel = {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "no POSIX", "language": "python", "env": {"PYTHONPATH": path},
    }  # fmt: skip
    (spec / "kernel.json").write_text(json.dumps(kernel))
    yield Ground(server.url, {"JUPYTER_PATH": str(place / "share")}, kernel="no-posix")


@ground("a gateway whose Ollama is down")
def _down(place: Path, _: Server) -> Iterator[Ground]:
    with nginx(place, to(f"http://127.0.0.1:{free_port()}")) as gateway:
        yield Ground(gateway.url, ends_with="ServerError")


if __name__ == "__main__":
    bench_grounds(sys.argv[1:])
