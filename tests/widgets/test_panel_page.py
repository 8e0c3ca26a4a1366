"""The page's half of a conversation, in a real browser: its turns, and what is let through."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hostile_answers import HOSTILE

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import Run, Step, Timings, ToolCall
from lifecycle_widgets.widgets.agent_panel.markdown import markdown_html
from lifecycle_widgets.widgets.agent_panel.turn import where_html
from lifecycle_widgets.widgets.style import static

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser
HOSTILE_HTML = (
    "<script>window.hit = 1</script><p>shown</p>",
    "<img src=x onerror='window.hit = 1'>shown",
    "<svg onload='window.hit = 1'><a href='javascript:window.hit=1'>shown</a></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror='window.hit=1'>shown</style></math>",
    "<p onclick='window.hit = 1' style='position:fixed' id=x class=jp-mine>shown</p>",
    "<a href='javascript:window.hit=1' target=_top>shown</a>",
    "<a href=' \tjava\nscript:window.hit=1'>shown</a><base href='//a.b'>",
    "<iframe srcdoc='<script>parent.hit=1</script>'></iframe><form action=//a.b>shown</form>",
    "<noscript><p title='</noscript><img src=x onerror=window.hit=1>'>shown</noscript>",
    "<template><img src=x onerror='window.hit=1'></template><b>shown</b>",
    "<div style='background:url(//a.b/c.png)'>shown</div><link rel=stylesheet href=//a.b>",
    "<b>" * 3000 + "shown",
)
MODEL = """
async ([url, state]) => {
  const listeners = {};
  const model = {
    get: (name) => state[name],
    on: (name, f) => (listeners[name] ??= new Set()).add(f),
    off: (name, f) => listeners[name]?.delete(f),
    send() {},
  };
  window.set = (name, value) => {
    state[name] = value;
    listeners[`change:${name}`]?.forEach((f) => f());
  };
  const widget = (await import(url)).default;
  const made = typeof widget === "function" ? widget() : widget;
  made.initialize?.({ model });
  const box = document.querySelector(".lw-talk") ?? document.body;
  window.el = box.appendChild(document.createElement("div"));
  window.end = made.render({ model, el });
}
"""


@pytest.fixture
def page(browser: Any) -> Iterator[Page]:
    """A page that fetches nothing: what asks for something is in ``page.asked``."""
    page = browser.new_page()
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    yield page
    page.close()


def show(page: Page, *names: str, **state: Any) -> None:
    code = "\n".join(static(name) for name in names)
    url = "data:text/javascript;base64," + base64.b64encode(code.encode()).decode()
    page.evaluate(MODEL, [url, state])


def turn(page: Page, **told: Any) -> None:
    show(page, "kept.js", "turn.js", _told={"question": "asked", **told})


def is_clean(page: Page) -> None:
    """Nothing of it has run, fetches, leads anywhere else, or looks like somebody else's."""
    page.wait_for_timeout(50)
    assert page.evaluate("window.hit") is None
    found = page.evaluate(
        """[...el.querySelectorAll("*")].map((e) => [e.tagName, e.namespaceURI,
             [...e.attributes].map((a) => [a.name, a.value])])"""
    )
    for tag, namespace, attributes in found:
        assert namespace == "http://www.w3.org/1999/xhtml"
        assert tag not in {"SCRIPT", "IMG", "SVG", "IFRAME", "FORM", "STYLE", "LINK", "BASE"}
        for name, value in attributes:
            assert name in {"class", "href", "target", "rel", "align", "start"}
            assert name != "class" or value.startswith("lw-"), value
            assert name != "href" or value.lower().startswith(("http:", "https:", "mailto:"))
    assert [url for url in page.asked if not url.startswith("data:text/javascript")] == []


@pytest.mark.parametrize("html", HOSTILE_HTML, ids=range(len(HOSTILE_HTML)))
def test_only_what_is_on_the_list_stands_on_the_page(page: Page, html: str) -> None:
    """As if the kernel's half had let everything through."""
    turn(page, answer="plain", html=html)
    is_clean(page)
    assert "shown" in page.inner_text(".lw-answer")


def test_hostile_answers_from_end_to_end(page: Page) -> None:
    for text in (*HOSTILE, "\n\n".join(HOSTILE)):
        page.evaluate("document.body.replaceChildren()")
        turn(page, answer=text, html=markdown_html(text))
        is_clean(page)


def test_what_streamed_is_dressed_by_the_same_list(page: Page) -> None:
    show(page, "kept.js", "text_stream.js", _saved="**a** <b>", hint="", _html="")
    assert page.inner_text(".lw-stream") == "**a** <b>"
    page.evaluate("set('_html', '<p><strong>a</strong></p><img src=x onerror=\"hit = 1\">')")
    assert page.evaluate("el.querySelector('.lw-stream').innerHTML") == "<p><strong>a</strong></p>"
    assert page.evaluate("window.hit") is None
    page.evaluate("set('_html', '')")
    assert page.inner_text(".lw-stream") == "**a** <b>"


def test_a_turn_shows_what_it_is_told_as_text(page: Page) -> None:
    tag = "<i>x</i>"
    turn(page, question=tag, thinking=tag, thought="Thought", answer=tag, said=tag, aside=tag)
    assert page.evaluate("document.querySelectorAll('i').length") == 0
    for part in (".lw-question", ".lw-answer", ".lw-ended", ".lw-aside"):
        assert page.inner_text(part) == tag
    assert not page.is_visible(".lw-thoughts")
    page.click("summary")
    assert page.inner_text(".lw-thoughts") == tag


def test_where_the_time_went_is_folded(page: Page) -> None:
    told = Timings(2.0, load_s=1.0, prompt_eval_s=0.2, eval_s=0.5)
    steps = (Step(0.0, told, tool_calls=(ToolCall("a<b>"),), tools_s=0.5), Step(2.5, told))
    now = datetime(2026, 1, 1, tzinfo=timezone.utc)
    run = Run("m", KeepAlive(0), "asked", "answer", now, Timings(4.5), steps)
    html = where_html(run)
    turn(page, answer="answer", short="done after 4.50 s", split=html)
    assert not page.is_visible(".lw-caption")
    page.click("summary")
    assert page.is_visible(".lw-caption")
    kept = page.evaluate("el.querySelector('.lw-past-split').innerHTML")
    page.evaluate("(html) => (el.innerHTML = html)", html)  # as it is in its own widget
    assert kept == page.evaluate("el.innerHTML"), "all that is ours is on the list"


# --- following ------------------------------------------------------------------------------------

TALK = """
document.head.insertAdjacentHTML("beforeend",
  "<style>.lw-talk {height: 100px; overflow: auto; display: flex; flex-direction: column}" +
  ".lw-talk > * {flex: none}</style>");
document.body.innerHTML = '<div class="lw-talk"><div class="text"></div></div>';
"""
FROM_END = "(() => { const b = document.querySelector('.lw-talk');"
FROM_END += "return b.scrollHeight - b.scrollTop - b.clientHeight; })()"


def grow(page: Page) -> None:
    page.evaluate("document.querySelector('.text').append(...Array(20).fill('line').flatMap("
                  "(t) => [t, document.createElement('br')]))")  # fmt: skip
    page.wait_for_timeout(100)


def test_it_stays_at_the_end_unless_the_person_has_scrolled_away(page: Page) -> None:
    page.evaluate(TALK)
    show(page, "follow.js", _turn=0)
    page.wait_for_timeout(100)
    grow(page)
    assert page.evaluate(FROM_END) < 2
    page.evaluate("document.querySelector('.lw-talk').scrollTop = 0")
    page.wait_for_timeout(100)
    grow(page)
    assert page.evaluate("document.querySelector('.lw-talk').scrollTop") == 0
    page.evaluate("set('_turn', 1)")  # a new prompt
    assert page.evaluate(FROM_END) < 2
    grow(page)
    assert page.evaluate(FROM_END) < 2
    page.evaluate("end()")
    grow(page)
    assert page.evaluate(FROM_END) > 100
