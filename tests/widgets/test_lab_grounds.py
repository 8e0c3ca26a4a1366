"""TuningLab on servers that tell little, have other models, and in cells that are run again."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from widget_parts import button, parts, shown, until

from lifecycle_widgets import Server, TuningLab
from lifecycle_widgets.widgets.model_picker.choice import ModelChoice
from tests.recorded import Answer, RecordedServer, model, ollama, resident, tags

ONE = "smollm2:135m"
PAGE = b"<html>" + b"<p>gateway time-out</p>" * 150 + b"</html>"
NOT_TOLD = "This server does not tell which models are in memory."
Made = Callable[..., tuple[TuningLab, RecordedServer]]


@pytest.fixture
def made() -> Iterator[Made]:
    """Makes a lab on a server with these answers."""
    with ExitStack() as opened:

        def make(**routes: Any) -> tuple[TuningLab, RecordedServer]:
            server = opened.enter_context(RecordedServer(ollama(**routes)))
            lab = TuningLab(server.url)
            opened.callback(lab.close)
            return lab, server

        yield make


@pytest.mark.parametrize(
    "routes",
    [
        {"ps": None},
        {"ps": Answer({"error": "not implemented"}, 501)},
        {"ps": Answer(PAGE, 403, "text/html")},
        {"ps": Answer({"error": "something went wrong"}, 500)},
        {"ps": None, "show": None, "version": None, "tags": [{"name": "tiny:1b", "size": 1}]},
    ],
    ids=["no ps", "not implemented", "forbidden by a gateway", "ps fails", "names only"],
)
def test_what_is_not_told_is_said_and_is_no_loss(made: Made, routes: dict[str, Any]) -> None:
    lab, _ = made(**routes)
    until(lambda: len(lab.monitor.samples) > 4)
    assert lab.error == ""
    assert lab.model == "tiny:1b"
    assert NOT_TOLD in shown(lab)
    unload = button(lab, "Unload now")
    assert (unload.disabled, unload.tooltip) == (True, NOT_TOLD)


def test_a_server_that_stops_telling_and_begins_again(made: Made) -> None:
    lab, server = made()
    until(lambda: not button(lab, "Unload now").disabled)
    server.routes["/api/ps"] = Answer({"error": "not found"}, 404)
    until(lambda: button(lab, "Unload now").tooltip == NOT_TOLD)
    until(lambda: "not told" in about(lab)["tiny:1b"])
    assert lab.error == ""
    server.routes["/api/ps"] = {"models": [resident()]}
    until(lambda: "forever" in about(lab)["tiny:1b"])
    assert lab.model_picker.notice == ""


@pytest.mark.parametrize(
    "odd",
    [
        {"models": [resident(expires_at="0001-01-01T00:00:00Z")]},
        {"models": [resident(expires_at=...)]},
        {"models": [resident(size="", size_vram=None, digest=None, context_length="x")]},
        {"models": [resident(), resident(), resident("")]},
    ],
    ids=["year 1", "no deadline", "no size", "twice"],
)
def test_odd_residents_are_in_memory_as_far_as_is_told(made: Made, odd: Any) -> None:
    lab, _ = made(ps=odd)
    until(lambda: not button(lab, "Unload now").disabled)
    until(lambda: "in memory" in about(lab)["tiny:1b"])
    assert "not in memory" not in about(lab)["tiny:1b"]
    assert lab.error == ""


def test_a_gateways_page_is_one_line(made: Made) -> None:
    gone = Answer(PAGE, 504, "text/html")
    lab, server = made()
    until(lambda: lab.monitor.samples)
    for path in server.routes:
        server.routes[path] = gone
    until(lambda: lab.error)
    assert "504" in lab.error
    assert len(lab.error) < 400
    assert "gateway time-out" not in shown(lab)
    server.routes |= ollama()
    until(lambda: not lab.error)


def test_a_cloud_model_is_the_persons_own_choice_and_told(made: Made) -> None:
    cloud = model("a:120b-cloud", remote_model="a:120b", remote_host="https://ollama.com:443")
    lab, server = made(tags=tags(cloud, model()), ps={"models": []})
    assert lab.model == "tiny:1b"
    lab.model = "a:120b-cloud"
    assert "prompts leave it, to ollama.com, and keep_alive means nothing there" in shown(lab)
    assert shown(lab).count("prompts leave") == 1
    lab.model = "TINY:1b"
    assert lab.model == lab.panel.model == "tiny:1b"
    assert "prompts leave" not in shown(lab)
    assert not server.asked("/api/chat")


def test_the_lab_touches_nobodys_model(made: Made) -> None:
    lab, server = made()
    until(lambda: len(lab.monitor.samples) > 2)
    lab.run("Say hello.")
    lab.close()
    bodies = [request.json for request in server.requests if request.method == "POST"]
    assert not server.asked("/api/generate"), "nothing is loaded or unloaded"
    assert server.asked("/api/chat")
    assert not any("keep_alive" in body for body in bodies)


def test_unload_goes_by_the_weights_and_says_what_it_unloads(server: Server, shut: Any) -> None:
    server.client.copy(ONE, "mine:1")
    try:
        lab = shut(TuningLab(server, model="mine:1"))
        server.preload(ONE, "forever")
        until(lambda: not button(lab, "Unload now").disabled)
        assert button(lab, "Unload now").tooltip == f"Unload mine:1 (in memory as {ONE})"
        until(lambda: "in memory, forever" in about(lab)["mine:1"])
        button(lab, "Unload now").click()
        until(lambda: server.resident(ONE) is None)
        until(lambda: button(lab, "Unload now").disabled)
        until(lambda: [r.why for r in lab.monitor.residencies()] == ["requested"])
        assert lab.error == ""
    finally:
        server.client.delete("mine:1")


def test_a_name_in_other_letters(server: Server, shut: Any) -> None:
    lab = shut(TuningLab(server, model="registry.ollama.ai/library/SMOLLM2:135m"))
    assert lab.model == lab.panel.model == ONE
    lab.model = "SmolLM2:135M-F16"
    assert lab.model == "smollm2:135m-f16"


def test_a_sandbox_or_an_address_is_a_server(sandbox: Any, shut: Any) -> None:
    assert shut(TuningLab(sandbox)).server.url == shut(TuningLab(sandbox.url)).server.url


@pytest.mark.slow
def test_six_labs_have_the_threads_of_one_and_closed_ones_have_none() -> None:
    """A cell that is run again and again, in a process that has no cells."""
    code = """
    import threading, time
    import lifecycle_widgets as lw
    from tests.recorded import RecordedServer, ollama

    def ours(settled_s):
        time.sleep(settled_s)
        return [t.name for t in threading.enumerate() if t.name.startswith("lifecycle-")]

    with RecordedServer(ollama()) as recorded:
        server = lw.Server(recorded.url)
        labs = [lw.TuningLab(server)]
        one = len(ours(2))
        labs += [lw.TuningLab(server) for _ in range(5)]
        six = len(ours(4))
        for lab in labs:
            lab.close()
        print(one, six, *ours(3))
    """
    out = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=120
    )
    assert out.returncode == 0, out.stderr
    one, six, *left = out.stdout.split()
    assert int(six) <= int(one) + 3
    assert left == []


def about(lab: TuningLab) -> dict[str, str]:
    return {o["name"]: o["about"] for o in parts(lab, ModelChoice)[0].options}
