"""The settings of an AgentPanel: a field and its trait are two views of one value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from widget_parts import parts, shown, until

from lifecycle_widgets import KeepAlive, Run, Server, Step, Timings
from lifecycle_widgets.server import Resident
from lifecycle_widgets.widgets import AgentPanel
from lifecycle_widgets.widgets.agent_panel.reload import reload_text
from lifecycle_widgets.widgets.agent_panel.settings import Settings
from tests.griptape_tools import clock

NOBODY = "localhost:1"
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
ONE = "smollm2:135m"


@pytest.fixture
def panel(shut: Callable[[Any], Any]) -> AgentPanel:
    return shut(AgentPanel(NOBODY, model=ONE))  # type: ignore[no-any-return]


def settings(panel: AgentPanel) -> Settings:
    [found] = parts(panel, Settings)
    return found  # type: ignore[no-any-return]


def check(panel: AgentPanel, name: str) -> Any:
    checks = [part for part in parts(settings(panel)) if getattr(part, "description", "") == name]
    assert len(checks) == 1
    return checks[0]


# --- the options ----------------------------------------------------------------------------------


def test_a_field_and_its_option_are_one_value(panel: AgentPanel) -> None:
    field = settings(panel).field
    field("temperature").value = "0.7"
    field("num_ctx").value = " 8192 "
    assert panel.options == {"temperature": 0.7, "num_ctx": 8192}
    panel.options = {"seed": 1, "top_k": 5}
    assert [field(n).value for n in ("temperature", "num_ctx", "seed")] == ["", "", "1"]
    field("seed").value = ""
    assert panel.options == {"top_k": 5}, "an empty field is not sent; what has none stays"
    assert "top_k 5" in shown(panel)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("temperature", "warm", "such as 0.7, 0 or more"),
        ("temperature", "-1", "such as 0.7"),
        ("temperature", "inf", "such as 0.7"),
        ("seed", "1.5", "a whole number"),
        ("num_ctx", "8k", "such as 8192"),
        ("num_ctx", "2", "such as 8192"),
        ("num_predict", "-3", "such as 200, or -1"),
    ],
)
def test_a_wrong_number_is_a_sentence_and_blocks_the_run(
    panel: AgentPanel, name: str, text: str, words: str
) -> None:
    panel.options = {name: 42}
    field = settings(panel).field(name)
    field.value = text
    assert panel.options == {name: 42}, "it stays as it was"
    assert words in shown(panel)
    with pytest.raises(ValueError, match=f"{name} is"):
        panel.start()
    assert shown(panel).count(words) == 1, "it is said once"
    field.value = ""
    assert panel.error == ""
    assert words not in shown(panel)
    assert panel.options == {}


def test_setting_the_options_mends_what_was_typed(panel: AgentPanel) -> None:
    field = settings(panel).field("seed")
    field.value = "x"
    panel.options = {"num_predict": 5}
    assert (settings(panel).error, field.value) == ("", "")
    with pytest.raises(ValueError, match="means nothing"):
        panel.options = {"think": True}


# --- rules, tools, memory, Markdown ---------------------------------------------------------------


def test_rules_are_lines(panel: AgentPanel) -> None:
    rules = check(panel, "rules")
    rules.value = "Be brief.\n\n  No lists. "
    assert panel.rules == ("Be brief.", "No lists.")
    assert rules.value.endswith("\n\n  No lists. "), "what is typed stays as it is"
    panel.rules = ["Rhyme."]
    assert rules.value == "Rhyme."
    assert "1 rule" in shown(panel)


def test_each_tool_has_a_check(panel: AgentPanel) -> None:
    one, other = clock(), clock(1.0)
    other.name = "Slow"
    panel.tools = [one, other]
    assert "tools Clock, Slow" in shown(panel)
    check(panel, "Slow").value = False
    assert panel.tools == (one,)
    check(panel, "Clock").value = False
    assert panel.tools == ()
    assert "tools off" in shown(panel)
    panel.tools = [other]
    assert (check(panel, "Clock").value, check(panel, "Slow").value) == (False, True)


def test_memory_can_be_switched_off_and_on_again(panel: AgentPanel) -> None:
    from lifecycle_widgets.agent import new_memory

    assert (panel.memory, check(panel, "memory").value) == (True, True)
    panel.memory = own = new_memory()
    check(panel, "memory").value = False
    assert panel.memory is None
    assert "no memory" in shown(panel)
    check(panel, "memory").value = True
    assert panel.memory is own
    panel.memory = False
    assert (panel.memory, check(panel, "memory").value) == (None, False)
    check(panel, "memory").value = True
    assert panel.memory is own
    with pytest.raises(Exception, match="ConversationMemory"):
        panel.memory = "yes"


def test_markdown_is_a_trait(panel: AgentPanel) -> None:
    check(panel, "Markdown").value = False
    assert panel.markdown is False
    assert "plain text" in shown(panel)


# --- hold -----------------------------------------------------------------------------------------

HELD = "Held between its steps; keep_alive 0 applies when the last step has ended."


def test_a_hold_is_said_where_there_will_be_one(panel: AgentPanel) -> None:
    assert check(panel, "hold").layout.display == "none"
    panel.keep_alive = 0
    assert "Held" not in shown(panel), "one request needs none"
    panel.tools = [clock()]
    assert HELD in shown(panel)
    assert check(panel, "hold").layout.display is None
    check(panel, "hold").value = False
    assert panel.hold is False
    assert "Held" not in shown(panel)
    assert "not held" in shown(panel)
    check(panel, "hold").value = True
    assert panel.hold is None, "left to the run"
    panel.keep_alive = "5m"
    assert "Held" not in shown(panel)
    assert check(panel, "hold").layout.display == "none"
    panel.keep_alive = 0
    check(panel, "Clock").value = False
    assert "Held" not in shown(panel)


# --- a reload -------------------------------------------------------------------------------------


def run(options: dict[str, Any], context: int | None = None) -> Run:
    asked = ONE, KeepAlive(None), "Hi", "Hello", NOON, Timings(1.0)
    return Run(*asked, (Step(0.0, Timings(1.0)),), options=options, context_length=context)


def in_memory(context: int | None = 4096) -> Resident:
    return Resident(ONE, None, context_length=context)


@pytest.mark.parametrize(
    ("options", "resident", "runs", "name"),
    [
        ({"num_ctx": 2048}, in_memory(), [], "num_ctx"),
        ({"num_ctx": 4096}, in_memory(), [], ""),
        ({"num_ctx": 2048}, None, [], ""),
        ({"num_ctx": 2048}, in_memory(None), [], ""),
        ({}, in_memory(), [], ""),
        ({}, in_memory(2048), [run({}, 4096), run({"num_ctx": 2048}, 2048)], "num_ctx"),
        ({}, in_memory(4096), [run({}, 4096)], ""),
        ({"num_ctx": 99_999}, in_memory(8192), [], ""),  # Ollama takes no more than it was made for
        ({"num_thread": 1}, in_memory(), [run({})], "num_thread"),
        ({}, in_memory(), [run({"num_batch": 8})], "num_batch"),
        ({"num_thread": 1}, in_memory(), [], ""),  # nobody knows what it is in memory with
        ({"temperature": 1}, in_memory(), [run({})], ""),
    ],
)
def test_a_reload_is_foretold_where_it_is_known(
    options: dict[str, Any], resident: Resident | None, runs: list[Run], name: str
) -> None:
    text = reload_text(options, resident, runs, trained_context=8192)
    sentence = "is not the one that the model is in memory with: the next run will load it anew."
    assert text == (f"This {name} {sentence}" if name else "")


def test_the_panel_foretells_it_and_it_happens(server: Server, shut: Callable[[Any], Any]) -> None:
    panel = shut(AgentPanel(server, model=ONE, keep_alive="1m", options={"num_predict": 2}))
    panel.start().wait(60)
    assert "anew" not in shown(panel)
    settings(panel).field("num_ctx").value = "2048"
    until(lambda: "This num_ctx is not the one" in shown(panel), 10)
    assert shown(panel).count("load it anew") == 1
    assert panel.start().wait(60).heat == "in memory, but loaded anew: other options"
    until(lambda: "the next run will load it anew" not in shown(panel), 10)
    settings(panel).field("num_ctx").value = ""
    until(lambda: "This num_ctx is not the one" in shown(panel), 10)
    server.unload(ONE)
    panel.options = {"num_predict": 3}
    until(lambda: "the next run will load it anew" not in shown(panel), 10)
