"""TextStream sends everything, once, in order, and not too often."""

from __future__ import annotations

import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from widget_parts import until

from lifecycle_widgets.widgets import TextStream


def page(stream: TextStream, text: str = "") -> str:
    """What a page shows that has been open from the start, when the text was ``text``."""
    for _, message in stream.comm.custom():
        if message["kind"] == "whole":
            text = message["text"]
        else:
            assert message["at"] == len(text), "a page would have missed something"
            text += message["text"]
    return text


@pytest.mark.usefixtures("recorded")
def test_ten_thousand_tokens_are_few_messages_and_nothing_is_lost() -> None:
    stream = TextStream()
    began = time.monotonic()
    for i in range(10_000):
        stream.append(f"{i} ")
        if i % 100 == 0:
            time.sleep(0.01)
    stream.finish()
    took_s = time.monotonic() - began
    sent = stream.comm.custom()
    assert stream.text == page(stream) == "".join(f"{i} " for i in range(10_000))
    assert 5 < len(sent) <= took_s * 20 + 3
    assert stream._saved == stream.text  # what the notebook file keeps


@pytest.mark.usefixtures("recorded")
def test_the_first_piece_is_sent_at_once_and_the_last_without_finish() -> None:
    stream = TextStream()
    stream.append("first")
    assert page(stream) == "first"
    stream.append(" second")
    until(lambda: page(stream) == "first second", 2)
    until(lambda: "lifecycle-text-stream" not in {t.name for t in threading.enumerate()}, 2)


@pytest.mark.usefixtures("recorded")
def test_several_threads_may_append() -> None:
    stream = TextStream()
    threads = [
        threading.Thread(target=lambda c=c: [stream.append(c) for _ in range(500)]) for c in "abc"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stream.finish()
    assert sorted(page(stream)) == sorted("abc" * 500)
    assert page(stream) == stream.text


@pytest.mark.usefixtures("recorded")
def test_a_page_that_asks_gets_the_whole_once() -> None:
    stream = TextStream("kept")
    stream.append(" and added")
    stream.append(" and waiting")
    stream._handle_custom_msg({"kind": "whole?"}, [])
    assert stream.comm.custom()[-1][1] == {"kind": "whole", "text": "kept and added and waiting"}
    time.sleep(0.15)
    assert stream.comm.custom()[-1][1]["kind"] == "whole", "what waited was sent twice"
    stream._handle_custom_msg("nonsense", [])  # ignored


@pytest.mark.usefixtures("recorded")
def test_text_is_a_trait() -> None:
    stream, seen = TextStream("a"), []
    stream.observe(lambda change: seen.append(change["new"]), "text")
    stream.append("b")
    stream.text = "new"
    stream.append("!")
    stream.clear()
    assert seen == ["ab", "new", "new!", ""]
    assert stream.text == page(stream, "a") == stream._saved == ""


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text()))
def test_any_text_can_be_sent(pieces: list[str]) -> None:
    stream = TextStream()
    for piece in pieces:
        stream.append(piece)
    stream.text.encode()  # no lone surrogates: no message could carry them
    assert len(stream.text) == len("".join(pieces))


def test_an_unknown_keyword_is_an_error_with_advice() -> None:
    with pytest.raises(TypeError, match=r"TextStream has no keyword 'txt'\. Did you mean 'text'\?"):
        TextStream(txt="x")
