"""The page's half of TextStream, in a real browser."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from lifecycle_widgets.widgets.style import STATIC

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

MODEL = """
async (url) => {
  const listeners = {}, sent = [];
  const state = { _saved: "", hint: "Nothing <i>yet</i>." };
  const model = {
    get: (name) => state[name],
    on: (name, f) => (listeners[name] ??= new Set()).add(f),
    off: (name, f) => listeners[name]?.delete(f),
    send: (message) => sent.push(message),
  };
  const widget = (await import(url)).default();
  window.views = [];
  window.say = (message) => listeners["msg:custom"].forEach((f) => f(message));
  window.open_view = () => {
    const el = document.body.appendChild(document.createElement("div"));
    window.views.push({ el, close: widget.render({ model, el }) });
  };
  window.set = (name, value) => {
    state[name] = value;
    listeners[`change:${name}`]?.forEach((f) => f());
  };
  window.sent = sent;
  widget.initialize({ model });
  window.open_view();
}
"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    source = (STATIC / "text_stream.js").read_bytes()
    url = "data:text/javascript;base64," + base64.b64encode(source).decode()
    page.evaluate(MODEL, url)
    yield page
    page.close()


def say(page: Page, **message: Any) -> None:
    page.evaluate("(message) => say(message)", message)


def texts(page: Page) -> list[str]:
    return page.evaluate("views.map((v) => v.el.querySelector('.lw-stream').textContent)")


def test_appends_as_text_never_as_html(page: Page) -> None:
    say(page, kind="append", at=0, text="<img src=x onerror=alert(1)> 🙂")
    say(page, kind="append", at=30, text="é<b>")
    assert texts(page) == ["<img src=x onerror=alert(1)> 🙂é<b>"]
    assert page.evaluate("document.querySelectorAll('img, b, i').length") == 0


def test_asks_for_the_whole_at_first_and_after_a_gap(page: Page) -> None:
    assert page.evaluate("sent") == [{"kind": "whole?"}]
    say(page, kind="append", at=0, text="one ")
    say(page, kind="append", at=9, text="three")
    assert page.evaluate("sent.length") == 2
    assert texts(page) == ["one "]
    say(page, kind="whole", text="one two three")
    say(page, kind="append", at=13, text="!")
    assert texts(page) == ["one two three!"]


def test_a_second_view_shows_the_same_and_a_closed_one_is_forgotten(page: Page) -> None:
    say(page, kind="append", at=0, text="here")
    page.evaluate("open_view()")
    assert texts(page) == ["here", "here"]
    page.evaluate("views[0].close()")
    say(page, kind="append", at=4, text=" and on")
    assert texts(page) == ["here", "here and on"]


def test_the_hint_shows_while_there_is_no_text(page: Page) -> None:
    hidden = "['.lw-stream', '.lw-hint'].map((c) => document.querySelector(c).hidden)"
    assert page.evaluate(hidden) == [True, False]
    assert page.inner_text(".lw-hint") == "Nothing <i>yet</i>."
    say(page, kind="append", at=0, text="x")
    assert page.evaluate(hidden) == [False, True]
    say(page, kind="whole", text="")
    assert page.evaluate(hidden) == [True, False]


def test_follows_the_end_unless_the_person_has_scrolled_away(page: Page) -> None:
    page.add_style_tag(content=".lw-stream {height: 60px; overflow: auto; white-space: pre}")
    box = "document.querySelector('.lw-stream')"
    lines = "line\n" * 40
    say(page, kind="append", at=0, text=lines)
    end = f"{box}.scrollHeight - {box}.scrollTop - {box}.clientHeight"
    assert page.evaluate(end) < 2
    page.evaluate(f"{box}.scrollTop = 0")
    say(page, kind="append", at=len(lines), text=lines)
    assert page.evaluate(f"{box}.scrollTop") == 0


def test_folded_under_a_title_it_opens_on_a_click(page: Page) -> None:
    page.evaluate("views.pop().close()")
    page.evaluate("document.body.replaceChildren()")
    page.evaluate("set('hint', '')")
    page.evaluate("set('title', 'Thinking <i>now</i>…')")
    page.evaluate("open_view()")
    fold, text = page.locator(".lw-fold"), page.locator(".lw-thoughts")
    assert not fold.is_visible(), "there is no text yet"
    say(page, kind="append", at=0, text="<b>Hm</b>")
    assert fold.is_visible()
    assert not text.is_visible()
    page.locator("summary").click()
    assert text.is_visible()
    assert text.text_content() == "<b>Hm</b>"
    page.evaluate("set('title', 'Thought for 3.2 s')")
    assert text.is_visible(), "what is open stays open"
    assert page.inner_text("summary") == "Thought for 3.2 s"
    assert text.get_attribute("aria-live") == "off"
    assert page.evaluate("document.querySelectorAll('b, i').length") == 0
    assert page.locator(".lw-stream").count() == 0, "that is the answer's"
