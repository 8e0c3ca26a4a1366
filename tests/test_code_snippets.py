"""The code to copy: quoted for its language whatever the names are, and it does what it says."""

from __future__ import annotations

import ast
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
    resident = server.resident(MODEL)
    assert resident is not None
    assert resident.expires_in_s() == pytest.approx(540, abs=5)


def test_what_is_wrong_is_said() -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        snippets(MODEL, "5 minutes")
    with pytest.raises(ValueError, match="is not an address"):
        snippets(MODEL, "5m", url="localhost")
    assert KeepAlive("5m") == KeepAlive(300)
