"""ModelPicker with the models and the answers that other people's servers have."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from widget_parts import parts, shown, until

from lifecycle_widgets import Server
from lifecycle_widgets.widgets import ModelPicker
from lifecycle_widgets.widgets.model_picker.choice import ModelChoice
from tests.recorded import SHOW, Answer, RecordedServer, Request, model, ollama, resident, tags

MINILM = model("all-minilm:latest", size=45_960_996, digest="c" * 64)
CLOUD = model(
    "gpt-oss:120b-cloud",
    size=384,
    digest="d" * 64,
    remote_model="gpt-oss:120b",
    remote_host="https://ollama.com:443",
)
NOTHING: dict[str, Any] = {"models": []}


def show(request: Request) -> dict[str, Any]:
    """What each of the models can do, by its name."""
    name = str(request.json.get("model"))
    can = ["completion"]
    if "minilm" in name:
        can = ["embedding"]
    if "qwen" in name:
        can = ["completion", "tools", "thinking", "vision"]
    weights = "".join(f"{ord(c):x}" for c in name).ljust(64, "0")[:64]
    return {**SHOW, "modelfile": f"FROM /models/blobs/sha256-{weights}", "capabilities": can}


class Makes:
    """Makes a picker on a server with these answers; ``server`` is the last one."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened
        self.server: RecordedServer

    def __call__(self, *, needs: Any = (), **routes: Any) -> ModelPicker:
        routes = ollama(**({"show": show, "ps": NOTHING} | routes))
        self.server = self._opened.enter_context(RecordedServer(routes))
        picker = ModelPicker(self.server.url, needs=needs)
        self._opened.callback(picker.close)
        return picker


@pytest.fixture
def made() -> Iterator[Makes]:
    with ExitStack() as opened:
        yield Makes(opened)


def options(picker: ModelPicker) -> dict[str, dict[str, Any]]:
    return {option["name"]: option for option in parts(picker, ModelChoice)[0].options}


def choose(picker: ModelPicker, name: str) -> None:
    """As the page does it."""
    parts(picker, ModelChoice)[0].set_state({"value": name})


def test_a_model_for_embeddings_is_listed_marked_and_refused(made: Makes) -> None:
    picker = made(tags=tags(MINILM, model()))
    assert (picker.model, picker.error) == ("tiny:1b", "")
    until(lambda: options(picker)["all-minilm:latest"]["refused"], 20)
    assert options(picker)["all-minilm:latest"]["marks"] == ["embedding only"]
    choose(picker, "all-minilm:latest")
    assert picker.model == parts(picker, ModelChoice)[0].value == "tiny:1b"
    assert picker.error.startswith("all-minilm:latest makes embeddings only; it cannot answer a")
    assert "makes embeddings only" in shown(picker)
    with pytest.raises(ValueError, match="embeddings only"):
        picker.model = "all-minilm"
    choose(picker, "tiny:1b")
    choose(picker, "all-minilm:latest")
    assert picker.error
    picker.refresh()
    assert picker.error == ""


def test_a_cloud_model_is_taken_only_by_name_and_what_that_means_is_said(made: Makes) -> None:
    picker = made(tags=tags(CLOUD, model("zephyr:7b")))
    assert (picker.model, picker.notice) == ("zephyr:7b", "")
    option = options(picker)[CLOUD["name"]]
    assert option["marks"][0] == "cloud: not on this machine"
    assert not option["refused"]
    assert option["about"] == "1B", "its size here and a place in memory mean nothing"
    choose(picker, CLOUD["name"])
    assert (picker.model, picker.error) == (CLOUD["name"], "")
    assert picker.notice == (
        "gpt-oss:120b-cloud does not run on this machine: prompts leave it, to "
        "ollama.com, and keep_alive means nothing there."
    )
    assert 'role="status"' in shown(picker)
    picker.model = "zephyr:7b"
    assert picker.notice == ""


@pytest.mark.parametrize("needs", [(), ["all-minilm"], [CLOUD["name"], "all-minilm:latest"]])
def test_where_none_may_be_chosen_it_says_why(made: Makes, needs: Any) -> None:
    picker = made(tags=tags(CLOUD, MINILM), needs=needs)
    assert picker.model == ""
    assert "1 cannot answer a prompt and 1 would send prompts to the cloud" in picker.error
    choose(picker, CLOUD["name"])
    assert (picker.model, picker.error) == (CLOUD["name"], "")
    picker.refresh()
    assert (picker.model, picker.error) == (CLOUD["name"], "")


def test_the_first_choice_is_one_in_memory_that_can_chat(made: Makes) -> None:
    held = [resident("all-minilm:latest"), resident("Qwen3:8B", digest="e" * 64)]
    listed = tags(MINILM, model(), model("qwen3:8b", digest="e" * 64))
    picker = made(tags=listed, ps={"models": held})
    assert picker.model == "qwen3:8b"
    assert options(picker)["qwen3:8b"]["about"].endswith("in memory, forever")


def test_what_a_model_can_do_is_marked(made: Makes) -> None:
    picker = made(tags=tags(model(), model("qwen3:8b")))
    until(lambda: options(picker)["qwen3:8b"]["marks"], 20)
    assert options(picker)["qwen3:8b"]["marks"] == ["thinking", "tools", "vision"]
    assert options(picker)["tiny:1b"]["marks"] == []
    assert picker.label(picker.models[0]).endswith("in memory · thinking · tools · vision")


def test_two_hundred_models_are_asked_about_in_the_background(made: Makes) -> None:
    many = [model(f"qwen{n:03}:1b", digest=f"{n:064x}") for n in range(200)]
    picker = made(tags=tags(*many), show=slow_show(0.05))
    asked = len(made.server.asked("/api/show"))
    assert asked < 20, "the lab does not wait for all of them"
    assert picker.model == "qwen000:1b"
    assert len(options(picker)) == 200
    until(lambda: all(o["marks"] for o in options(picker).values()), 60)
    asked = len(made.server.asked("/api/show"))
    picker.refresh(residents=[])
    picker.refresh()
    assert asked <= 205
    until(lambda: "lifecycle-learn" not in threads(), 20)
    assert len(made.server.asked("/api/show")) == asked, "what is known is not asked again"


def test_closing_ends_the_asking(made: Makes) -> None:
    many = [model(f"qwen{n:03}:1b", digest=f"{n:064x}") for n in range(200)]
    picker = made(tags=tags(*many), show=slow_show(0.05))
    picker.close()
    until(lambda: "lifecycle-learn" not in threads(), 3)


def slow_show(delay_s: float) -> Callable[[Request], Answer]:
    return lambda request: Answer(show(request), delay_s=delay_s)


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


LLAMA_CPP = {
    "models": [
        {
            "name": "x.gguf",
            "model": "x.gguf",
            "modified_at": "",
            "size": "",
            "digest": "",
            "details": {"family": ""},
        }
    ]
}


def test_a_server_that_tells_little(made: Makes) -> None:
    picker = made(tags=LLAMA_CPP, ps=None, show=None)
    assert (picker.model, picker.error) == ("x.gguf", "")
    assert picker.label(picker.models[0]) == "x.gguf · size not told · not told whether in memory"
    assert picker.notice == "This server does not tell which models are in memory."
    assert "does not tell" in shown(picker)


@pytest.mark.parametrize(
    "ps",
    [
        None,
        Answer(b"<html>" + b"<p>Bad gateway</p>" * 200, 502, "text/html"),
        Answer(b"<html>not JSON</html>", 200, "text/html"),
        Answer({"error": "no such thing"}, 501),
    ],
)
def test_what_is_in_memory_is_not_told_but_models_are_listed(made: Makes, ps: Any) -> None:
    picker = made(ps=ps)
    assert (picker.model, picker.error) == ("tiny:1b", "")
    assert picker.label(picker.models[0]).endswith("not told whether in memory")
    made.server.routes["/api/ps"] = {"models": [resident()]}
    picker.refresh()
    assert picker.notice == ""
    assert picker.label(picker.models[0]).endswith("in memory, forever")


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ([{"name": "x", "size": 1}], ["x"]),
        (tags(model(size=None)), ["tiny:1b"]),
        (tags(model(details=None), model("b:1", details=...)), ["b:1", "tiny:1b"]),
        (tags(model(), model()), ["tiny:1b"]),
        (tags(model(), model(""), model(None, model=None)), ["tiny:1b"]),
        (tags({"name": "x:1"}, 7, None, [], "y"), None),
    ],
    ids=["a bare list", "no size", "no details", "twice", "no name", "not a model"],
)
def test_odd_lists_are_shown_as_far_as_they_go(made: Makes, listed: Any, names: Any) -> None:
    picker = made(tags=listed)
    assert picker.model
    assert picker.error == ""
    if names is not None:
        assert [m.name for m in picker.models] == names == list(options(picker))


def test_a_gateways_page_is_one_line(made: Makes) -> None:
    page = b"<html>" + b"<p>gateway time-out</p>" * 150 + b"</html>"
    picker = made(tags=Answer(page, 504, "text/html"))
    assert 0 < len(picker.error) < 300
    assert "504" in picker.error
    assert "<" not in picker.error
    assert "\n" not in picker.error
    assert (picker.model, picker.models) == ("", ())


def test_a_wrong_name_among_many_gets_a_short_answer(made: Makes) -> None:
    many = [model(f"qwen{n:03}:1b", digest=f"{n:064x}") for n in range(200)]
    picker = made(tags=tags(*many))
    for wrong in ("qwen7:1b", "nothing-like-it"):
        with pytest.raises(LookupError) as raised:
            picker.model = wrong
        assert len(str(raised.value)) < 400


def test_a_server_object_a_sandbox_or_an_address(made: Makes) -> None:
    picker = made()
    again = ModelPicker(Server(picker.server.url))
    assert again.model == picker.model
    again.close()
