"""What is written behind the magic: the options, and the prompt, of which nothing is lost."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.magic import agent_magic
from lifecycle_widgets.magic.arguments import OPTIONS, read_arguments
from lifecycle_widgets.magic.questions import questions_stay


def test_all_options() -> None:
    asked = read_arguments(
        "--model tiny:1b --keep-alive=forever --server http://a:1 --think off "
        "--option num_predict=50 "
        '--option stop=\'["\\n"]\' --option note=plain --rules "It\'s \\"so\\"." --rules Second '
        "--tools a,b --tools c --no-hold --timeout 1.5 --as run -- --model's prompt"
    )
    assert (asked.model, asked.keep_alive) == ("tiny:1b", KeepAlive("forever"))
    assert (asked.server, asked.think, asked.hold) == ("http://a:1", False, False)
    assert asked.options == {"num_predict": 50, "stop": ["\n"], "note": "plain"}
    assert asked.rules == ['It\'s "so".', "Second"]
    assert asked.tools == ["a", "b", "c"]
    assert (asked.timeout_s, asked.name) == (1.5, "run")
    assert asked.prompt == "--model's prompt"


def test_the_help_tells_of_each() -> None:
    for option in OPTIONS:
        assert option in agent_magic.HELP


@given(st.text())
def test_a_cells_text_is_the_prompt(text: str) -> None:
    """IPython ends it with a line end, and no variable is put in."""
    asked = read_arguments("--model a", f"{text}\n", lambda _: "a")
    assert asked.prompt == text


@given(st.text().filter(lambda t: t.strip() and "\n" not in t))
def test_the_rest_of_a_line_is_the_prompt(text: str) -> None:
    asked = read_arguments(f"--model a -- {text}", None, lambda _: "a")
    assert asked.prompt == text.lstrip()


@given(st.text(min_size=1).filter(lambda t: t.isprintable()))
def test_what_a_shell_would_quote_is_read(text: str) -> None:
    if "'" not in text:
        assert read_arguments(f"--rules {shlex.quote(text)} Hi").rules == [text]
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    assert read_arguments(f'--rules "{escaped}" Hi').rules == [text]


def test_variables_are_for_values_only() -> None:
    asked = read_arguments("--model {m} What is {m}?", None, lambda v: v.replace("{m}", "tiny:1b"))
    assert (asked.model, asked.prompt) == ("tiny:1b", "What is {m}?")


@pytest.mark.parametrize(
    ("line", "match"),
    [
        ("--modell a Hi", "There is no option --modell. Did you mean --model?"),
        ("--keep_alive 0 Hi", "Did you mean --keep-alive?"),
        ("-m a Hi", "There is no option -m. Did you mean --model?"),
        ("--zzz Hi", r"There is no option --zzz. %%agent\? tells of all."),
        ("--model", "--model wants a value: --model NAME"),
        ("--model a --model b Hi", "--model is given twice"),
        ("--hold=1 Hi", "--hold takes no value"),
        ("--rules 'Be brief. Hi", "is not closed"),
        ("--keep-alive 5 Hi", "keep_alive"),
        ("--keep-alive -1 Hi", "forever"),
        ("--keep-alive 1d Hi", "keep_alive"),
        ("--think maybe Hi", "--think is 'maybe'. Give on, off, low, medium, high."),
        ("--option num_predict 50 Hi", "--option is 'num_predict'. Give it as NAME=VALUE"),
        ("--timeout soon Hi", "--timeout is 'soon'. Give seconds"),
        ("--timeout 0 Hi", "--timeout is '0'"),
        ("--timeout nan Hi", "--timeout is 'nan'"),
        ("--as my-run Hi", "--as is 'my-run', which is no name"),
        ("--as for Hi", "--as is 'for'"),
        ("--structure pipe --model a Hi", "--model means nothing with --structure"),
    ],
)
def test_what_is_wrong_is_said(line: str, match: str) -> None:
    with pytest.raises(ValueError, match=match) as wrong:
        read_arguments(line)
    assert len(str(wrong.value).splitlines()) == 1


def test_what_stands_behind_a_cells_options_is_no_prompt() -> None:
    with pytest.raises(ValueError, match="'tiny:1b' is no option"):
        read_arguments("tiny:1b", "Hi\n")


@pytest.mark.parametrize("prompt", ["-1 + 2", "- an item", "–long dash", "a --model b"])
def test_a_prompt_may_begin_and_go_on_like_this(prompt: str) -> None:
    assert read_arguments(f"--model a {prompt}").prompt == prompt


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        (["%agent Why is the sky blue?\n"], ["%agent Why is the sky blue? \n"]),
        (["x = 1\n", "    %agent Why??\n"], ["x = 1\n", "    %agent Why?? \n"]),
        (["%agent?\n"], ["%agent?\n"]),
        (["%%agent\n", "%agent Why?\n"], ["%%agent\n", "%agent Why?\n"]),
        (["print('?')\n", "str?\n"], ["print('?')\n", "str?\n"]),
        ([], []),
    ],
)
def test_a_question_stays_a_question(written: list[str], becomes: list[str]) -> None:
    assert questions_stay(written) == becomes


def test_nothing_is_asked_for_by_default() -> None:
    said: Any = vars(read_arguments("Hi"))
    assert {name for name, value in said.items() if value} == {"prompt"}
