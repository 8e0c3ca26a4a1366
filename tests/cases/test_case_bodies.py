"""Other servers' answers: what is not there, or is of another kind, is "not told"."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from lifecycle_widgets import ModelPicker, ResourceChart, Server, ServerError, TuningLab
from lifecycle_widgets.server import NotTold
from tests.cases.case_tools import OURS, assert_readable, samples, told, watched
from tests.recorded import VERSION, Answer, RecordedServer, model, ollama, resident, tags
from tests.widgets.widget_parts import shown

LLAMA_CPP = {
    "name": "x.gguf",
    "model": "x.gguf",
    "modified_at": "",
    "size": "",
    "digest": "",
    "details": {"family": ""},
}


@pytest.fixture
def recorded() -> Iterator[RecordedServer]:
    """An Ollama by its answers; a test changes some of them."""
    with RecordedServer(ollama()) as server:
        yield server


# --- /api/show ----------------------------------------------------------------------------------


def test_a_model_that_tells_no_weights_is_sampled(recorded: RecordedServer) -> None:
    """Case 1."""
    recorded.routes["/api/show"] = {"details": {"family": "x"}}
    server = Server(recorded.url)
    taken = samples(server)
    assert [r.name for sample in taken for r in sample.residents or ()] == ["tiny:1b"] * len(taken)
    assert all(sample.error is None for sample in taken)
    assert server.weights_digest("tiny:1b") is None


@pytest.mark.parametrize(
    "show",
    [
        [],
        None,
        "text",
        7,
        {"modelfile": None, "model_info": None, "capabilities": None},
        {"modelfile": 5, "capabilities": "completion"},
        {"modelfile": ["FROM x"], "capabilities": [None, 3]},
        {"modelfile": "FROM ", "capabilities": {"completion": True}},
        Answer(b"<html>hello</html>", kind="text/html"),
        Answer(b""),
        Answer({"error": "boom"}, 500),
        Answer({"error": None}, 404),
    ],
    ids=lambda show: str(getattr(show, "body", show))[:40],
)
def test_what_show_does_not_tell(recorded: RecordedServer, show: Any) -> None:
    recorded.routes["/api/show"] = show
    server = Server(recorded.url)
    assert server.weights_digest("tiny:1b") is None
    assert server.weights_path("tiny:1b") is None
    capabilities = server.capabilities("tiny:1b")
    assert capabilities is None or all(isinstance(name, str) for name in capabilities)
    [listed] = server.models()
    assert isinstance(listed.can_chat, bool)


# --- /api/tags ----------------------------------------------------------------------------------


def test_llama_cpps_own_list(recorded: RecordedServer) -> None:
    """Case 2."""
    recorded.routes["/api/tags"] = tags(LLAMA_CPP)
    del recorded.routes["/api/ps"]
    server = Server(recorded.url)
    [listed] = server.models()
    assert (listed.name, listed.size_bytes) == ("x.gguf", None)
    picker = ModelPicker(server)
    assert [m.name for m in picker.models] == ["x.gguf"]
    assert " 0 " not in picker.label(listed)
    lab = TuningLab(server)
    try:
        assert lab.model == "x.gguf"
    finally:
        lab.close()
    last = samples(server)[-1]
    assert (last.residents, last.error) == (None, None)
    assert last.not_told
    assert_readable(last.not_told)


def test_a_bare_list(recorded: RecordedServer) -> None:
    """Case 3."""
    recorded.routes["/api/tags"] = [{"name": "x", "size": 1}]
    server = Server(recorded.url)
    found = told(server.models)
    assert isinstance(found, str) or [m.name for m in found] == ["x"]
    picker = ModelPicker(server)
    assert picker.models or picker.error
    TuningLab(server).close()


def test_the_models_are_known_where_what_is_in_memory_is_not(recorded: RecordedServer) -> None:
    """Case 4."""
    del recorded.routes["/api/ps"]
    server = Server(recorded.url)
    picker = ModelPicker(server)
    assert picker.model == "tiny:1b"
    assert "not in memory" not in picker.label(picker.models[0])
    with pytest.raises(NotTold) as not_told:
        server.residents()
    assert_readable(str(not_told.value))
    assert issubclass(NotTold, ServerError)


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"models": None}, []),
        ({"models": []}, []),
        (tags(None, 3, "", [], model()), ["tiny:1b"]),
        (tags("x", "y:1b"), None),
        (tags(model(name=...)), ["tiny:1b"]),
        (tags(model(model=...)), ["tiny:1b"]),
        (tags(model(model=None)), ["tiny:1b"]),
        (tags(model(name=..., model=...), model("b:1b")), ["b:1b"]),
        (tags(model(name="", model=""), model("b:1b")), ["b:1b"]),
        (tags(model(name=5, model=["x"]), model("b:1b")), ["b:1b"]),
        (tags(model(details=None)), ["tiny:1b"]),
        (tags(model(details=[1])), ["tiny:1b"]),
        (tags(model(details={"family": 5, "parameter_size": None, "more": {}})), ["tiny:1b"]),
        (tags(model(digest=17, modified_at=1767323045)), ["tiny:1b"]),
        (tags(model(modified_at="0001-01-01T00:00:00Z", unheard_of=[{}])), ["tiny:1b"]),
        ({"models": {"tiny:1b": model()}}, None),
        ({"data": [{"id": "x", "object": "model"}], "object": "list"}, None),
        ({"error": "not here"}, None),
        ("text", None),
        (7, None),
        (None, None),
    ],
    ids=str,
)
def test_a_list_of_models_of_another_kind(
    recorded: RecordedServer, body: Any, names: list[str] | None
) -> None:
    """Names are what can be read; without them, one sentence."""
    recorded.routes["/api/tags"] = body
    found = told(Server(recorded.url).models)
    assert names is None or [m.name for m in found] == names  # type: ignore[union-attr]
    picker = ModelPicker(Server(recorded.url))
    assert bool(picker.error) == (not picker.models)


@pytest.mark.parametrize(
    ("size", "meant"),
    [
        (800_000_000, 800_000_000),
        (0, None),
        (-1, None),
        ("", None),
        ("big", None),
        (None, None),
        ([], None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (8e8, 800_000_000),
        (10**40, None),
    ],
    ids=str,
)
def test_sizes_of_any_kind(recorded: RecordedServer, size: Any, meant: int | None) -> None:
    """What cannot be a size is not told; it never becomes a number in a label."""
    recorded.routes["/api/tags"] = tags(model(size=size))
    recorded.routes["/api/ps"] = {"models": [resident(size=size, size_vram=size)]}
    server = Server(recorded.url)
    [listed], [held] = server.models(), server.residents()
    assert listed.size_bytes == meant or (meant is None and listed.size_bytes in (0, size))
    if size in ("", "big", None, [], -1) or size != size:
        assert (listed.size_bytes, held.size_bytes, held.size_vram_bytes) == (None, None, None)
    picker = ModelPicker(server)
    assert "nan" not in picker.label(listed)


def test_a_number_written_as_text(recorded: RecordedServer) -> None:
    recorded.routes["/api/tags"] = tags(model(size="800000000"))
    [listed] = Server(recorded.url).models()
    assert listed.size_bytes in (None, 800_000_000)


def test_a_name_that_comes_twice(recorded: RecordedServer) -> None:
    recorded.routes["/api/tags"] = tags(model(), model(), model("other:1b"))
    picker = ModelPicker(Server(recorded.url))
    picker.model = "other:1b"
    picker.refresh()
    assert picker.model == "other:1b"


# --- what cannot be read at all -----------------------------------------------------------------

GOOD = json.dumps(tags(model())).encode()
UNREADABLE = {
    "a page": Answer(b"<html><body>Welcome</body></html>" * 90, kind="text/html"),
    "nothing": Answer(b""),
    "cut off": Answer(GOOD, cut=True),
    "half": Answer(GOOD[:90]),
    "chunks cut off": Answer(lines=[GOOD[:50], GOOD[50:90]], cut=True),
    "no text": Answer(b"\xff\xfe\x00\x81" * 40),
    "not gzip": Answer(GOOD, headers={"Content-Encoding": "gzip"}),
    "deep": Answer(b"[" * 100_000),
    "digits": Answer(b'{"models": [{"name": "x", "size": ' + b"9" * 6000 + b"}]}"),
}


@pytest.mark.parametrize("path", ["tags", "ps", "version"])
@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_read_is_one_sentence(
    recorded: RecordedServer, path: str, body: Answer
) -> None:
    recorded.routes[f"/api/{path}"] = body
    server = Server(recorded.url)
    for ask in (server.models, server.residents, lambda: server.version):
        told(ask)
    picker = ModelPicker(server)
    assert not picker.error or "\n" not in picker.error


@pytest.mark.parametrize(
    "body",
    [
        Answer(b"\xef\xbb\xbf" + GOOD),
        Answer(gzip.compress(GOOD), headers={"Content-Encoding": "gzip"}),
        Answer(GOOD, kind="text/plain; charset=iso-8859-1"),
        Answer(lines=[GOOD]),
    ],
    ids=["byte order mark", "gzip", "text/plain", "chunks"],
)
def test_what_can_be_read_is_read(recorded: RecordedServer, body: Answer) -> None:
    recorded.routes["/api/tags"] = body
    assert [m.name for m in Server(recorded.url).models()] == ["tiny:1b"]


def test_no_sample_is_lost_whatever_ps_answers(recorded: RecordedServer) -> None:
    """One monitor, another answer each time; every reading is a sample that can be drawn."""
    bodies: Iterator[Any] = iter(
        [*UNREADABLE.values(), {"models": None}, [], None, {"models": [resident()]}]
    )
    recorded.routes["/api/ps"] = lambda _: next(bodies, Answer({"error": "over"}, 500))
    with watched(Server(recorded.url), len(UNREADABLE) + 4) as monitor:
        asked = len(recorded.asked("/api/ps"))
        assert asked - len(monitor.samples) <= 1
        for sample in monitor.samples:
            assert_readable(sample.error or sample.not_told or "told")
        monitor.residencies()


# --- /api/version -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "version",
    [
        None,
        {},
        {"version": None},
        {"version": []},
        [],
        7,
        "0.32",
        Answer(b"<html>", kind="text/html"),
    ],
    ids=str,
)
def test_a_version_that_is_not_told(recorded: RecordedServer, version: Any) -> None:
    if version is None:
        del recorded.routes["/api/version"]
    else:
        recorded.routes["/api/version"] = version
    server = Server(recorded.url)
    assert server.version == "not told"
    assert server.answers(), "there is a server: it lists models"
    assert [m.name for m in server.models()] == ["tiny:1b"]


def test_versions_of_another_kind(recorded: RecordedServer) -> None:
    for version, meant in ((5, {"5", "not told"}), ("", {"not told"}), ("v0.5.7-x", {"v0.5.7-x"})):
        recorded.routes["/api/version"] = {"version": version}
        assert Server(recorded.url).version in meant
    recorded.routes["/api/version"] = VERSION | {"more": None}
    assert Server(recorded.url).version == VERSION["version"]


# --- dates --------------------------------------------------------------------------------------

NOT_DATES: list[Any] = [
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00",
    "0000-00-00T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "2099-13-45T99:99:99Z",
    "tomorrow",
    "",
    None,
    ...,
    [],
    {},
    True,
    float("nan"),
    1e300,
    -(10**30),
]
DATES = [
    "2099-01-01T00:00:00Z",
    "2099-01-01t00:00:00z",
    "2099-01-01T00:00:00.123456789Z",
    "2099-01-01T00:00:00.1234567890123+05:30",
    "2099-01-01T05:45:00.5+05:45",
    "2318-03-07T22:54:55.123456789-05:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999999-12:00",
]


@pytest.fixture(params=["America/New_York", "Pacific/Kiritimati", "UTC"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The machine's time zone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


def test_dates_of_any_kind(recorded: RecordedServer, zone: str) -> None:
    """Case 5, with all other dates at once: resident, and until when is told or not."""
    either = [4070908800, "4070908800", "2099-01-01T00:00:00", "2099-01-01T00:00:00+99:99"]
    dates = [*NOT_DATES, *DATES, *either]
    recorded.routes["/api/ps"] = {
        "models": [resident(f"m{i}", expires_at=date) for i, date in enumerate(dates)]
    }
    server = Server(recorded.url)
    residents = server.residents()
    assert len(residents) == len(dates)
    for date, held in zip(dates, residents, strict=True):
        at = held.expires_at
        assert at is None or (isinstance(at, datetime) and at.tzinfo is not None)
        if date in DATES:
            assert at is not None, date
        if any(date is one for one in NOT_DATES):
            assert at is None, date
        if at is None:
            assert (held.is_forever, held.expires_in_s()) == (False, None)
    with watched(server) as monitor:
        assert len(monitor.residencies()) == len(dates)
        chart = ResourceChart(monitor)
        try:
            assert chart.figure is not None
        finally:
            chart.close()
        picker = ModelPicker(server)
        picker.refresh(monitor.samples[-1].residents)
        assert "Traceback" not in shown(picker)


def test_whatever_it_is_only_our_own_exceptions(recorded: RecordedServer) -> None:
    """A status alone, of each kind, for each question."""
    for status in (204, 301, 304, 400, 401, 403, 404, 405, 408, 413, 418, 429, 500, 502, 503, 504):
        for path in ("tags", "ps", "show", "version"):
            recorded.routes[f"/api/{path}"] = Answer(b"", status)
        server = Server(recorded.url)
        for ask in (server.models, server.residents, lambda s=server: s.require("x")):
            try:
                ask()
            except OURS as fault:
                assert_readable(str(fault))
