"""The page's half of ModelPicker, in a real browser: found by typing, with the keyboard alone."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from lifecycle_widgets.widgets.style import STATIC

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.browser

MODEL = """
async ([url, css, options]) => {
  document.head.appendChild(document.createElement("style")).textContent = css;
  const listeners = {}, saved = [], state = { options, value: "llama3.2:1b", hint: "choose" };
  const model = {
    get: (name) => state[name],
    set: (name, value) => { state[name] = value; listeners[`change:${name}`].forEach((f) => f()); },
    on: (name, f) => (listeners[name] ??= new Set()).add(f),
    off: (name, f) => listeners[name]?.delete(f),
    save_changes: () => saved.push(state.value),
  };
  const el = document.body.appendChild(document.createElement("div"));
  el.className = "lw";
  el.style.cssText = "height: 40px; overflow: hidden";  // as a cell's output may be
  const { render } = (await import(url)).default;
  window.close_view = render({ model, el });
  Object.assign(window, { model, saved });
  window.heard = [];
  document.addEventListener("keydown", (event) => window.heard.push(event.key));
}
"""
SOME = (
    ("all-minilm:latest", "46 MB · F16 · not in memory", ["embedding only"]),
    ("gpt-oss:120b-cloud", "116.8B", ["cloud: not on this machine", "thinking"]),
    ("llama3.2:1b", "1.3 GB · Q4_K_M · in memory, forever", ["tools"]),
)


def option(name: str, about: str, marks: list[str]) -> dict[str, Any]:
    return {"name": name, "about": about, "marks": marks, "refused": "embedding only" in marks}


OPTIONS = [option(*row) for row in SOME] + [
    option(f"qwen{n}:{size}b", f"{size}.0 GB · Q4_K_M · not in memory", ["thinking", "tools"])
    for n in range(20)
    for size in range(1, 11)
]


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 700, "height": 500})
    source = (STATIC / "model_choice.js").read_bytes()
    url = "data:text/javascript;base64," + base64.b64encode(source).decode()
    page.evaluate(MODEL, [url, (STATIC / "lab.css").read_text(), OPTIONS])
    yield page
    page.close()


def field(page: Page) -> Locator:
    return page.get_by_role("combobox", name="Model")


def names(page: Page) -> list[str]:
    return page.locator("[role=option]:visible > span:first-child").all_text_contents()


def chosen(page: Page) -> tuple[str, list[str]]:
    return page.evaluate("[model.get('value'), saved]")


def test_closed_it_shows_the_line_of_the_choice(page: Page) -> None:
    assert field(page).input_value() == (
        "llama3.2:1b · 1.3 GB · Q4_K_M · in memory, forever · tools"
    )
    assert field(page).get_attribute("aria-expanded") == "false"
    assert names(page) == []
    page.evaluate("model.set('value', '')")
    assert field(page).input_value() == ""
    assert field(page).get_attribute("placeholder") == "choose"


def test_one_of_two_hundred_is_found_by_typing_and_taken_by_enter(page: Page) -> None:
    field(page).focus()
    page.keyboard.type("QWEN7: 10")
    assert names(page) == ["qwen7:10b"]
    assert page.get_by_role("status").text_content() == "1 of 203 models"
    page.keyboard.press("Enter")
    assert chosen(page) == ["qwen7:10b", ["qwen7:10b"]]
    page.keyboard.type("3b qwen1")
    assert names(page)[:2] == ["qwen1:3b", "qwen10:3b"], "no model of 13b comes first"
    page.keyboard.press("Escape")
    assert names(page) == []
    assert field(page).input_value().startswith("qwen7:10b · 10.0 GB")


def test_marks_and_residency_can_be_typed_too(page: Page) -> None:
    field(page).focus()
    page.keyboard.type("cloud thinking")
    assert names(page) == ["gpt-oss:120b-cloud"]
    field(page).fill("in memory, forever")
    assert names(page) == ["llama3.2:1b"]
    field(page).fill("nothing like it")
    assert names(page) == []
    assert "No model" in (page.get_by_role("status").text_content() or "")
    page.keyboard.press("Enter")  # takes nothing
    assert chosen(page) == ["llama3.2:1b", []]


def test_arrows_go_through_all_from_the_choice_and_escape_leaves_it(page: Page) -> None:
    field(page).focus()
    assert names(page) == [], "passing by with Tab opens nothing"
    page.keyboard.press("ArrowDown")
    assert len(names(page)) == 203
    active = page.locator(".lw-active")
    assert active.get_attribute("aria-selected") == "true"
    for _ in range(3):
        page.keyboard.press("PageDown")
    page.keyboard.press("ArrowUp")
    assert active.get_attribute("id") == field(page).get_attribute("aria-activedescendant")
    box, rows = active.bounding_box(), page.locator("[role=listbox]").bounding_box()
    assert box
    assert rows
    assert rows["y"] <= box["y"] <= rows["y"] + rows["height"] - box["height"] + 1
    page.keyboard.press("Escape")
    assert names(page) == []
    assert chosen(page) == ["llama3.2:1b", []]
    assert page.evaluate("heard") == [], "the notebook hears none of these keys"


def test_a_click_opens_it_above_everything_and_another_chooses(page: Page) -> None:
    field(page).click()
    page.locator("[role=option]").nth(1).click()
    assert chosen(page)[0] == "gpt-oss:120b-cloud"
    field(page).click()
    assert len(names(page)) == 203
    page.keyboard.type("qwen3")
    assert field(page).input_value() == "qwen3", "what is typed takes the place of the line"
    page.mouse.click(350, 480)
    assert names(page) == [], "a click elsewhere closes it"
    assert field(page).input_value().startswith("gpt-oss:120b-cloud")
    field(page).click()
    field(page).click()
    assert names(page) == [], "and so does a second click"


def test_the_list_goes_with_its_field_and_ends_when_that_is_out_of_sight(page: Page) -> None:
    page.evaluate("document.body.style.height = '3000px'")
    field(page).click()
    box, gap = page.locator(".lw-choice-list"), 2
    page.mouse.wheel(0, 5)
    page.wait_for_function("scrollY === 5")
    page.wait_for_timeout(100)
    at, below = field(page).bounding_box(), box.bounding_box()
    assert at
    assert below
    assert abs(below["y"] - at["y"] - at["height"] - gap) < 1
    page.evaluate("scrollTo(0, 1500)")
    page.wait_for_timeout(100)
    assert names(page) == []


def test_what_cannot_be_chosen_says_so_to_a_screen_reader(page: Page) -> None:
    field(page).click()
    refused = page.locator("[role=option][aria-disabled=true]")
    assert refused.count() == 1
    refused.click(force=True)  # the kernel says why, and gives the old choice back
    assert chosen(page)[1] == ["all-minilm:latest"]
    page.evaluate("model.set('value', 'llama3.2:1b')")
    assert field(page).input_value().startswith("llama3.2:1b")
    page.keyboard.type("qwen2:1b")
    assert field(page).input_value() == "qwen2:1b", "typing goes on as before"


def test_news_while_it_is_open_moves_nothing(page: Page) -> None:
    field(page).focus()
    page.keyboard.type("qwen1")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    before = page.locator(".lw-active > span").first.text_content()
    page.evaluate("model.set('options', model.get('options').toSpliced(0, 1))")
    assert page.locator(".lw-active > span").first.text_content() == before
    assert field(page).input_value() == "qwen1"
    page.keyboard.press("Enter")
    assert chosen(page)[0] == before


def test_names_are_text(page: Page) -> None:
    bad = option("<img src=x onerror=alert(1)>", "<b>", ["<i>"])
    page.evaluate("(bad) => model.set('options', [bad])", bad)
    field(page).click()
    assert names(page) == ["<img src=x onerror=alert(1)>"]
    assert page.evaluate("document.querySelectorAll('img, b, i').length") == 0


def test_a_view_that_is_removed_leaves_no_listener(page: Page) -> None:
    field(page).click()
    page.evaluate("close_view()")
    page.evaluate("model.set('options', [])")
    assert field(page).get_attribute("aria-expanded") == "false"
