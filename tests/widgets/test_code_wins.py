"""What is given in code is what runs, whatever was clicked or half typed before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import traitlets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecycle_widgets import KeepAlive, Server, TuningLab
from lifecycle_widgets.widgets import AgentPanel, KeepAlivePicker
from lifecycle_widgets.widgets.model_picker import ModelPicker

ONE, OTHER = "smollm2:135m", "smollm2:135m-f16"
OPTIONS = {"num_predict": 8, "seed": 1}
GIVEN = {
    "options": OPTIONS, "think": None, "rules": ("Be short.",), "tools": (), "hold": None,
}  # fmt: skip

typed = st.sampled_from(["30 s", "1d", "", "soon", "90s", "0", "forever", "5 m"])
click = st.one_of(
    st.tuples(st.just("choice"), st.sampled_from(["0", "30s", "forever", "typed…"])),
    st.tuples(st.just("typed"), typed),
    st.tuples(
        st.sampled_from(["temperature", "seed", "num_ctx", "num_predict"]),
        st.sampled_from(["8k", "", "-7", "0.5", "16", "many"]),
    ),
    st.tuples(st.just("rules"), st.sampled_from(["", "Shout.", "a\n\n b "])),
    st.tuples(st.just("think"), st.sampled_from(["think: off", "think: high"])),
    st.tuples(st.just("hold"), st.booleans()),
    st.tuples(st.just("memory"), st.booleans()),
    st.tuples(st.just("model"), st.sampled_from([ONE, OTHER, "nobody", ""])),
    st.tuples(st.just("prompt"), st.sampled_from(["", "Anything?"])),
)


def do(lab: TuningLab, what: str, value: Any) -> None:
    """As the page does it."""
    picker, chosen = lab.keep_alive_picker, lab.panel._parts.settings
    parts = {
        "choice": picker._choice, "typed": picker._field, "rules": chosen._rules,
        "think": chosen.think, "hold": chosen._hold, "memory": chosen._memory,
        "model": lab.model_picker._choice, "prompt": lab.panel._parts.prompt,
    }  # fmt: skip
    (parts[what] if what in parts else chosen.field(what)).value = value


@pytest.fixture(scope="module")
def kept_lab(sandbox: Any) -> Any:
    lab = TuningLab(Server(sandbox.url), model=ONE)
    yield lab
    lab.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(clicks=st.lists(click, max_size=8))
def test_a_run_by_code_does_not_depend_on_what_was_clicked(kept_lab: Any, clicks: Any) -> None:
    lab = kept_lab
    for what, value in clicks:
        do(lab, what, value)
    lab._choose(ONE, 0, GIVEN)
    lab.panel.prompt = "Say hello."
    run = lab.panel._new_run(False)  # nothing raises: no mistake stands in its way
    assert (run.prompt, run._model, run.keep_alive) == ("Say hello.", ONE, KeepAlive(0))
    assert (run._options, run.think, tuple(run._rules)) == (OPTIONS, None, ("Be short.",))
    assert (run._memory, run._hold, run._tools) == (None, None, [])
    assert lab.keep_alive_picker.error == lab.panel.blocked == lab.model_picker.error == ""


@pytest.mark.parametrize("before", [0, "5m"])
@pytest.mark.parametrize("by", ["picker", "lab", "panel", "run"])
def test_a_keep_alive_that_is_set_takes_the_place_of_a_mistake(
    kept_lab: TuningLab, by: str, before: Any
) -> None:
    """Also where it is set to what it was: then no event tells of it."""
    lab = kept_lab
    lab.keep_alive = before
    do(lab, "choice", "typed…")
    do(lab, "typed", "30 s")
    assert "30s" in lab.panel.blocked, "the message names what to type"
    if by == "run":
        lab._choose(None, 0, {})
    else:
        owner, name = {
            "picker": (lab.keep_alive_picker, "value"), "lab": (lab, "keep_alive"),
            "panel": (lab.panel, "keep_alive"),
        }[by]  # fmt: skip
        setattr(owner, name, 0)
    picker = lab.keep_alive_picker
    assert (picker.error, picker.text, picker._choice.value, lab.panel.blocked) == (
        "",
        "0",
        "0",
        "",
    )
    assert lab.keep_alive == lab.panel.keep_alive == KeepAlive(0)


def test_a_value_by_a_link_takes_the_place_of_a_mistake(shut: Callable[[Any], Any]) -> None:
    picker, panel = (
        shut(KeepAlivePicker(0)),
        shut(AgentPanel("localhost:1", model="a", keep_alive=0)),
    )
    traitlets.dlink((picker, "error"), (panel, "blocked"))
    traitlets.link((picker, "value"), (panel, "keep_alive"))
    picker.text = "5 m"
    assert panel.blocked
    panel.keep_alive = 0
    assert (picker.error, picker.text, panel.blocked) == ("", "0", "")


def test_a_mistake_that_the_call_does_not_replace_is_still_told(kept_lab: TuningLab) -> None:
    lab = kept_lab
    lab.keep_alive, lab.panel.options = 0, {}
    do(lab, "num_ctx", "8k")
    with pytest.raises(ValueError, match="num_ctx is '8k'"):
        lab.run("Say hello.", model=ONE, keep_alive=0)
    lab.panel.options = {}  # as it was
    assert lab.panel._parts.settings.error == ""
    assert lab.panel._parts.settings.field("num_ctx").value == ""


def test_a_model_that_was_refused_is_forgotten_with_the_next(
    sandbox: Any, shut: Callable[[Any], Any]
) -> None:
    picker = shut(ModelPicker(Server(sandbox.url), model=ONE))
    picker._choice.value = "nobody"
    assert "nobody" in picker.error
    picker.model = ONE  # as it was
    assert picker.error == ""


@pytest.mark.slow
def test_what_is_given_runs_and_is_the_new_choice(server: Server, shut: Any) -> None:
    lab = shut(TuningLab(server, model=OTHER, keep_alive="5m"))
    do(lab, "typed", "30 s")
    do(lab, "num_predict", "many")
    run = lab.run("Say hello.", model=ONE, keep_alive=0, options=OPTIONS, rules=["Be short."])
    assert (run.model, run.keep_alive, run.options) == (ONE, KeepAlive(0), OPTIONS)
    assert run.timings.output_tokens <= 8
    assert (lab.panel.options, lab.panel.rules) == (OPTIONS, ("Be short.",))
