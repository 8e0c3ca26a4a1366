"""How a verdict is found: from facts, from a short measurement, from the result of a lesson."""

from __future__ import annotations

import math
from collections.abc import Callable

from lifecycle_widgets.facts.check import Finding
from lifecycle_widgets.facts.claims.claim import DEPENDS, FALSE, NOT_MEASURED, TRUE, Verdict
from lifecycle_widgets.facts.claims.evidence import Evidence
from lifecycle_widgets.facts.fact import FACTS
from lifecycle_widgets.facts.versions import TRIED

Judge = Callable[[Evidence], Verdict]
NO_SERVER = "it takes a server: lw.claims(server)."
_FIVE_MINUTES_S, _PS_SHOWS_S = 300, 240
_CLOSE_S = 2
_WORTH_SAYING = 0.2  # of the load


def by_facts(*names: str, seen: str, word: str = FALSE) -> Judge:
    """The verdict that follows where all of these facts hold, and what was seen then."""
    unknown = [name for name in names if name not in FACTS]
    if unknown:
        raise ValueError(f"There is no fact named {', '.join(unknown)}.")

    def judge(evidence: Evidence) -> Verdict:
        findings = [evidence.finding(name) for name in names]
        if evidence.lab is None:
            tried = f"Tried on Ollama {TRIED[0]} to {TRIED[-1]}, not on this machine."
            return Verdict(word, tried, is_measured=False)
        return _by_findings([f for f in findings if f is not None], word, seen)

    return judge


def _by_findings(findings: list[Finding], word: str, seen: str) -> Verdict:
    lacking = [f.seen.rstrip(".") for f in findings if f.holds is None]
    others = [f for f in findings if f.holds is False]
    if others:
        found = " ".join(f"Not so: {f.fact.sentence} Seen: {f.seen}." for f in others)
        return Verdict(DEPENDS, f"Ollama {others[0].version} behaves in another way. {found}")
    if lacking:
        known = f"On Ollama {TRIED[0]} to {TRIED[-1]}: {word}"
        return Verdict(NOT_MEASURED, f"{lacking[0]}. {known}.", is_measured=False)
    return Verdict(word, seen)


def default_is(seconds: float) -> Judge:
    """That the server's default is so many seconds."""

    def judge(evidence: Evidence) -> Verdict:
        default_s = evidence.default_s
        if default_s is None:
            return _no_server()
        is_so = abs(default_s - seconds) <= _CLOSE_S or default_s == seconds
        return Verdict(TRUE if is_so else FALSE, f"{_loaded_without(default_s)}{_ps(default_s)}")

    return judge


def _loaded_without(default_s: float) -> str:
    head = "A model that was loaded here without a keep_alive"
    if default_s == 0:
        return f"{head} left with its answer."
    if math.isinf(default_s):
        return f"{head} stays: no clock runs."
    return f"{head} leaves after {default_s:g} s."


def _ps(default_s: float) -> str:
    if abs(default_s - _FIVE_MINUTES_S) > _CLOSE_S:
        return ""
    return f" That is 5 minutes; ollama ps rounds it down to {_PS_SHOWS_S // 60}."


def many_models(evidence: Evidence) -> Verdict:
    """0 is best for many models called in turn."""
    if (result := evidence.result("in_turn")) and {"0", "5m"} <= set(result.whole_arms):
        more, table = result.extra_waiting_s("0", than="5m"), result.table
        zero, long = (table.loc[arm, "peak_gb"] for arm in ("0", "5m"))
        held = f" It held {zero:.2f} GB at most, and 5m {long:.2f} GB." if zero == zero else ""
        return Verdict(DEPENDS, f"In turn, with 0 one waits {more} s longer than with 5m.{held}")
    cost, room = evidence.cost, evidence.room
    if cost is None:
        return _no_server()
    text = f"With 0 each call waits for a load: {cost.load_s:.1f} s for {cost.model} (n={cost.n})."
    if room is None:
        return Verdict(DEPENDS, f"{text} It pays where the models do not fit together.")
    return Verdict(DEPENDS, f"{text} {_fit(*room)}")


def _fit(count: int, needed_gb: float, free_gb: float) -> str:
    """Whether the models fit into memory together, and what follows."""
    if count < 2:
        return "Only one model is installed here."
    sizes = f"The {count} smallest models take {needed_gb:.1f} GB, and {free_gb:.1f} GB are free"
    if needed_gb < free_gb:
        return f"{sizes}: they fit together, so it pays to keep them."
    return f"{sizes}: they do not fit together, so 0 costs little more."


def one_model(evidence: Evidence) -> Verdict:
    """Longer is best for one model."""
    if (cost := evidence.cost) is None:
        return _no_server()
    text = f"{cost.model}: a reload costs {cost.reload_s:.1f} s (n={cost.n})"
    t_star_s = cost.t_star_s(1.0)
    if t_star_s is None or not cost.held_bytes:
        return Verdict(DEPENDS, f"{text}. How much memory it takes is not told, so no T* follows.")
    return Verdict(
        DEPENDS,
        f"{text}, and it takes {cost.held_bytes / 1e9:.2f} GB. If a GB-minute is worth 1 s of "
        f"waiting to you, hold it through pauses of up to T* = {t_star_s:.0f} s; if 10 s, up to "
        f"{t_star_s / 10:.0f} s.",
    )


def only_the_load(evidence: Evidence) -> Verdict:
    """keep_alive 0 costs only the load."""
    result = evidence.result("cold_and_warm")
    if result and len(result.histories) > 1:
        row = result.curve.iloc[-1]
        load_s, read_s, tokens = row["load_s"], row["prompt_eval_s"], row["prompt_tokens"]
    elif (cost := evidence.cost) is not None:
        load_s, read_s, tokens = cost.load_s, cost.reading_again_s, cost.tokens
    else:
        return _no_server()
    text = (
        f"With a prompt of {tokens:.0f} tokens the load took {load_s:.1f} s, and reading all of it "
        f"again {read_s:.1f} s."
    )
    if read_s > _WORTH_SAYING * load_s:
        return Verdict(FALSE, text)
    return Verdict(TRUE, f"{text} With a longer conversation it is more.")


def next_task(evidence: Evidence) -> Verdict:
    """A resident model slows down the next task."""
    result = evidence.result("downstream")
    if result is None:
        return Verdict(
            NOT_MEASURED,
            "run lesson 1, and give its result: lw.claims(server, results=[result]).",
            is_measured=False,
        )
    where = "with a shortage of memory, made on purpose" if result.is_short else "as the machine is"
    slow = result.slowdown("resident, idle")
    text = f"{where[0].upper()}{where[1:]}, the task took {slow} times as long."
    return Verdict(TRUE if slow.low > 1.1 else FALSE, text)


def _no_server() -> Verdict:
    return Verdict(NOT_MEASURED, NO_SERVER, is_measured=False)
