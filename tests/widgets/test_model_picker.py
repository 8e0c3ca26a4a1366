"""ModelPicker shows what is installed and in memory, and chooses among it."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from urllib.parse import urlsplit

import ipywidgets as widgets
import pytest
from widget_parts import button, parts, shown, until

from lifecycle_widgets import Resident, Sandbox, Server, UnknownModel
from lifecycle_widgets.monitor import Loading
from lifecycle_widgets.widgets import ModelPicker
from lifecycle_widgets.widgets.formats import clock_text, residency_text
from lifecycle_widgets.widgets.model_picker.choice import ModelChoice

ONE, F16, F32 = "smollm2:135m", "smollm2:135m-f16", "smollm2:135m-f32"


def choice(picker: ModelPicker) -> ModelChoice:
    return parts(picker, ModelChoice)[0]


def resident(name: str, in_s: float) -> Resident:
    at = datetime.now(timezone.utc) + timedelta(seconds=in_s)
    return Resident(name, 1, 0, at, 4096, "")


def labels(picker: ModelPicker) -> dict[str, str]:
    return {o["name"]: f"{o['name']} · {o['about']}" for o in choice(picker).options}


def test_each_model_is_a_line_with_size_quantisation_and_residency(server: Server) -> None:
    picker = ModelPicker(server)
    assert labels(picker)[ONE] == f"{ONE} · 145 MB · Q8_0 · not in memory"
    assert labels(picker)[F32] == f"{F32} · 540 MB · F32 · not in memory"
    assert [m.name for m in picker.models] == list(labels(picker))
    server.preload(ONE, "forever")
    picker.refresh()
    assert labels(picker)[ONE].endswith("in memory, forever")
    server.preload(ONE, "10m")
    picker.refresh()
    expires = server.resident(ONE).expires_at
    assert labels(picker)[ONE].endswith(f"in memory until {clock_text(expires)}")


def test_residents_from_elsewhere_need_no_request(server: Server, sandbox: Sandbox) -> None:
    picker = ModelPicker(server, model=F16)
    before = picker.models
    picker.refresh(residents=[resident(F16, 60)])
    assert "in memory until" in labels(picker)[F16]
    assert (picker.model, picker.models is before) == (F16, True)
    picker.refresh(residents=[])
    assert labels(picker)[F16].endswith("not in memory")


def test_a_model_that_loads_says_so(server: Server) -> None:
    picker = ModelPicker(server, model=F16)
    noon, shown_ = datetime(2026, 3, 1, 12, tzinfo=timezone.utc), []
    choice(picker).observe(lambda change: shown_.append(change["new"]), "options")
    for seconds in (1.0, 2.0):
        picker.tell_loading([Loading(F16, noon, seconds)])
    assert labels(picker)[F16].endswith(f"F16 · loading since {clock_text(noon)}")
    assert labels(picker)[ONE].endswith("not in memory")
    assert len(shown_) == 1  # nothing had changed meanwhile
    picker.tell_loading([])
    assert labels(picker)[F16].endswith("not in memory")


def test_in_words() -> None:
    assert residency_text(None) == "not in memory"
    assert residency_text(Resident("m", 1)) == "in memory, until when is not told"
    assert residency_text(resident("m", -1)) == "in memory, in use"
    assert residency_text(resident("m", 1e9)) == "in memory, forever"


def test_the_first_choice(server: Server) -> None:
    assert ModelPicker(server, needs=["nope:1b", F32]).model == F32
    assert ModelPicker(server, needs=F16).model == F16
    server.preload(F32, 60)
    assert ModelPicker(server).model == F32
    assert ModelPicker(server, model=F16, needs=[ONE]).model == F16


def test_chosen_by_a_person_from_code_and_by_a_link(server: Server) -> None:
    picker, other, seen = ModelPicker(server, model=ONE), ModelPicker(server, model=F16), []
    widgets.link((picker, "model"), (other, "model"))
    other.observe(lambda change: seen.append(change["new"]), "model")
    choice(picker).value = F32
    picker.refresh()
    picker.model = F16
    assert (other.model, choice(other).value, seen) == (F16, F16, [F32, F16])


def test_an_unknown_model_is_an_error_with_the_nearest_names(server: Server) -> None:
    picker = ModelPicker(server, model=ONE)
    with pytest.raises(UnknownModel, match="Did you mean smollm2:135m"):
        picker.model = "smolm2:135m"
    assert picker.model == choice(picker).value == ONE
    with pytest.raises(UnknownModel):
        ModelPicker(server, model="nope")


@pytest.mark.parametrize(
    "written", ["SMOLLM2:135m", "registry.ollama.ai/library/smollm2:135m", "library/SmolLM2:135M"]
)
def test_a_name_may_be_written_otherwise(server: Server, written: str) -> None:
    picker = ModelPicker(server, model=F16)
    picker.model = written
    assert picker.model == choice(picker).value == ONE
    assert ModelPicker(server, needs=[written]).model == ONE
    picker.close()


def test_two_names_of_one_model_are_both_in_memory(server: Server) -> None:
    server.client.copy(ONE, "mine:1")
    try:
        server.preload(ONE, "forever")
        picker = ModelPicker(server, model="mine:1")
        until(lambda: labels(picker)["mine:1"].endswith("in memory, forever"), 20)
        assert labels(picker)[ONE].endswith("in memory, forever")
        assert labels(picker)[F16].endswith("not in memory")
        server.unload("mine:1")
        picker.refresh(residents=server.residents())
        assert labels(picker)["mine:1"].endswith("not in memory")
    finally:
        server.client.delete("mine:1")


def test_no_server(server: Server) -> None:
    picker = ModelPicker("localhost:1")
    assert picker.error.startswith("No Ollama answers at http://localhost:1")
    assert 'role="alert"' in shown(picker)
    picker.server = server
    assert (picker.error, [m.name for m in picker.models]) == ("", [ONE, F16, F32])
    assert picker.model == ONE
    assert "alert" not in shown(picker)


def test_a_server_that_went_and_came_back() -> None:
    with Sandbox(models=[ONE]) as sandbox:
        picker, port = ModelPicker(sandbox.url), urlsplit(sandbox.url).port
    picker.refresh()
    assert picker.error.startswith("No Ollama answers")
    assert picker.model == ONE
    with Sandbox(models=[ONE], port=port):
        picker.refresh(residents=[])  # the monitor has had an answer
        until(lambda: not picker.error, 20)
        assert picker.model == ONE


def test_no_models_says_what_to_do() -> None:
    with Sandbox(models=()) as empty:
        picker = ModelPicker(empty.url, needs=[ONE])
        assert picker.error.startswith(f"No model is installed on {empty.url}. Install one (in")
        assert f"ollama pull {ONE}" in picker.error
        assert button(picker, f"Pull {ONE}")
        assert picker.model == ""


def test_a_model_that_goes_is_not_replaced_unasked(server: Server) -> None:
    server.client.copy(ONE, "passing:1")
    try:
        picker = ModelPicker(server, model="passing:1")
    finally:
        server.client.delete("passing:1")
    for _ in range(2):
        picker.refresh()
        assert picker.model == ""
        assert picker.error.startswith("passing:1 is not installed on ")
    choice(picker).value = ONE
    assert (picker.model, picker.error) == (ONE, "")


def test_switching_servers_keeps_the_choice_if_it_can(server: Server) -> None:
    with Sandbox(models=[ONE]) as second:
        picker = ModelPicker(server, model=ONE)
        picker.server = second.url
        assert picker.model == ONE
        picker.server = server
        picker.model = F32
        picker.server = second.url
        assert (picker.model, picker.error) == (ONE, "")


def test_the_button_looks_again_in_a_thread(server: Server) -> None:
    picker = ModelPicker(server)
    server.preload(ONE, 60)
    button(picker, "Look again").click()
    until(lambda: "in memory until" in labels(picker)[ONE], 20)
    until(lambda: not any(t.name == "lifecycle-refresh" for t in threading.enumerate()), 20)
    picker.close()
    until(lambda: not any(t.name.startswith("lifecycle-") for t in threading.enumerate()), 20)


def test_names_are_escaped() -> None:
    picker = ModelPicker("localhost:1", needs=["<img src=x>"])
    picker.error = "<img src=x>"
    assert "<img" not in shown(picker)


def test_bad_arguments() -> None:
    with pytest.raises(TypeError, match=r"ModelPicker has no keyword 'need'\. Did you mean 'nee"):
        ModelPicker("localhost:1", need=["x"])
    with pytest.raises(Exception, match=r"server is a int\. Give a Server, an address"):
        ModelPicker(11434)
