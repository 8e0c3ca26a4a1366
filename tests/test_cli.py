"""lifecycle-lab: its arguments, its messages, and a real JupyterLab with a real sandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from lifecycle_widgets.cli import jupyter_command, main, put_notebooks
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

ROOT = Path(__file__).parent.parent
LAB = [sys.executable, "-m", "lifecycle_widgets.cli"]


def wait_for(condition: object, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


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


def test_without_a_folder_it_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "FOLDER" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main([str(tmp_path / "file" / "folder")]) == 1
    message = capsys.readouterr().err
    assert message.startswith("lifecycle-lab: ")
    assert "Traceback" not in message


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
        status = httpx.get(f"{root}/api/contents/00_start_here.ipynb?token=t&content=0").status_code
        assert status == 200
    finally:
        process.kill()
        process.wait()
        log.close()
    wait_for(lambda: not Server(handed).answers(), 10)


def test_facts_on_the_persons_own_server(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["facts", "--topic", "lists"]) == 0  # OLLAMA_HOST names the tests' sandbox
    said = capsys.readouterr().out
    assert f"at {server.url} (own)" in said
    assert "holds      The digest in /api/ps and /api/tags is that of the manifest" in said
    assert " 0 do not, 0 were not tried; 0 otherwise than expected" in said
    assert server.residents() == ()  # what was loaded is unloaded


def test_facts_leave_a_persons_models_alone(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.preload("smollm2:135m-f16", "10m")
    assert main(["facts", "--topic", "lists"]) == 0
    said = capsys.readouterr().out
    assert "not tried" in said
    assert "smollm2:135m-f16 is in memory, and could have to leave for it" in said
    assert [resident.name for resident in server.residents()] == ["smollm2:135m-f16"]


def test_facts_on_the_private_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["facts", "--private", "--topic", "Who may ask"]) == 0
    said = capsys.readouterr().out
    assert "(private)" in said
    assert "A page with Origin null may not ask." in said


def test_facts_without_such_a_topic(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["facts", "--topic", "weather"])
    assert "There are: How keep_alive is read;" in capsys.readouterr().err
