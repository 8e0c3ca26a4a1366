"""AgentPanel with models of any kind: that think, that only embed, that run elsewhere."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from widget_parts import parts, shown, until

from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.sandbox.trouble import TEMPLATE, VARIABLE
from lifecycle_widgets.server import Server, ServerError
from lifecycle_widgets.widgets import AgentPanel
from lifecycle_widgets.widgets.run_status import RunStatus
from lifecycle_widgets.widgets.text_stream import FoldedText
from lifecycle_widgets.widgets.think_picker import ThinkPicker
from tests.recorded import SHOW, RecordedServer, chat, chunk, final, model, ollama, tags

SMALL, THINKER = "smollm2:135m", "thinker"
THOUGHT = "Let me <b>see</b>. Blue is scattered most, and violet is seen less."
TEXT = "Because of Rayleigh: the short waves go astray more than the long ones."
EMBEDDING = model("all-minilm", details={"family": "bert"})
CLOUD = model("big:cloud", remote_host="https://ollama.com:443", remote_model="big")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("thinking") / "trouble.json"


@pytest.fixture(scope="module")
def box(file: Path) -> Iterator[Sandbox]:
    """A real Ollama with a model that it knows to think; what it says is in `file`."""
    answer = {"thinking": THOUGHT, "text": TEXT}
    file.write_text(json.dumps({"script": [answer], "token_delay_s": 0.1}))
    with Sandbox(models=[SMALL], runner_env={VARIABLE: str(file)}) as started:
        Server(started.url).client.create(model=THINKER, from_=SMALL, template=TEMPLATE)
        yield started


@pytest.fixture
def panel(box: Sandbox, shut: Callable[[Any], Any]) -> AgentPanel:
    return shut(AgentPanel(box, model=THINKER, prompt="Why is the sky blue?"))  # type: ignore[no-any-return]


@pytest.fixture
def recorded() -> Iterator[RecordedServer]:
    """A server that has a model of each kind."""

    def show(request: Any) -> Any:
        embeds = "minilm" in str(request.json)
        return SHOW | {"capabilities": ["embedding"] if embeds else ["completion"]}

    listed = tags(model(), EMBEDDING, CLOUD)
    with RecordedServer(ollama(tags=listed, show=show, ps={"models": []})) as server:
        yield server


def thoughts(panel: AgentPanel) -> FoldedText:
    [found] = parts(panel, FoldedText)
    return found  # type: ignore[no-any-return]


def picker(panel: AgentPanel) -> ThinkPicker:
    [found] = parts(panel, ThinkPicker)
    return found  # type: ignore[no-any-return]


# --- thinking -----------------------------------------------------------------------------------


def test_thinking_streams_apart_under_a_title_that_follows(panel: AgentPanel) -> None:
    states: list[str] = []
    titles: list[str] = []
    pieces: list[str] = []
    parts(panel, RunStatus)[0].observe(lambda change: states.append(change["new"]), "value")
    thoughts(panel).observe(lambda change: titles.append(change["new"]), "title")
    panel.observe(lambda change: pieces.append(change["new"]), "thinking")
    run = panel.start().wait(60)
    assert (run.thinking.strip(), run.answer) == (THOUGHT, TEXT)
    assert (panel.thinking, panel.answer) == (run.thinking, TEXT)
    assert len(pieces) > 3, "it did not stream"
    assert thoughts(panel)._saved == run.thinking
    first = [
        next(i for i, s in enumerate(states) if word in s) for word in ("thinking…", "streaming…")
    ]
    assert first == sorted(first)
    assert not any("reading the prompt" in s for s in states[first[0] :])
    assert 1 <= len(titles) <= 2, "when text comes, and at the end"
    assert all(title.startswith("Thought for ") for title in titles)
    assert thoughts(panel).title == titles[-1]
    assert "tokens" not in titles[-1], "how many of them is not told"
    for piece in ("TTFT", "thinking", "first text"):
        assert piece in shown(panel)
    assert "<b>see" not in shown(panel)
    panel.start().stop()
    assert panel.wait(60).stopped
    assert panel.answer == "", "the next run begins anew"


def test_only_thought(box: Sandbox, panel: AgentPanel) -> None:
    answer = chat(chunk(thinking="hm"), final(done_reason="length"))
    with RecordedServer(ollama(chat=answer)) as recorded:
        panel.server, panel.model = recorded.url, "tiny:1b"
        run = panel.start().wait(20)
        assert run.note == "It only thought: raise num_predict or set think=False."
        assert run.note in shown(panel)
        assert "There was no text" not in shown(panel)
        assert thoughts(panel).title.endswith(", 8 tokens")


# --- the choice -----------------------------------------------------------------------------------


def test_the_choice_is_there_for_a_model_that_can(panel: AgentPanel) -> None:
    until(lambda: picker(panel).layout.display is None, 10)
    assert picker(panel).value == "think: its default"
    picker(panel).value = "think: off"
    assert panel.think is False
    panel.think = "low"
    assert picker(panel).value == "think: low"
    assert panel.start().wait(60).think == "low"
    panel.model = SMALL
    time.sleep(0.5)
    assert picker(panel).layout.display is None, "what is chosen can be taken back"
    with pytest.raises(ServerError, match="does not support thinking"):
        panel.start().wait(60)
    assert "It cannot think" in shown(panel)
    picker(panel).value = "think: its default"
    assert picker(panel).layout.display == "none"
    assert panel.start().wait(60).think is None


def test_what_is_wrong_is_refused(panel: AgentPanel, box: Sandbox) -> None:
    with pytest.raises(ValueError, match="think is 'yes'"):
        panel.think = "yes"
    with pytest.raises(ValueError, match="'think' means nothing in options: give it as think="):
        panel.options = {"think": False}
    with pytest.raises(ValueError, match="'keep_alive' means nothing in options"):
        AgentPanel(box, model=THINKER, options={"keep_alive": "5m"})
    assert (panel.think, panel.options) == (None, {})


# --- other kinds ----------------------------------------------------------------------------------


def test_a_model_that_only_embeds_is_told_before_it_is_asked(
    recorded: RecordedServer, shut: Callable[[Any], Any]
) -> None:
    panel = shut(AgentPanel(recorded.url, model="all-minilm"))
    until(lambda: "only makes embeddings" in shown(panel), 10)
    with pytest.raises(ValueError, match=r"cannot answer a prompt\. Choose a model that can chat"):
        panel.start()
    assert recorded.asked("/api/chat") == []
    panel.model = "tiny:1b"
    assert panel.start().wait(20).answer == "Hello"
    assert panel.error == ""
    assert "embeddings" not in shown(panel)


def test_a_cloud_model_says_where_prompts_go(
    recorded: RecordedServer, shut: Callable[[Any], Any]
) -> None:
    told = {"remote_host": "https://ollama.com:443", "remote_model": "big"}
    recorded.routes["/api/chat"] = chat({**chunk("Hello"), **told}, {**final(), **told})
    panel = shut(AgentPanel(recorded.url, model="big:cloud", keep_alive="5m"))
    until(lambda: "prompts leave the machine" in shown(panel), 10)
    assert "ollama.com" in shown(panel)
    assert "keep_alive means nothing" in shown(panel)
    run = panel.start().wait(20)
    assert (run.answer, run.was_resident) == ("Hello", None)
    assert "it ran on ollama.com" in shown(panel)
    assert "cold" not in re.sub("<[^>]*>", "", shown(panel))  # what words mean aside


def test_a_server_that_does_not_tell_is_asked_all_the_same(
    shut: Callable[[Any], Any],
) -> None:
    with RecordedServer({"/api/chat": chat(chunk("Hello"), final())}) as recorded:
        panel = shut(AgentPanel(recorded.url, model="tiny:1b"))
        assert panel.start().wait(20).answer == "Hello"
        assert picker(panel).layout.display == "none"


def test_an_address_is_a_server_too(box: Sandbox, panel: AgentPanel) -> None:
    panel.server = box.url
    assert panel.start().wait(60).server_url == box.url
    panel.server = box
    assert panel.start().wait(60).server_url == box.url
