"""A model's Markdown as HTML: with no HTML of the model's own, and nothing that is fetched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

_SCHEMES = ("http", "https", "mailto")
_MOST = 40_000  # characters; what is longer stays plain text
_NESTING = 20  # levels that markdown-it reads; it leaves out what is deeper


def markdown_html(text: str) -> str:
    """The text as HTML; "" where it is to stay plain text: it is very long, or nested very deep.

    HTML in it is text. A link leads to http, https or mailto, and opens a page of its own; an
    image is a link to it. (The page lets only what is on a list of its own through, once more.)

    Examples
    --------
    >>> markdown_html("Two **words**<br>")
    '<p>Two <strong>words</strong>&lt;br&gt;</p>\\n'
    >>> markdown_html("[here](javascript:alert(1)) ![a cat](https://a.b/c.png)")
    '<p>[here](javascript:alert(1)) <a href="https://a.b/c.png" target="_blank" \
rel="noopener noreferrer">image: a cat</a></p>\\n'
    """
    if len(text) > _MOST:
        return ""
    reader = _reader()
    tokens = reader.parse(text)
    if any(token.level >= _NESTING - 1 for token in tokens):
        return ""
    for token in tokens:
        if token.type in ("th_open", "td_open"):
            _align(token)
        elif token.children:
            token.children = list(_safe(token.children))
    return str(reader.renderer.render(tokens, reader.options, {}))


@cache
def _reader() -> MarkdownIt:
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": _NESTING})
    reader.enable(["table", "strikethrough"])
    reader.validateLink = _is_safe  # type: ignore[method-assign]  # its way to say so
    return reader


def _is_safe(url: str) -> bool:
    """Whether a link may lead there; one that may not is left as it was written."""
    try:
        return urlsplit(url.strip()).scheme.lower() in _SCHEMES
    except ValueError:
        return False


def _safe(tokens: Sequence[Token]) -> Iterator[Token]:
    """Links to pages of their own; images as links, or inside of a link as text.

    A link to nowhere, ``[]()``, which is not asked about, is none.
    """
    is_in_link = False
    for token in tokens:
        if token.type == "link_open":
            is_in_link = bool(url := str(token.attrs.get("href", "")))
            if is_in_link:
                yield _link_to(url)
        elif token.type == "link_close":
            if is_in_link:
                yield token
            is_in_link = False
        elif token.type == "image":
            name = Token("text", "", 0, content=f"image: {token.content or token.attrs['src']}")
            link = _link_to(str(token.attrs["src"]))
            yield from [name] if is_in_link else [link, name, Token("link_close", "a", -1)]
        else:
            yield token


def _link_to(url: str) -> Token:
    attributes: dict[str, Any] = {"href": url, "target": "_blank", "rel": "noopener noreferrer"}
    return Token("link_open", "a", 1, attrs=attributes)


def _align(cell: Token) -> None:
    """A style is not let through; the old attribute says the same."""
    style = str(cell.attrs.pop("style", ""))
    if style:
        cell.attrs["align"] = style.rpartition(":")[2]
