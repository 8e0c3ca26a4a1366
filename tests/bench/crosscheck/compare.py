"""Each number of ours that a played story has made, held against its witness."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from lifecycle_widgets.runs import Step
from tests.bench.crosscheck.compare_experiments import experiments
from tests.bench.crosscheck.compare_stays import stays
from tests.bench.crosscheck.ollama_log import Completion
from tests.bench.crosscheck.seen import Asked
from tests.bench.crosscheck.socket_clock import Exchange
from tests.bench.crosscheck.stage import TOOL_S, Stage
from tests.bench.crosscheck.table import CLOCK_MS, EXACT, Comparison

_MB = 1e6
_FILES_MB = 30.0  # pages of Python's and llama.cpp's files in one runner
_ESTIMATE_MB = 50.0
_ABOUT_PERCENT = 25.0


def compared(stage: Stage) -> list[Comparison]:
    """All of them."""
    kinds = (_loads, stays, _requests_clocks, _runs_clocks, experiments, _tokens, _memory)
    return [comparison for kind in kinds for comparison in kind(stage)]


# --- loads ----------------------------------------------------------------------------------------


def _loads(stage: Stage) -> Iterator[Comparison]:
    count = Comparison("`loads` of a run", "loads ended by Ollama's log", "", 0, EXACT)
    load_ms = Comparison(
        "`load_s` of a request", "from the relay's last byte sent to the log's line", "ms",
        CLOCK_MS, "the log's line comes a moment before the load is over for the request",
    )  # fmt: skip
    for asked in stage.asked:
        weights = stage.weights[asked.run.model]
        lines = (line for line in stage.log.loads("ended") if line.weights == weights)
        loaded_s = [line.at_s - stage.wall_ahead_s for line in lines]
        during = sum(asked.began_s <= at_s <= asked.ended_s for at_s in loaded_s)
        count.hold(asked.run.loads, during, str(asked))
        for step, exchange in _pairs(asked):
            its = [at_s for at_s in loaded_s if exchange.sent_s <= at_s <= (exchange.ended_s or 0)]
            theirs_s = its[0] - exchange.sent_s if its else 0.0
            load_ms.hold_ms(step.timings.load_s, theirs_s, str(asked))
    yield from (count, load_ms)


# --- clocks ---------------------------------------------------------------------------------------


def _requests_clocks(stage: Stage) -> Iterator[Comparison]:
    between = "a client and Python's threads are between the socket and our clock"
    ttft = Comparison("`ttft_s` of a request", "a bare socket's clock", "ms", CLOCK_MS, between)
    text = Comparison("`first_text_s` of a request", "the same", "ms", CLOCK_MS, between)
    total = Comparison("`total_s` of a request", "the same", "ms", CLOCK_MS, between)
    for asked in stage.asked:
        for step, exchange in _pairs(asked):
            ours, where = step.timings, str(asked)
            ttft.hold_ms(ours.ttft_s, _less(exchange.token_s, exchange.sent_s), where)
            text.hold_ms(ours.first_text_s, _less(exchange.text_s, exchange.sent_s), where)
            total.hold_ms(ours.total_s, _less(exchange.ended_s, exchange.sent_s), where)
    yield from (ttft, text, total)


def _runs_clocks(stage: Stage) -> Iterator[Comparison]:
    """Those that count from the run's start, which the socket knows by the time of day."""
    between = "griptape is between them as well, and a clock's two faces"
    start = Comparison("`start_s` of a step", "a bare socket's clock", "ms", CLOCK_MS, between)
    ttft = Comparison("`ttft_s` of a run", "the same", "ms", CLOCK_MS, between)
    text = Comparison("`first_text_s` of a run", "the same", "ms", CLOCK_MS, between)
    total = Comparison("`total_s` of a run", "the same", "ms", CLOCK_MS, between)
    tools = Comparison("`tools_s` of a run", "the tool's own 0.7 s each", "ms", CLOCK_MS, between)
    parts = Comparison("`parts` of a run, added up", "its `total_s`", "ms", 10, "three clocks")
    for asked in stage.asked:
        run, where = asked.run, str(asked)
        began_s = run.started_at.timestamp() - stage.wall_ahead_s
        for step, exchange in _pairs(asked):
            start.hold_ms(step.start_s, exchange.came_s - began_s, where)
        if asked.exchanges:
            firsts = [_first(e.token_s for e in asked.exchanges)]
            firsts += [_first(e.text_s for e in asked.exchanges), asked.exchanges[-1].ended_s]
            ours = (run.timings.ttft_s, run.timings.first_text_s, run.timings.total_s)
            for comparison, ours_s, at_s in zip((ttft, text, total), ours, firsts, strict=True):
                comparison.hold_ms(ours_s, _less(at_s, began_s), where)
        if not run.stopped:
            tools.hold_ms(run.timings.tools_s, (len(run.steps) - 1) * TOOL_S, where)
        parts.hold_ms(sum(run.parts.values()), run.timings.total_s, where)
    yield from (start, ttft, text, total, tools, parts)


def _pairs(asked: Asked) -> Iterator[tuple[Step, Exchange]]:
    if asked.exchanges:
        yield from zip(asked.run.steps, asked.exchanges, strict=True)


def _first(times: Iterable[float | None]) -> float | None:
    return next((at_s for at_s in times if at_s is not None), None)


def _less(at_s: float | None, since_s: float) -> float | None:
    return None if at_s is None else at_s - since_s


# --- tokens ---------------------------------------------------------------------------------------


def _tokens(stage: Stage) -> Iterator[Comparison]:
    by = "the runner's own count"
    prompt = Comparison("`prompt_tokens`", by, "", 0, EXACT)
    output = Comparison("`output_tokens`", by, "", 0, EXACT)
    cached = Comparison("`cached_tokens`", by, "", 0, EXACT, since="0.34")
    context = Comparison("`context_length` of a run", "the runner's context", "", 0, EXACT)
    read_ms = Comparison("`prompt_eval_s`", "the runner's own clock", "ms", 1, "rounded")
    eval_ms = Comparison("`eval_s`", "the runner's own clock", "ms", 1, "rounded")
    for asked in stage.asked:
        for step, counted in _counted(asked):
            ours, where = step.timings, str(asked)
            prompt.hold(ours.prompt_tokens, counted.prompt, where)
            output.hold(ours.output_tokens, counted.output, where)
            cached.hold(ours.cached_tokens, counted.cached, where)
            context.hold(asked.run.context_length, counted.context, where)
            read_ms.hold_ms(ours.prompt_eval_s, counted.prompt_eval_s, where)
            eval_ms.hold_ms(ours.eval_s, counted.eval_s, where)
    yield from (prompt, output, cached, context, read_ms, eval_ms, _whole_prompts(stage))


def _counted(asked: Asked) -> Iterator[tuple[Step, Completion]]:
    if asked.completions:
        yield from zip(asked.run.steps, asked.completions, strict=True)


def _whole_prompts(stage: Stage) -> Comparison:
    """Of prompts that were cut, of which ours are estimates; of others nothing may be said."""
    whole = Comparison(
        "`whole_prompt_tokens`", "tokens before the cut by Ollama's log", "%", _ABOUT_PERCENT,
        "an estimate: about so many",
    )  # fmt: skip
    for asked in stage.asked:
        ours = [step.whole_prompt_tokens for step in asked.run.steps]
        if not asked.whole_prompts and any(ours):
            whole.hold(math.inf, 0.0, f"{asked}: {ours}, and nothing was cut")
        for tokens, theirs in zip(ours, asked.whole_prompts, strict=False):
            whole.hold(None if tokens is None else 100 * tokens / theirs, 100, str(asked))
    return whole


# --- memory ---------------------------------------------------------------------------------------


def _memory(stage: Stage) -> Iterator[Comparison]:
    pages = Comparison(
        "`rss_bytes` of a runner", "its pages, counted one by one", "MB", 1.0,
        "the kernel's running count may lag by some pages",
    )  # fmt: skip
    account = Comparison(
        "`rss_bytes`, per runner", "the control group's account", "MB", _FILES_MB,
        "which has the pages of the program's files under page cache",
    )  # fmt: skip
    told = Comparison(
        "`size_bytes` in /api/ps, per runner", "the control group's account", "MB", _ESTIMATE_MB,
        "Ollama's own estimate: of the model, not of the program around it",
    )  # fmt: skip
    for weighed in stage.weighed:
        for pid, sampled in weighed.sampled.items():
            pages.hold(sampled / _MB, weighed.pages[pid] / _MB, weighed.scene)
        if weighed.account is not None:
            count, all_of_them = len(weighed.sampled), sum(weighed.sampled.values())
            each = weighed.account / count / _MB
            account.hold(all_of_them / count / _MB, each, weighed.scene)
            told.hold(weighed.told / count / _MB, each, weighed.scene)
    yield pages
    if stage.account is not None:
        yield from (account, told)
