"""AgentPanel as a conversation: turns stay, griptape's memory has them, and it can be cleared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from widget_parts import button, parts, shown, until

from lifecycle_widgets import KeepAlive, Run, Server, Timings, TuningLab, UnknownModel
from lifecycle_widgets.agent import new_memory
from lifecycle_widgets.widgets import AgentPanel
from lifecycle_widgets.widgets.agent_panel.conversation import MOST_TURNS, Conversation
from lifecycle_widgets.widgets.agent_panel.turn import Turn
from tests.scripted import SCRIPTED, Script, box, file, script

__all__ = ["box", "file", "script"]
NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
MARKDOWN = "It is **blue**, [see](javascript:alert(1)) <b>"


@pytest.fixture
def panel(box: Any, script: Script, shut: Callable[[Any], Any]) -> AgentPanel:
    """A panel on a model that answers "First.", then "Second." and so on."""
    script(*({"thinking": f"Hm {n}.", "text": f"Answer {n}, **bold**."} for n in range(1, 4)))
    return shut(AgentPanel(box.url, model=SCRIPTED, keep_alive="1m", prompt="One?"))  # type: ignore[no-any-return]


def turns(panel: AgentPanel) -> list[dict[str, Any]]:
    """What each turn shows by itself: of the last one the question, others show the rest."""
    return [turn._told for turn in parts(panel, Turn)]


def remembered(panel: AgentPanel) -> list[tuple[str, str]]:
    return [(r.input.value, r.output.value) for r in panel.memory.runs]


def test_turns_stay_and_are_sent(panel: AgentPanel) -> None:
    first = panel.start().wait(60)
    assert (first.history, first.answer) == ((), "Answer 1, **bold**.")
    [turn] = turns(panel)
    assert (turn["question"], turn.get("answer")) == ("One?", None), "it is where it streamed"
    assert panel.prompt == "One?", "it stays, to be asked again"
    panel.prompt = "Two?"
    second = panel.start().wait(60)
    assert second.history == (("One?", first.answer),)
    assert [turn["question"] for turn in turns(panel)] == ["One?", "Two?"]
    past, live = turns(panel)
    assert past["answer"] == first.answer
    assert "<strong>bold</strong>" in past["html"]
    assert past["thinking"].strip() == "Hm 1."
    assert past["thought"].startswith("Thought for ")
    assert past["short"].startswith("done after ")
    assert "lw-bar" in past["split"]
    assert live.get("answer") is None
    assert (panel.answer, panel.thinking.strip()) == ("Answer 2, **bold**.", "Hm 2.")
    assert "<strong>bold</strong>" in panel._parts.talk.stream._html
    assert remembered(panel) == [("One?", first.answer), ("Two?", second.answer)]


def test_clearing_forgets(panel: AgentPanel) -> None:
    assert button(panel, "Clear").layout.display == "none", "there is nothing to clear"
    panel.start().wait(60)
    assert button(panel, "Clear").layout.display is None
    kept = panel.runs
    button(panel, "Clear").click()
    assert turns(panel) == []
    assert (panel.answer, panel.thinking, remembered(panel)) == ("", "", [])
    assert panel.runs == kept, "they were not taken back"
    assert "The answer appears here" in shown(panel)
    assert "lw-bar" not in shown(panel)
    assert panel.start().wait(60).history == ()


def test_a_prompt_by_itself(panel: AgentPanel) -> None:
    panel.start().wait(60)
    panel.prompt = "Alone?"
    assert panel.start(remember=False).wait(60).history == ()
    assert turns(panel)[-1]["aside"].startswith("by itself")
    assert [asked for asked, _ in remembered(panel)] == ["One?"]
    panel.memory = None
    assert panel.start().wait(60).history == ()
    assert len(turns(panel)) == 3


def test_a_memory_of_ones_own(box: Any, script: Script, shut: Callable[[Any], Any]) -> None:
    script({"text": "Hello."})
    own = new_memory()
    panel = shut(AgentPanel(box.url, model=SCRIPTED, prompt="Hi", memory=own))
    panel.start().wait(60)
    assert panel.memory is own
    assert len(own.runs) == 1
    panel.clear()
    assert own.runs == []


def test_what_was_stopped_or_failed_is_shown_as_such_and_not_remembered(
    panel: AgentPanel, script: Script
) -> None:
    script({"text": " ".join(map(str, range(400)))}, token_delay_s=0.05)
    panel.keep_alive = 0  # the script is read when the model is loaded
    panel.start()
    until(lambda: panel.answer, 30)
    with pytest.raises(RuntimeError, match="A run is going on"):
        panel.clear()
    panel.stop()
    assert panel.wait(30).stopped
    script({"text": "Fine."})
    panel.model = "nobody"
    with pytest.raises(UnknownModel):
        panel.start().wait(60)
    panel.model = SCRIPTED
    good = panel.start().wait(60)
    assert good.history == ()
    stopped, failed, _ = turns(panel)
    assert stopped["said"].startswith("Stopped: this is what had come")
    assert stopped["short"].startswith("stopped after")
    assert "'nobody' is not installed" in failed["said"]
    assert failed["split"] == ""
    assert remembered(panel) == [("One?", "Fine.")]


def test_plain_text_and_markdown(panel: AgentPanel, script: Script) -> None:
    script({"text": MARKDOWN})
    panel.markdown = False
    panel.start().wait(60)
    assert panel._parts.talk.stream._html == ""
    panel.markdown = True
    panel.start().wait(60)
    assert turns(panel)[0]["html"] == "", "a turn stays as it was"
    html = panel._parts.talk.stream._html
    assert "<strong>blue</strong>" in html
    assert "<b>" not in html
    assert "href" not in html
    panel.start().stop()
    panel.wait(30)
    assert panel._parts.talk.stream._html == "", "the next answer begins as text"


def test_the_code_of_the_last_run(panel: AgentPanel) -> None:
    code = panel._parts.code
    assert panel._parts.open_code.layout.display == "none", "there is no run yet"
    panel.rules, panel.options = ("Be brief.",), {"num_predict": 9}
    panel.start().wait(60)
    assert panel._parts.open_code.layout.display is None
    for piece in (SCRIPTED, '"keep_alive": 60', "Be brief.", "num_predict", '"One?"', "Agent("):
        assert piece in code.text
    compile(code.text, "copied", "exec")
    panel.prompt = "Two?"
    panel.start().wait(60)
    assert "Answer 1" in code.text, "the turns before it are part of it"


def test_the_runs_of_a_lab_stand_for_themselves(server: Server, shut: Callable[[Any], Any]) -> None:
    lab = shut(TuningLab(server, model="smollm2:135m"))
    lab.panel.options = {"num_predict": 3}
    assert [lab.run("Hi", keep_alive="1m").history for _ in range(2)] == [(), ()]
    assert lab.panel.start().wait(60).history == ()
    assert len(lab.panel.start().wait(60).history) == 1, "on the page it is a conversation"


# --- without a server -----------------------------------------------------------------------------


def run(answer: str, **more: Any) -> Run:
    return Run("a:1b", KeepAlive(0), "asked", answer, NOON, Timings(1.0), **more)


def test_the_last_fifty_are_shown() -> None:
    conversation = Conversation()
    for number in range(MOST_TURNS + 7):
        conversation.begin(f"{number}")
        conversation.end(run(f"answer {number}"), markdown=True)
    assert len(conversation.turns) == MOST_TURNS
    assert conversation.turns[0].question == "7"
    assert "7 earlier turns not shown." in shown(conversation)
    closed = [w for w in conversation.children if w.comm is None]
    assert closed == []
    conversation.clear()
    assert "earlier" not in shown(conversation)


@pytest.mark.usefixtures("recorded")
def test_a_turn_is_sent_once() -> None:
    conversation = Conversation()
    conversation.begin("one")
    conversation.end(run("x" * 5_000), markdown=True)
    conversation.begin("two")
    first = conversation.turns[0]
    told = [m for _, m in first.comm.messages if m["method"] == "update"]
    assert len(told) == 1
    conversation.end(run("y"), markdown=True)
    conversation.begin("three")
    assert len(first.comm.messages) == 1, "nothing more is sent of it"


def test_any_text_can_be_sent() -> None:
    lone = "\ud800 [x](https://a.b/\udfff)"
    conversation = Conversation()
    conversation.begin(lone)
    conversation.end(run(lone, thinking=lone, error=lone), markdown=True)
    conversation.begin("next")
    conversation.end(run(lone), markdown=True)
    conversation.begin("last")
    for turn in conversation.turns:
        "".join(turn._told.values()).encode()  # no message could carry them


def test_a_hostile_turn_is_text() -> None:
    turn = Turn("<img src=x onerror=alert(1)>")
    turn.tell(run("<b>", thinking="<i>", error="<svg onload=alert(1)>"), "")
    assert turn._told["said"] == "<svg onload=alert(1)>", "the page shows it as text"
    assert turn._told["html"] == ""
    assert "<b>" not in turn._told["split"]
