"""What a server's lines mean, whatever they are made of."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import ollama
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.agent.requests.chunks import (
    ErrorInAnswer,
    NotChunks,
    chunk_lines,
)
from tests.recorded import chunk, final

CALL = {"function": {"name": "a", "arguments": {"b": 1}}}
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 8, 1.5, float("nan"), float("inf"), 1e300, 10**30, "", "x", "8", "\0",
    "\ud800", "true", [], [1], ["x"], [None], [{}], [[]], [CALL], [CALL, CALL], {}, {"a": [1]},
    {"message": "x"}, {"content": "x"}, CALL, [{"function": {"name": "\ud800"}}],
    [{"function": {"name": "a", "arguments": {"\ud800": "\ud800"}}}],
)  # fmt: skip


def read_chunks(pieces: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    return (found for found, _ in chunk_lines(pieces))


def read(*told: Any) -> list[dict[str, Any]]:
    lines = [t if isinstance(t, str) else json.dumps(t) for t in told]
    return list(read_chunks([("\n".join(lines) + "\n").encode("utf-8", "surrogatepass")]))


def texts(*told: Any) -> tuple[str, str]:
    """Thinking and text."""
    messages = [c["message"] for c in read(*told)]
    return tuple("".join(m.get(n) or "" for m in messages) for n in ("thinking", "content"))  # type: ignore[return-value]


def test_ollamas_own_go_through() -> None:
    first, last = read(chunk("Hi", thinking="Hm"), final())
    assert first["message"] == {"role": "assistant", "content": "Hi", "thinking": "Hm"}
    assert (last["done"], last["done_reason"], last["eval_count"]) == (True, "stop", 8)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_lines_cut_anywhere(size: int) -> None:
    body = "".join(json.dumps(c, ensure_ascii=False) + "\n" for c in (chunk("né 🙂"), final()))
    data = body.encode()
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert [c["message"]["content"] for c in read_chunks(pieces)] == ["né 🙂", ""]


def test_what_only_looks_like_the_end_of_a_line() -> None:
    """httpx, and so ollama-python, ends lines at these too, in the middle of a text."""
    text = "a\u0085b\u2028c\x1cd"
    [found] = read_chunks([json.dumps(chunk(text), ensure_ascii=False).encode()])
    assert found["message"]["content"] == text


def test_half_of_a_pair_of_surrogates_becomes_a_question_mark() -> None:
    assert texts('{"message": {"content": "a\\ud83d"}}') == ("", "a?")


@pytest.mark.parametrize(
    ("given", "is_end"),
    [(True, True), ("true", True), ("false", False), (0, False), (None, False), ([], False)],
)
def test_done_in_other_forms(given: Any, is_end: bool) -> None:
    found = read({"message": {"content": "x"}, "done": given})
    assert (found[-1]["done"], texts({"message": {"content": "x"}, "done": given})) == (
        is_end,
        ("", "x"),
    )


def test_what_comes_after_the_end_belongs_to_nothing() -> None:
    assert len(read(final(), chunk("more"), "<html>")) == 1


@pytest.mark.parametrize("line", ["<html>502</html>", '{"half": ', "[]", "5", "null", '"text"'])
def test_a_line_that_is_no_object_ends_it_after_what_came(line: str) -> None:
    chunks = read_chunks([f"{json.dumps(chunk('kept'))}\n{line}\n".encode()])
    assert next(chunks)["message"]["content"] == "kept"
    with pytest.raises(NotChunks, match=r"^\S.{0,80}$"):
        next(chunks)


@pytest.mark.parametrize(
    ("error", "said"),
    [("boom", "boom"), ({"message": "boom", "code": 5}, "boom"), (["boom"], '["boom"]'), (5, "5")],
)
def test_errors_in_any_form(error: Any, said: str) -> None:
    chunks = read_chunks([f"{json.dumps(chunk('kept'))}\n{json.dumps({'error': error})}".encode()])
    assert next(chunks)["message"]["content"] == "kept"
    with pytest.raises(ErrorInAnswer) as broken:
        next(chunks)
    assert str(broken.value) == said
    assert texts({"error": None, **chunk("x")}) == ("", "x")


def test_tool_calls_come_one_by_one_and_in_full() -> None:
    """griptape takes only the first of a chunk, and none of one with text."""
    calls = [
        {"function": {"name": "t_add", "arguments": {"a": 1}}},
        {"function": {"name": "t_add", "arguments": '{"a": 2}'}},
        {"function": {"name": "", "arguments": {}}},
        {"function": {"name": "t_now"}},
        "no call",
    ]
    found = read(final(message={"role": "assistant", "content": "I add.", "tool_calls": calls}))
    assert [c["message"].get("content") for c in found] == ["I add.", None, None, None, ""]
    made = [c["message"]["tool_calls"][0]["function"] for c in found[1:4]]
    assert [(m["name"], m["arguments"]) for m in made] == [
        ("t_add", {"a": 1}),
        ("t_add", {"a": 2}),
        ("t_now", {}),
    ]


def test_metrics_that_are_none_are_left_out() -> None:
    [last] = read(final(eval_count="8", eval_duration=-1, load_duration=1.5, total_duration=True))
    assert {n for n in last if n.endswith(("_count", "_duration"))} == {
        "prompt_eval_count",
        "prompt_eval_duration",
    }


@given(st.sampled_from(["thought", "text", "end"]), st.data())
def test_mutated_chunks_never_trouble_ollama_python(kind: str, data: st.DataObject) -> None:
    """Whatever is dropped, null or of another type: what is left can be read, or is refused."""
    told: Any = {"thought": chunk(thinking="Hm"), "text": chunk("Hi"), "end": final()}[kind]
    if data.draw(st.booleans()):
        told["message"]["tool_calls"] = [CALL]
    for place in (told["message"], told):
        for name in data.draw(st.lists(st.sampled_from(sorted(place)), max_size=3)):
            place[name] = data.draw(st.sampled_from(ODD))
    for found in read(told):
        ollama.ChatResponse(**json.loads(json.dumps(found)))
    for ensure_ascii in (True, False):
        line = json.dumps(told, ensure_ascii=ensure_ascii).encode("utf-8", "surrogatepass")
        for found, written in chunk_lines([line]):
            [read_again] = written.decode().splitlines()  # as httpx cuts it
            assert json.loads(read_again) == found
            ollama.ChatResponse(**found)


@pytest.mark.parametrize(
    ("line", "is_kept"),
    [
        (json.dumps(chunk("Hi")), True),
        (json.dumps(chunk("Hi", thinking="Hm")), True),
        (json.dumps(chunk("né"), ensure_ascii=False), False),
        (json.dumps(chunk("a\u0085b"), ensure_ascii=False), False),
        (json.dumps(chunk("a\ud83d")), False),
        (json.dumps(chunk("Hi")).replace(", ", ",\r"), False),
        (f"data: {json.dumps(chunk('Hi'))}", False),
        (json.dumps(chunk(None)), False),
        (json.dumps(final()), False),
    ],
)
def test_a_line_is_kept_as_it_was_sent_where_nothing_is_to_be_mended(
    line: str, is_kept: bool
) -> None:
    [(found, written)] = chunk_lines([line.encode() + b"\n"])
    assert (written == line.encode()) is is_kept
    [read_again] = written.decode().splitlines()
    assert json.loads(read_again) == found


# --- OpenAI's form, in which llama.cpp's server answers -------------------------------------------


def data(**told: Any) -> str:
    return f"data: {json.dumps(told)}\n"


def delta(finish_reason: str | None = None, **of: Any) -> str:
    return data(choices=[{"index": 0, "delta": of, "finish_reason": finish_reason}])


def test_openais_form() -> None:
    numbers = {"prompt_n": 3, "prompt_ms": 2.0, "predicted_n": 5, "predicted_ms": 4.5}
    found = read(
        delta(role="assistant", content=None),
        delta(reasoning_content="Hm"),
        delta(content="4"),
        delta(content="2"),
        delta("stop"),
        data(choices=[], timings=numbers),
        "data: [DONE]",
    )
    assert "".join(c["message"].get("content") or "" for c in found) == "42"
    assert "".join(c["message"].get("thinking") or "" for c in found) == "Hm"
    last = found[-1]
    assert (last["done"], last["done_reason"], last["eval_count"]) == (True, "stop", 5)
    assert (last["prompt_eval_duration"], last["eval_duration"]) == (2_000_000, 4_500_000)
    assert "load_duration" not in last


def test_openais_tool_calls_come_in_parts() -> None:
    def part(**function: Any) -> str:
        return delta(tool_calls=[{"index": 0, "function": function}])

    found = read(part(name="t_add", arguments=""), part(arguments='{"a"'), part(arguments=": 1}"),
                 delta("tool_calls"))  # fmt: skip
    [call] = [c["message"]["tool_calls"] for c in found if c["message"].get("tool_calls")]
    assert call == [{"function": {"name": "t_add", "arguments": {"a": 1}}}]
    assert found[-1]["done"]


def test_openais_that_breaks_off_has_no_end() -> None:
    assert not any(c["done"] for c in read(delta(content="4")))


@pytest.mark.parametrize(
    "choices", [[], [None], [5], [{}], [{"delta": 5}], [{"delta": {"tool_calls": 5}}]]
)
def test_openais_odd_ones(choices: Any) -> None:
    assert "".join(c["message"].get("content") or "" for c in read(data(choices=choices))) == ""
