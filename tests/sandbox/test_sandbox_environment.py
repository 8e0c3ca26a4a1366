"""What a person has in their environment for other purposes does not disturb a sandbox."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sandbox_tools import ask, generate, run_python

from lifecycle_widgets.sandbox import Sandbox

NOWHERE = "http://127.0.0.1:9"
PROXIES = {
    name: value
    for variable, value in (
        ("HTTP_PROXY", NOWHERE),
        ("HTTPS_PROXY", NOWHERE),
        ("ALL_PROXY", "socks5://127.0.0.1:9"),
        ("NO_PROXY", "intranet.invalid"),
    )
    for name in (variable, variable.lower())
}
OTHER_FORMS = {
    "no scheme": {"http_proxy": "127.0.0.1:9", "all_proxy": "127.0.0.1:9"},
    "no address at all": {"http_proxy": "http://[", "ALL_PROXY": "socks9://:x"},
    "empty": {"HTTP_PROXY": "", "NO_PROXY": "::1/128, ,*.local"},
}
OLLAMAS = {
    "OLLAMA_HOST": "https://somewhere.invalid/v1",
    "OLLAMA_API_KEY": "k",
    "OLLAMA_MODELS": "/no/such/folder",
    "OLLAMA_KEEP_ALIVE": "0",
    "OLLAMA_MAX_LOADED_MODELS": "none",
    "OLLAMA_LLM_LIBRARY": "cuda_v99",
    "OLLAMA_TMPDIR": "/no/such/folder",
    "OLLAMA_ORIGINS": "nobody",
    "OLLAMA_NEW_ENGINE": "1",
    "LLAMA_ARG_MODEL": "/no/such/file",
}


@pytest.mark.parametrize("form", ["as documented", *OTHER_FORMS])
def test_a_proxy_that_is_dead_is_not_asked(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by us on the way to Ollama, nor by Ollama on the way to its runner."""
    for name, value in OTHER_FORMS.get(form, PROXIES).items():
        monkeypatch.setenv(name, value)
    with Sandbox(models=["smollm2:135m"]) as sandbox:
        for name in (*PROXIES, *OTHER_FORMS.get(form, {})):
            monkeypatch.delenv(name, raising=False)  # `generate` asks with urllib
        assert generate(sandbox.url)["done"]


def test_settings_of_a_persons_own_ollama_are_not_its(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in OLLAMAS.items():
        monkeypatch.setenv(name, value)
    with Sandbox(models=["smollm2:135m"]) as sandbox:
        assert generate(sandbox.url)["done"]
        resident = ask(sandbox.url, "/api/ps")["models"][0]
        assert resident["name"] == "smollm2:135m"  # for five minutes, not for 0
        assert "OLLAMA_KEEP_ALIVE:5m0s" in sandbox.log_path.read_text()


def test_found_and_used_behind_a_dead_proxy_with_a_key() -> None:
    """The whole way: found, watched, and run by an agent."""
    code = """
import lifecycle_widgets as lw
with lw.Sandbox(models=["smollm2:135m"]) as sandbox:
    server = lw.Server(sandbox.url)
    few = {"num_predict": 8}
    run = lw.run_agent("Name a river.", model="smollm2:135m", server=server, options=few)
    print("answered" if run.answer and run.error is None else run)
"""
    done = run_python(code, **PROXIES, OLLAMA_API_KEY="k")
    assert done.stdout.strip().endswith("answered"), done.stdout + done.stderr


def test_what_is_downloaded_goes_the_persons_way(tmp_path: Path) -> None:
    """pip keeps the proxies as they are set."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    code = f"""
from pathlib import Path
from lifecycle_widgets.sandbox.toolchain import pip
place = Path({str(tmp_path)!r})
index = ["--index-url", "http://packages.invalid/simple", "--trusted-host", "packages.invalid"]
pip(["download", "--no-deps", "--retries", "0", "-d", str(place), *index, "six"], place, [])
"""
    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{proxy.server_port}"
        run_python(code, HTTP_PROXY=url, http_proxy=url, NO_PROXY=None, no_proxy=None)
        proxy.shutdown()
    assert asked == ["http://packages.invalid/simple/six/"]
