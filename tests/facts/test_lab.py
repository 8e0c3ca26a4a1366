"""A Lab on a person's own server: nobody's model is touched, whatever name it was loaded under."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from lifecycle_widgets.facts import FACTS, CannotTry, Lab, try_fact
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.recorded import SHOW, RecordedServer, Request, model, ollama, tags

SMALL, MIDDLE = "smollm2:135m", "smollm2:135m-f16"


@pytest.fixture(scope="module")
def own() -> Iterator[Server]:
    with Sandbox(models=[SMALL, MIDDLE]) as sandbox:  # by its address alone somebody's own
        Server(sandbox.url).client.copy(SMALL, "mine")
        yield Server(sandbox.url)


@pytest.mark.parametrize("held", [SMALL, "mine", MIDDLE])
def test_nothing_is_loaded_beside_somebodys_model(own: Server, held: str) -> None:
    own.preload(held, "1h")
    time.sleep(0.5)  # the deadline is set once more, a moment after the answer
    before = own.residents()
    try:
        with closing(Lab(Server(own.url))) as lab:
            with pytest.raises(CannotTry, match="is in memory"):
                _ = lab.model
            with pytest.raises(CannotTry):
                lab.cold(SMALL)
            assert try_fact(next(iter(FACTS.values())), lab).holds in (True, None)
        assert own.residents() == before
    finally:
        own.unload(held)


def test_an_alias_that_came_meanwhile_is_left_alone(own: Server) -> None:
    with closing(Lab(Server(own.url))) as lab:
        lab.load(lab.model)
        lab.cold(lab.model)
        other = {SMALL: "mine:latest", "mine:latest": SMALL}[lab.models[0]]
        own.preload(other, "1h")
        with pytest.raises(CannotTry, match="is in memory"):
            lab.cold(lab.models[0])
        with pytest.raises(CannotTry):
            lab.clear()
    assert [r.name for r in own.residents()] == [other]
    own.unload(other)


def test_what_it_loaded_leaves_with_it(own: Server) -> None:
    with closing(Lab(Server(own.url))) as lab:
        lab.load(lab.model)
        assert len(lab.runners()) == 1
    assert own.residents() == ()


def test_no_cloud_and_no_embedding_model() -> None:
    def shown(request: Request) -> object:
        embeds = "minilm" in json.loads(request.body)["model"]
        return {**SHOW, "capabilities": ["embedding"]} if embeds else SHOW

    cloud = model("gpt-oss:120b-cloud", size=384, remote_host="https://ollama.com:443")
    embedding = model("all-minilm:latest", size=45_960_996, digest="c" * 64)
    for more, wanted in (((model("tiny:1b"),), ["tiny:1b"]), ((), None)):
        routes = ollama(tags=tags(cloud, embedding, *more), show=shown, ps={"models": []})
        with RecordedServer(routes) as recorded, closing(Lab(Server(recorded.url))) as lab:
            if wanted is None:
                with pytest.raises(CannotTry, match="a model that can chat"):
                    _ = lab.model
            else:
                assert lab.models == wanted


def test_where_memory_is_not_told_nothing_is_loaded() -> None:
    with RecordedServer(ollama(ps=None)) as recorded, closing(Lab(Server(recorded.url))) as lab:
        [fact] = [f for name, f in FACTS.items() if name == "absent keeps the value"]
        finding = try_fact(fact, lab)
        assert finding.holds is None
        assert "does not tell" in finding.seen
        assert not recorded.asked("/api/generate")
