"""The program that is copied sends what our run sends, to the last value."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.griptape_code import griptape_code
from tests.griptape_tools import CLOCK
from tests.recorded import RecordedServer, ollama
from tests.scripted import SCRIPTED, SMALL, Script

HOSTILE = (
    'It\'s {{ 1 + 1 }} {% if "x" %} {# \'\'\'"""\n\\n \\ {0} %s $HOME `id`\r\n\t🙂 世\u202e\x07'
)


def bodies(recorded: RecordedServer) -> list[Any]:
    """What has been asked since the last look."""
    asked = [request.json for request in recorded.asked("/api/chat")]
    recorded.requests.clear()
    return asked


def both(recorded: RecordedServer, prompt: str, **chosen: Any) -> tuple[list[Any], list[Any]]:
    """What our run sends, and what the program sends."""
    run_agent(prompt, server=recorded.url, hold=False, **chosen)
    ours = bodies(recorded)
    exec(griptape_code(url=recorded.url, prompt=prompt, **chosen), {})
    return ours, bodies(recorded)


CHOICES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "unload at once": {"keep_alive": 0},
    "a fraction": {"keep_alive": 1.5},
    "a duration": {"keep_alive": "5m"},
    "forever": {"keep_alive": "forever"},
    "options": {"options": {"temperature": 0.7, "seed": 3, "num_ctx": 1024, "stop": ["\n", '"']}},
    "rules": {"rules": ["Answer in one word.", HOSTILE]},
    "history": {"history": [("My name is Ada.", "Hello, Ada."), (HOSTILE, "long " * 3000)]},
    "all": {"keep_alive": "1m", "rules": ["Be brief."], "history": [(HOSTILE, HOSTILE)]},
}


@pytest.mark.parametrize("name", CHOICES)
def test_what_is_chosen(name: str, recorded: RecordedServer, script: Script) -> None:
    script({"text": "Yes."})
    [ours], [theirs] = both(recorded, "Is it? " + HOSTILE, model=SMALL, **CHOICES[name])
    assert theirs == ours
    assert ours["messages"][-1]["content"] == "Is it? " + HOSTILE


@pytest.mark.parametrize("think", [True, False, "low"])
def test_think(think: Any, recorded: RecordedServer, script: Script) -> None:
    script({"thinking": "Hm.", "text": "Yes."})
    [ours], [theirs] = both(recorded, "Is it?", model=SCRIPTED, think=think)
    assert theirs == ours
    assert ours["think"] == think


def test_a_loop_of_tools(recorded: RecordedServer, script: Script, clock_of_a_module: Any) -> None:
    script({"text": "Let me see.", "tool_calls": [CLOCK]}, {"text": "It is noon."})
    chosen = {"model": SCRIPTED, "keep_alive": "1m", "rules": ["Be brief."]}
    ours, theirs = both(recorded, "Time?", tools=[clock_of_a_module], **chosen)
    assert len(ours) == 2
    assert theirs == ours


def test_a_model_of_any_name() -> None:
    with RecordedServer(ollama()) as recorded:
        [ours], [theirs] = both(recorded, "Hi", model=HOSTILE)
    assert theirs == ours
    assert ours["model"] == HOSTILE


# --- as a program --------------------------------------------------------------------------------


def program(code: str) -> subprocess.CompletedProcess[str]:
    """Run it as a person does."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_it_prints_what_comes(recorded: RecordedServer, script: Script) -> None:
    script({"text": "It is\nnoon. 🙂"})
    done = program(griptape_code(model=SMALL, url=recorded.url, prompt="Time?", keep_alive=0))
    assert done.returncode == 0, done.stderr
    assert done.stdout == "It is\nnoon. 🙂\n"


def test_an_error_ends_it_and_is_shown() -> None:
    """Stream(agent) would end without a word, or never."""
    with RecordedServer(ollama()) as recorded:
        gone = recorded.url
    done = program(griptape_code(model="tiny:1b", url=gone, prompt="{% if"))
    assert done.returncode == 1
    assert done.stderr.rstrip().splitlines()[-1].startswith("httpx.ConnectError")
