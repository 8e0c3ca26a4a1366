"""Real bodies, changed: keys dropped, null, other types, dates of any kind, or no JSON at all."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Iterable
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from tests.recorded import Answer, chat, chunk, final, model, resident, tags

QUESTIONS = ("tags", "ps", "show", "version", "chat")
_HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>hello</body></html>"
_GO_DATES = (
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "2318-03-07T22:54:55.123456789-05:00",
    "2026-11-25T17:51:12.43379646Z",
    "2026-11-25T17:51:12",
    "2026-11-25 17:51:12+00:00",
    "2026-02-30T00:00:00Z",
    "2026-11-25T17:51:12+99:99",
    "-0001-01-01T00:00:00Z",
    "",
)


@lru_cache(maxsize=1)
def real() -> dict[str, list[Any]]:
    """By question: bodies that were recorded (see record.py), and shapes of other servers."""
    told = json.loads(Path(__file__).with_name("recorded.json").read_text())
    cloud = model("gpt-oss:120b-cloud", size=384, remote_model="m", remote_host="https://x:443")
    thinking = model(capabilities=["completion", "thinking", "tools", "vision"])
    llama_cpp = model("x.gguf", size="", digest="", modified_at="", details={"family": ""})
    call = {"function": {"name": "f", "arguments": {"a": 1}}}
    thought = [chunk(thinking="hm"), chunk("4", thinking=""), final(done_reason="length")]
    called = [chunk(tool_calls=[call]), final()]
    return {
        "tags": [told["tags"], tags(cloud, thinking), tags(llama_cpp), {"models": []}],
        "ps": [told["ps"], {"models": [resident("smollm2:135m")]}, {"models": []}],
        "show": [told["show"], {"details": {}, "remote_host": "x", "capabilities": ["embedding"]}],
        "version": [told["version"]],
        "chat": [told["chat"], thought, called],
    }


# --- values -------------------------------------------------------------------------------------

DATES = st.one_of(
    st.sampled_from(_GO_DATES),
    st.datetimes().map(datetime.isoformat),
    st.datetimes(timezones=st.just(timezone.utc)).map(datetime.isoformat),
    st.integers(-(10**12), 10**14),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**63, 2**64, 10**40, -(10**40), "5", "-5", "1e9", "null"]),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["\ud800", "\x00", "a\nb", "<b>x</b>", "x" * 5000, "smollm2:135m", ":", "/"]),
    DATES,
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


# --- changes ------------------------------------------------------------------------------------


def places(body: Any, way: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value in it, itself too."""
    inside: Iterable[tuple[Any, Any]] = body.items() if isinstance(body, dict) else ()
    inside = enumerate(body) if isinstance(body, list) else inside
    return [way] + [found for key, value in inside for found in places(value, (*way, key))]


@st.composite
def changed(draw: st.DrawFn, body: Any) -> Any:
    """The body with one to three changes."""
    box = [copy.deepcopy(body)]
    for _ in range(draw(st.integers(1, 3))):
        way = (0, *draw(st.sampled_from(places(box[0]))))
        holder: Any = box
        for key in way[:-1]:
            holder = holder[key]
        _change(draw, holder, way[-1])
        if not box:
            box = [None]
    return box[0]


def _change(draw: st.DrawFn, holder: Any, key: Any) -> None:
    """One change at one place."""
    value = holder[key]
    kind = draw(
        st.sampled_from(["drop", "null", "other", "list", "object", "text", "more", "date"])
    )
    if kind == "drop":
        del holder[key]
    elif kind == "more" and isinstance(value, dict):
        value[draw(st.text(max_size=8))] = draw(VALUES)
    elif kind == "more" and isinstance(value, list):
        value.append(draw(VALUES) if draw(st.booleans()) else copy.deepcopy(value[:1]))
        value.extend(copy.deepcopy(value[:1]))
    else:
        plain = {"null": None, "list": [value], "object": {"value": value}}
        if kind in plain:
            holder[key] = plain[kind]
        elif kind == "text":
            holder[key] = json.dumps(value)
        else:
            holder[key] = draw(DATES if kind == "date" else VALUES)


@st.composite
def answers(draw: st.DrawFn, question: str) -> Answer:
    """An answer to a question: a changed body, or something that is none."""
    body = draw(st.sampled_from(real()[question]))
    if question == "chat":
        return draw(_streams(body))
    if draw(st.integers(0, 4)):
        return Answer(json.dumps(draw(changed(body))).encode())
    return draw(st.sampled_from(_broken(json.dumps(body).encode())))


ERRORS: list[Any] = [{}, {"error": None}, {"error": {"message": "x"}}, []]


def _broken(data: bytes) -> list[Answer]:
    error = {"error": "boom"}
    return [
        Answer(b""),
        Answer(_HTML, kind="text/html"),
        Answer(data[: len(data) // 2]),
        Answer(data, cut=True),
        Answer(data, headers={"Content-Encoding": "gzip"}),
        Answer(gzip.compress(data), headers={"Content-Encoding": "gzip"}),
        Answer(b"\xef\xbb\xbf" + data),
        Answer(data.replace(b'"', b"'")),
        Answer(data + data),
        Answer(b"\xff\xfe" + data),
        Answer(b"[" * 5000),
        *(Answer(error, status) for status in (400, 401, 403, 404, 405, 429, 500, 503)),
        *(Answer(_HTML, status, "text/html") for status in (403, 404, 500, 502, 504)),
        *(Answer(b"", status) for status in (204, 304, 404, 500)),
        *(Answer(body, 400) for body in ERRORS),
    ]


@st.composite
def _streams(draw: st.DrawFn, chunks: list[Any]) -> Answer:
    """A streamed answer with changed chunks, in a changed order, or one that is cut off."""
    lines: list[Any] = list(chunks)
    for index in draw(st.lists(st.integers(0, len(lines) - 1), min_size=1, max_size=3)):
        lines[index] = draw(changed(chunks[index]))
    kind = draw(st.sampled_from(["as it is"] * 4 + ["cut", "no end", "error", "junk", "broken"]))
    if kind == "no end":
        lines.pop()
    elif kind == "error":
        lines.insert(1, {"error": draw(VALUES)})
    elif kind == "junk":
        lines.insert(1, draw(st.sampled_from(["", "<html>", "data: [DONE]", '{"half', "[]", "7"])))
    elif kind == "broken":
        return draw(st.sampled_from(_broken(json.dumps(chunks[0]).encode())))
    texts = [
        line if isinstance(line, str) and kind == "junk" else json.dumps(line) for line in lines
    ]
    return chat(*texts, cut=kind == "cut", pause_s=0.0)
