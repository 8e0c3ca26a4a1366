"""The code to copy: quoted for its language whatever the names are, and it does what it says."""

from __future__ import annotations

import ast
import base64
import json
import shlex
import subprocess

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lifecycle_widgets.code_snippets import snippets
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.cases.case_tools import wait_until
from tests.recorded import RecordedServer, ollama

MODEL = "smollm2:135m"


@given(st.text(min_size=1).filter(lambda t: "\0" not in t and t.isprintable()))
@example('it\'s a "model"\\')
@example("$(touch /tmp/x)`id`;rm -rf")
def test_a_name_is_text_in_every_language(name: str) -> None:
    code = snippets(name, "90s")
    [driver] = [
        node
        for node in ast.walk(ast.parse(code["griptape"]))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "OllamaPromptDriver"
    ]
    arguments = {k.arg: ast.literal_eval(k.value) for k in driver.keywords}
    assert arguments == {"model": name, "extra_params": {"keep_alive": 90}}
    words = shlex.split(code["curl"])
    assert words[0] == "curl"
    asked = json.loads(words[words.index("--data") + 1])
    assert asked["model"] == name
    assert asked["keep_alive"] == 90


def test_the_server_default_is_sent_nowhere() -> None:
    code = snippets(MODEL, None)
    assert "keep_alive" not in code["griptape"] + code["curl"]
    assert code["server"].endswith("unset OLLAMA_KEEP_ALIVE")


@pytest.mark.parametrize(
    ("keep_alive", "kind"), [("5m", 300), ("1h30m", 5400), ("forever", None), (1.5, 1.5), (0, 0)]
)
def test_the_servers_line_does_what_it_says(keep_alive: str | float, kind: float | None) -> None:
    line = snippets(MODEL, keep_alive)["server"]
    command = ["sh", "-c", f'{line}\nprintf %s "$OLLAMA_KEEP_ALIVE"']
    value = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    with Sandbox(models=[MODEL], OLLAMA_KEEP_ALIVE=value) as own:
        server = Server(own.url)
        server.client.generate(model=MODEL, prompt="Hi", options={"num_predict": 1})
        resident = server.resident(MODEL)
        if kind is None:
            assert resident is not None
            assert resident.is_forever
        elif kind > 2:
            assert resident is not None
            assert resident.expires_in_s() == pytest.approx(kind, abs=3)
        else:
            assert resident is None or resident.expires_in_s() <= kind


def test_the_other_two_do_what_they_say(server: Server) -> None:
    code = snippets(MODEL, "7m", url=server.url)
    reply = subprocess.run(["sh", "-c", f"{code['curl']} -s"], capture_output=True, text=True)
    assert json.loads(reply.stdout)["done"], reply.stderr
    resident = server.resident(MODEL)
    assert resident is not None
    assert resident.expires_in_s() == pytest.approx(420, abs=5)
    names: dict[str, object] = {}
    exec(snippets(MODEL, "9m", url=server.url)["griptape"], names)
    names["agent"].run("Say hello.")  # type: ignore[attr-defined]
    # Ollama sets the deadline of who is in memory already a moment after its answer
    wait_until(lambda: server.resident(MODEL).expires_in_s() == pytest.approx(540, abs=5), "9m", 5)


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        snippets(MODEL, "5 minutes")
    with pytest.raises(ValueError, match="is not an address"):
        snippets(MODEL, "5m", url="localhost")
    assert KeepAlive("5m") == KeepAlive(300)


SECRET = "Sw0rdf1sh"


@pytest.mark.parametrize(
    "url",
    [
        f"https://ann:{SECRET}@ollama.example:8443/lab/",
        f"http://{SECRET}@ollama.example",
        f"https://ann:p@{SECRET}@ollama.example/lab",
        f"https://ann:p/{SECRET}@ollama.example",
        f"https://ollama.example/lab?key={SECRET}",
    ],
)
def test_a_secret_in_the_address_is_never_shown(url: str) -> None:
    code = snippets(MODEL, "5m", url=url)
    assert SECRET not in str(code)
    assert "ollama.example" in code["curl"]
    ast.parse(code["griptape"])
    with pytest.raises(ValueError, match="is not an address") as wrong:
        snippets(MODEL, "5m", url=url.partition("://")[2])
    assert SECRET not in str(wrong.value)


def test_a_key_in_the_environment_is_read_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "OLLAMA_API_KEY" not in str(snippets(MODEL, "5m"))
    monkeypatch.setenv("OLLAMA_API_KEY", SECRET)
    for code in (snippets(MODEL, "5m"), snippets(MODEL, "5m", secret="key")):
        assert SECRET not in str(code)
        assert "OLLAMA_API_KEY" in code["griptape"]
        assert '--header "Authorization: Bearer $OLLAMA_API_KEY"' in code["curl"]


@pytest.mark.parametrize("secret", ["key", "user"])
def test_the_code_gets_in_where_a_secret_is_wanted(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below a prefix, as behind a reverse proxy."""
    name, value = {"key": ("OLLAMA_API_KEY", SECRET), "user": ("OLLAMA_USER", f"ann:{SECRET}")}[
        secret
    ]
    monkeypatch.setenv(name, value)
    basic = base64.b64encode(value.encode()).decode()
    wanted = f"Bearer {value}" if secret == "key" else f"Basic {basic}"
    routes = {f"/lab{path}": answer for path, answer in ollama().items()}
    with RecordedServer(routes, needs={"Authorization": wanted}) as recorded:
        code = snippets("tiny:1b", "5m", url=f"{recorded.url}/lab", secret=secret, think=True)
        done = subprocess.run(["sh", "-c", f"{code['curl']} -s"], capture_output=True, text=True)
        assert json.loads(done.stdout)["done"], done.stderr
        names: dict[str, object] = {}
        exec(code["griptape"], names)
        names["agent"].run("Say hello.")  # type: ignore[attr-defined]
        [by_curl] = recorded.asked("/lab/api/generate")
        [by_griptape] = recorded.asked("/lab/api/chat")
    assert by_curl.json["think"] is by_griptape.json["think"] is True
    assert by_curl.json["keep_alive"] == by_griptape.json["keep_alive"] == 300


@pytest.mark.parametrize("think", [True, False, "low"])
def test_think_is_sent_when_it_is_chosen(think: bool | str) -> None:
    code = snippets(MODEL, None, think=think)
    words = shlex.split(code["curl"])
    assert json.loads(words[words.index("--data") + 1])["think"] == think
    [driver] = [
        node
        for node in ast.walk(ast.parse(code["griptape"]))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "OllamaPromptDriver"
    ]
    assert {k.arg: ast.literal_eval(k.value) for k in driver.keywords}["extra_params"] == {
        "think": think
    }
    assert "think" not in str(snippets(MODEL, None))
