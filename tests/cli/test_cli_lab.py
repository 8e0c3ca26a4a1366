"""lifecycle-lab: its arguments, its messages, and a real JupyterLab with a real sandbox."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import psutil
import pytest

from lifecycle_widgets.cli import jupyter_command, main, put_notebooks
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

ROOT = Path(__file__).parents[2]
LAB = [sys.executable, "-m", "lifecycle_widgets.cli"]


def wait_for(condition: object, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.ConnectError:
        return False


def without_a_server() -> dict[str, str]:
    hidden = ("OLLAMA_HOST", SANDBOX_URL_VARIABLE)
    return {k: v for k, v in os.environ.items() if k not in hidden}


def test_notebooks_are_put_into_the_folder_and_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    put_notebooks(folder)
    start = folder / "00_start_here.ipynb"
    assert start.read_bytes() == (ROOT / "notebooks" / start.name).read_bytes()
    pictures = [p.name for p in (ROOT / "notebooks" / "pictures").iterdir()]
    assert sorted(p.name for p in (folder / "pictures").iterdir()) == sorted(pictures)
    start.write_text("my own work")
    put_notebooks(folder)
    assert start.read_text() == "my own work"


def test_in_a_clone_its_own_notebooks_are_opened() -> None:
    assert put_notebooks(ROOT / "notebooks") == ROOT / "notebooks"


def test_arguments_reach_jupyterlab() -> None:
    command = jupyter_command(["--no-browser", "--port", "9000"])
    assert command[:3] == [sys.executable, "-m", "jupyterlab"]
    assert command[-3:] == ["--no-browser", "--port", "9000"]
    assert "--LabApp.default_url=/lab/tree/00_start_here.ipynb" in command


def test_with_only_options_it_asks_for_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--private"])
    assert ended.value.code == 2
    assert "FOLDER" in capsys.readouterr().err


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    message = capsys.readouterr().err
    assert message.startswith("lifecycle-lab: "), message
    assert message.count("\n") == 1, message
    return message


def test_a_folder_that_cannot_be_made_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file")]) == 1
    assert "file is a file. Name a folder for the notebooks." in said(capsys)
    assert main([str(tmp_path / "file" / "folder")]) == 1
    assert "(Not a directory). Name a folder that you may write to." in said(capsys)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "pictures").write_text("in the way")
    assert main([str(tmp_path / "full")]) == 1
    assert "(File exists)" in said(capsys)


WRONG = {
    "ftp://127.0.0.1": "ftp:// is not http:// or https://",
    "http://127.0.0.1:99999": "99999",
    "not a host": "is no host name",
    "http://127.0.0.1:9": "no Ollama answers there",
    "127.0.0.1:9/v1": "no Ollama answers there",
    "http://me:secret@127.0.0.1:9": "no Ollama answers there",
    "http://no-such-host.invalid": "no Ollama answers there",
}


@pytest.mark.parametrize("command", [["./folder"], ["facts", "--topic", "lists"]], ids=" ".join)
@pytest.mark.parametrize("address", WRONG)
def test_a_wrong_address_is_one_line(
    address: str,
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_HOST", address)
    assert main(command) == 1
    message = said(capsys)
    assert "OLLAMA_HOST" in message
    assert WRONG[address] in message
    assert message.endswith("To use the private Ollama all the same, add --private.\n")
    assert "secret" not in message


@pytest.mark.parametrize("status", [401, 403, 502, 504])
def test_a_server_that_answers_badly_gets_no_sandbox_beside_it(
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with refusing(status) as url:
        monkeypatch.setenv("OLLAMA_HOST", url)
        assert main([str(tmp_path / "lab")]) == 1
    assert f"OLLAMA_HOST is {url}." in (message := said(capsys))
    assert message.endswith("To use the private Ollama all the same, add --private.\n")
    assert "Server.sandbox()" not in message  # that is for notebooks


@pytest.mark.parametrize("wrong", ["{}/v1", "{}/api", "https://{}"])
def test_an_address_that_is_nearly_right_is_corrected(
    wrong: str,
    sandbox: Sandbox,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", wrong.format(sandbox.url.removeprefix("http://")))
    assert main([str(tmp_path / "lab")]) == 1
    assert f"one does at {sandbox.url}: set OLLAMA_HOST to that." in said(capsys)


def test_a_server_that_hangs_gets_no_sandbox_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("OLLAMA_HOST", f"127.0.0.1:{silent.getsockname()[1]}")
        assert main([str(tmp_path / "lab")]) == 1
    assert "add --private" in said(capsys)


@contextmanager
def refusing(status: int) -> Iterator[str]:
    """A server that answers everything with an error, as a gateway does; its address."""

    class Gateway(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b"<html><body>gateway</body></html>"
            self.send_response(status)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_HEAD = do_GET

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Gateway) as gateway:
        threading.Thread(target=gateway.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{gateway.server_port}"
        gateway.shutdown()


def test_a_port_that_is_none_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "--port", "99999"]) == 1
    assert "between 1 and 65535" in said(capsys)


def test_a_taken_port_is_one_message(sandbox: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sandbox", "--port", str(sandbox.port)]) == 1
    assert str(sandbox.port) in capsys.readouterr().err


def test_the_sandbox_by_hand_ends_with_its_signal(sandbox: Sandbox) -> None:
    process = subprocess.Popen([*LAB, "sandbox"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    url = process.stdout.readline().split("=")[1].split()[0]
    assert Server(url).answers()
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0
    wait_for(lambda: not Server(url).answers(), 5)


def test_the_private_one_in_place_of_ones_own(sandbox: Sandbox, tmp_path: Path) -> None:
    """The person's Ollama (here the tests' one) answers, and is left alone."""
    config = tmp_path / "config.py"  # JupyterLab reads it: its environment is what kernels get
    config.write_text("import os\nprint('kernels get', os.environ['OLLAMA_HOST'], flush=True)\n")
    lab = [*LAB, str(tmp_path / "lab"), f"--config={config}", "--show-config"]
    for arguments, own in (([], True), (["--private"], False)):
        done = subprocess.run(
            [*lab, *arguments],
            env=without_a_server() | {"OLLAMA_HOST": sandbox.url},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        handed = done.stdout.split("kernels get ")[1].split()[0]
        assert (handed == sandbox.url) is own
        assert own or f"answers at {handed}; it ends with the lab" in done.stdout


@pytest.mark.slow
def test_the_lab_hands_its_sandbox_to_the_kernels_and_ends_it(tmp_path: Path) -> None:
    """A real JupyterLab; the sandbox ends with it, also by SIGKILL."""
    if Server("localhost").answers():
        pytest.skip("an Ollama of this machine's owner runs on localhost:11434")
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen(
        [*LAB, str(tmp_path / "lab"), "--no-browser", "--ServerApp.token=t", "--port", "0"],
        stdout=log,
        stderr=log,
        env=without_a_server(),
    )
    try:
        wait_for(lambda: "/lab/tree/00_start_here.ipynb?token" in (tmp_path / "log").read_text())
        handed = psutil.Process(process.pid).environ().get(SANDBOX_URL_VARIABLE)
        text = (tmp_path / "log").read_text()
        assert handed is not None
        assert handed in text
        assert Server(handed).answers()
        lab = next(w for w in text.split() if w.startswith("http://localhost") and "/lab" in w)
        root = lab.split("/lab")[0]
        notebook = f"{root}/api/contents/00_start_here.ipynb?token=t&content=0"
        wait_for(lambda: answers(notebook))  # it prints its address before it listens
    finally:
        process.kill()
        process.wait()
        log.close()
    wait_for(lambda: not Server(handed).answers(), 10)


def test_facts_on_the_persons_own_server(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["facts", "--topic", "lists"]) == 0  # OLLAMA_HOST names the tests' sandbox
    told = capsys.readouterr().out
    assert f"at {server.url} (own)" in told
    assert "holds      The digest in /api/ps and /api/tags is that of the manifest" in told
    assert " 0 do not, 0 were not tried; 0 otherwise than expected" in told
    assert server.residents() == ()  # what was loaded is unloaded


def test_facts_leave_a_persons_models_alone(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.preload("smollm2:135m-f16", "10m")
    assert main(["facts", "--topic", "lists"]) == 0
    told = capsys.readouterr().out
    assert "not tried" in told
    assert "smollm2:135m-f16 is in memory, and could have to leave for it" in told
    assert [resident.name for resident in server.residents()] == ["smollm2:135m-f16"]


def test_facts_on_the_private_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "--private", "--topic", "Who may ask"]) == 0
    told = capsys.readouterr().out
    assert "(private)" in told
    assert "A page with Origin null may not ask." in told


def test_facts_without_such_a_topic(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["facts", "--topic", "weather"])
    assert "There are: How keep_alive is read;" in capsys.readouterr().err
