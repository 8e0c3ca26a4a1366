"""The configuration for a class, as printed: five students log in and do lesson 0 at once.

Needs ``jupyterhub`` and ``configurable-http-proxy`` (PyPI); takes some minutes, so it is for
LIFECYCLE_LONG=1.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from lifecycle_widgets.sandbox import cache_dir
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE

STUDENTS = ("ada", "bob", "cleo", "dan", "eve")
PASSWORD = "one for all"
LESSON = "00_start_here.ipynb"
CELL_S = 300.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1"),
    pytest.mark.skipif(
        not all(map(importlib.util.find_spec, ("jupyterhub", "configurable_http_proxy"))),
        reason="needs jupyterhub and configurable-http-proxy",
    ),
]


def free_ports() -> int:
    """The first of three ports that nobody has."""
    for _ in range(100):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
        if port < 65_000 and all(_is_free(port + more) for more in (1, 2)):
            return port
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def of_the_class(folder: Path) -> list[psutil.Process]:
    """The processes whose environment names its folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != os.getpid() and str(folder) in process.environ().values():
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[str]:
    """Its address; all of it is gone afterwards."""
    folder = tmp_path / "class"
    hidden = ("OLLAMA_HOST", SANDBOX_URL_VARIABLE)
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    env |= {
        "LIFECYCLE_CLASS_FOLDER": str(folder),
        "LIFECYCLE_CLASS_PASSWORD": PASSWORD,
        "LIFECYCLE_CLASS_PORT": str(free_ports()),
        "LIFECYCLE_WIDGETS_CACHE": str(cache_dir()),
        "LIFECYCLE_WIDGETS_NEIGHBOURS": str(tmp_path / "board"),
    }
    command = [sys.executable, "-m", "lifecycle_widgets.cli", "class", "--hub"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (tmp_path / "jupyterhub_config.py").write_text(printed)
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub"], cwd=tmp_path, env=env, stdout=log, stderr=log
        )
    url = f"http://127.0.0.1:{env['LIFECYCLE_CLASS_PORT']}"
    try:
        _wait_for(url, process, tmp_path / "log")
        yield url
        process.send_signal(signal.SIGINT)
        process.wait(60)
        until_s = time.monotonic() + 30
        while (left := of_the_class(folder)) and time.monotonic() < until_s:
            time.sleep(0.2)
        assert not left, f"left behind: {left}"
    finally:
        print((tmp_path / "log").read_text()[-6000:])
        process.kill()
        for one in of_the_class(folder):
            one.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until_s = time.monotonic() + 60
    while time.monotonic() < until_s and process.poll() is None:
        try:
            if httpx.get(f"{url}/hub/login").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.3)
    raise AssertionError(log.read_text()[-3000:])


class Student:
    """Somebody with a browser: logs in, has a server started, and runs cells in its kernel."""

    def __init__(self, hub: str, name: str) -> None:
        self.hub, self.name = hub, name
        self.browser = httpx.Client(base_url=hub, follow_redirects=True, timeout=60)
        self.browser.get("/hub/login")
        form = {"username": name, "password": PASSWORD, "_xsrf": self._xsrf()}
        entered = self.browser.post("/hub/login", data=form, follow_redirects=False)
        assert entered.status_code == 302, entered.text
        made = self.browser.post(
            f"/hub/api/users/{name}/tokens", headers={"X-XSRFToken": self._xsrf()}, json={}
        )
        made.raise_for_status()
        self.key = {"Authorization": f"token {made.json()['token']}"}
        self.began_s = time.monotonic()
        asked = self.browser.post(f"/hub/api/users/{name}/server", headers=self.key)
        assert asked.status_code in (201, 202), asked.text

    def _xsrf(self) -> str:
        return next(one.value or "" for one in self.browser.cookies.jar if one.name == "_xsrf")

    def server(self) -> None:
        """Wait for it."""
        until_s = time.monotonic() + 300
        while time.monotonic() < until_s:
            told = self.browser.get(f"/hub/api/users/{self.name}", headers=self.key).json()
            if told["servers"].get("", {}).get("ready"):
                return
            time.sleep(0.5)
        raise AssertionError(f"{self.name} has no server after 300 s")

    def api(self, method: str, path: str, **more: Any) -> Any:
        answer = self.browser.request(
            method, f"/user/{self.name}/api/{path}", headers=self.key, **more
        )
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def does(self, notebook: str) -> str:
        """All code cells; what the last one printed. Raises AssertionError when a cell fails."""
        import websocket

        cells = self.api("GET", f"contents/{notebook}")["content"]["cells"]
        kernel = self.api("POST", "kernels", json={"name": "python3"})["id"]
        place = f"{self.hub.replace('http', 'ws', 1)}/user/{self.name}/api/kernels/{kernel}"
        channel = websocket.create_connection(
            f"{place}/channels", header=[f"{k}: {v}" for k, v in self.key.items()], timeout=CELL_S
        )
        try:
            said = ""
            for cell in cells:
                if cell["cell_type"] == "code":
                    said = self._runs(channel, cell["source"])
            return said
        finally:
            channel.close()
            self.api("DELETE", f"kernels/{kernel}")

    def _runs(self, channel: Any, code: str) -> str:
        number, said = uuid.uuid4().hex, ""
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        header = {"msg_id": number, "msg_type": "execute_request", "version": "5.3"}
        header |= {"username": self.name, "session": self.name}
        message = {"header": header, "parent_header": {}, "metadata": {}, "content": content}
        channel.send(json.dumps({**message, "channel": "shell", "buffers": []}))
        until_s = time.monotonic() + CELL_S
        while time.monotonic() < until_s:
            text = channel.recv()
            heard = json.loads(text) if isinstance(text, str) else {}
            if heard.get("parent_header", {}).get("msg_id") != number:
                continue
            kind, content = heard["msg_type"], heard["content"]
            if kind == "stream":
                said += content["text"]
            elif kind == "error":
                trace = "\n".join(content["traceback"])
                raise AssertionError(f"{self.name}: {code}\n{said}\n{trace}")
            elif kind == "status" and content["execution_state"] == "idle":
                return said
        raise AssertionError(f"{self.name}: not done after {CELL_S:.0f} s: {code}")


def contents(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path.relative_to(folder)): (path.lstat().st_size, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
    }


def test_five_students_do_lesson_0_at_once(hub: str) -> None:
    before = contents(cache_dir())
    with ThreadPoolExecutor(len(STUDENTS)) as pool:
        began_s = time.monotonic()
        students = list(pool.map(lambda name: Student(hub, name), STUDENTS))
        list(pool.map(Student.server, students))
        print(f"{len(STUDENTS)} servers after {time.monotonic() - began_s:.0f} s")
        hosts = list(pool.map(lambda one: one.api("GET", "contents")["content"], students))
        assert all(LESSON in {file["name"] for file in files} for files in hosts)
        began_s = time.monotonic()
        list(pool.map(lambda one: one.does(LESSON), students))
        print(f"lesson 0 by all of them: {time.monotonic() - began_s:.0f} s")
    assert contents(cache_dir()) == before, "somebody wrote into the cache of all"
    with pytest.raises(httpx.HTTPStatusError):  # by the hub one does not get at another's
        httpx.get(f"{hub}/user/bob/api/contents", headers=students[0].key).raise_for_status()
