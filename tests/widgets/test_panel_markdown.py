"""An answer's Markdown: what is written, and nothing that a model could do with it."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser

import pytest
from hostile_answers import HOSTILE
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle_widgets.widgets.agent_panel.markdown import markdown_html

TAGS = {
    *("a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol"),
    *("p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
ATTRIBUTES = {"href", "target", "rel", "class", "align", "start"}


class Seen(HTMLParser):
    """What elements and attributes are in some HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


def is_harmless(html: str) -> None:
    seen = Seen(html)
    assert seen.tags <= TAGS
    assert {name for name, _ in seen.attributes} <= ATTRIBUTES
    for name, value in seen.attributes:
        if name == "href":
            assert re.match("(https?:|mailto:)", value or "", re.IGNORECASE), value
        if name == "target":
            assert value == "_blank"


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_answer(text: str) -> None:
    is_harmless(markdown_html(text))
    is_harmless(markdown_html(f"> - {text}"))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from([*HOSTILE, "`", "*", "[", "](", ")", "\n", "> ", "|", "x"])))
def test_any_mixture(pieces: list[str]) -> None:
    is_harmless(markdown_html("".join(pieces)))


def test_what_is_written() -> None:
    html = markdown_html(
        "# A\n\n1. **b** and `c<d>`\n\n|x|y|\n|:-|-:|\n|1|2|\n\n```py\ne\n```\n~~f~~"
    )
    for piece in ("<h1>A</h1>", "<strong>b</strong>", "<code>c&lt;d&gt;</code>", "<ol>"):
        assert piece in html
    assert '<td align="right">2</td>' in html
    assert "<s>f</s>" in html
    assert '<pre><code class="language-py">e\n</code></pre>' in html
    assert markdown_html("one\ntwo") == "<p>one<br />\ntwo</p>\n", "as it streamed"


def test_a_link_opens_a_page_of_its_own_and_an_image_is_a_link() -> None:
    opened = 'target="_blank" rel="noopener noreferrer"'
    assert f'<a href="mailto:a@b.c" {opened}>m</a>' in markdown_html("[m](mailto:a@b.c)")
    assert f'<a href="https://a.b/c.png" {opened}>image: cat</a>' in markdown_html(
        "![cat](https://a.b/c.png)"
    )
    linked = markdown_html("[![cat](https://a.b/c.png)](https://d.e)")
    assert linked.count("<a ") == 1
    assert ">image: cat</a>" in linked


def test_what_is_nested_deep_or_very_long_stays_plain_text() -> None:
    assert markdown_html(">" * 30 + "x") == "", "the reader would leave it out"
    assert markdown_html("x " * 50_000) == ""
    assert markdown_html("> > > x")


@pytest.mark.parametrize("piece", ["[", "*a ", "**a **", "`", "![a](", "<", "~~a", "_a", "- "])
def test_no_text_takes_long(piece: str) -> None:
    began_s = time.monotonic()
    markdown_html(piece * (40_000 // len(piece)))
    assert time.monotonic() - began_s < 10
