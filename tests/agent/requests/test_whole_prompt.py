"""Whether the model saw the whole prompt: said when it did not, and never when it did."""

from __future__ import annotations

import pytest

from lifecycle_widgets.agent import run_agent
from lifecycle_widgets.agent.requests.whole_prompt import Sent, whole_prompt_tokens
from lifecycle_widgets.server import Server
from tests.griptape_tools import clock
from tests.recorded import RecordedServer, chat, chunk, final, ollama, resident

MODEL = "smollm2:135m"
CHINESE = "天地玄黄宇宙洪荒日月盈昃辰宿列张寒来暑往秋收冬藏闰余成岁律吕调阳"
PROSE = "The quick brown fox jumps over the lazy dog, and then it goes home. "
# texts, and how many tokens SmolLM2 makes of them, its template's 10 included
KNOWN = [
    ("word " * 3000, 3010),
    (PROSE * 100, 1610),
    ("        return self._thing(value)\n" * 100, 910),
    ("a" + " " * 12_000 + "b", 200),
    ("\n" * 5000, 1259),
    ("-" * 8000, 134),
    ("a" * 8000, 2009),
    ("internationalization institutionalization " * 300, 1210),
    ("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen " * 80, 2170),
    (CHINESE * 40, 2809),
    ("3.14159265358979 " * 300, 5109),
    ("| a | b |\n|---|---|\n" * 400, 4809),
    ("😀🎉 " * 400, 2011),
]


@pytest.mark.parametrize(("text", "tokens"), KNOWN, ids=[text[:8].strip() for text, _ in KNOWN])
def test_a_prompt_that_was_seen_whole_is_never_said_to_be_cut(text: str, tokens: int) -> None:
    sent = Sent((text,))
    assert sent.least_tokens <= tokens <= sent.most_tokens + 10
    for context in (tokens + 1, tokens + 50, 2 * tokens, 4096, 8192):
        if tokens < context:
            assert whole_prompt_tokens(sent, tokens, context) is None


@pytest.mark.parametrize(("text", "tokens"), KNOWN[:3] + KNOWN[10:], ids=str)
def test_one_that_was_cut_to_half_the_context_is(text: str, tokens: int) -> None:
    about = whole_prompt_tokens(Sent((text,)), 258, 512)
    assert about is not None
    assert 258 < about <= 1.3 * tokens


@pytest.mark.parametrize(
    ("seen", "context", "options"),
    [
        (258, 512, {}),  # SmolLM2 on Ollama 0.32.15, as seen
        (2050, 4096, {}),
        (2051, 4096, {}),  # with a token for the beginning
        (512, 512, {}),  # older versions
        (268, 512, {"num_keep": 24}),
    ],
)
def test_the_lengths_that_ollama_cuts_to_are_known(
    seen: int, context: int, options: dict[str, int]
) -> None:
    """Also where no least number of tokens tells, as of a text without spaces."""
    sent = Sent((CHINESE * (context // 10),))
    assert sent.least_tokens < seen
    assert whole_prompt_tokens(sent, seen, context, options=options) is not None
    assert whole_prompt_tokens(sent, seen + 7, context, options=options) is None


def test_a_request_that_holds_an_earlier_one_has_no_fewer_tokens() -> None:
    sent = Sent((CHINESE * 60,))
    assert whole_prompt_tokens(sent, 400, 512, seen_before=500) is not None
    assert whole_prompt_tokens(sent, 500, 512, seen_before=500) is None


@pytest.mark.parametrize(("seen", "context"), [(None, 512), (0, 512), (258, None), (258, 0)])
def test_where_it_is_not_told_nothing_is_said(seen: int | None, context: int | None) -> None:
    assert whole_prompt_tokens(Sent((PROSE * 100,)), seen, context) is None


def test_a_template_that_leaves_messages_out_is_not_the_context() -> None:
    """Of a conversation it may show the last message alone."""
    assert whole_prompt_tokens(Sent((PROSE * 20, "Hi")), 12, 4096) is None


# --- on a real Ollama ---------------------------------------------------------------------------


def test_a_long_prompt_with_a_small_context_is_told(server: Server) -> None:
    few = {"num_predict": 2, "num_ctx": 512}
    run = run_agent(PROSE * 300, model=MODEL, server=server, options=few)
    assert run.note is not None
    assert "The model saw 258 of about 4,800 tokens: raise num_ctx, or shorten the pr" in run.note
    talk = [(PROSE * 20, "ok")] * 3
    run = run_agent("Say hi.", model=MODEL, server=server, options=few, history=talk)
    assert run.note is not None
    assert f"saw {run.timings.prompt_tokens} of about 970 tokens" in run.note
    whole = {"num_predict": 2, "num_ctx": 2048}
    run = run_agent("Say hi.", model=MODEL, server=server, options=whole, history=talk)
    assert "saw" not in (run.note or "")


# --- of recorded shapes -------------------------------------------------------------------------


def test_what_is_sent_is_counted_with_history_and_tools() -> None:
    sent = Sent.of([{"role": "user", "content": "Hi there"}, {"role": "assistant"}], [{"a": "b"}])
    assert (sent.texts, sent.tools) == (("Hi there", ""), '[{"a": "b"}]')
    assert (sent.least_tokens, sent.about_tokens) == (2, 2 + 6)


def test_the_context_in_force_is_asked_for() -> None:
    ps = {"models": [resident(context_length=512)]}
    answer = chat(chunk("x"), final(prompt_eval_count=258))
    with RecordedServer(ollama(ps=ps, chat=answer)) as recorded:
        run = run_agent(PROSE * 100, model="tiny:1b", server=recorded.url, tools=[clock()])
    assert run.context_length == 512
    assert run.note is not None
    assert run.note.startswith("The model saw 258 of about 1,"), "and the tools count"
