"""What people say about keep_alive: where it is measured, and what the verdict rests on."""

from __future__ import annotations

import json
import math
import os
import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import lifecycle_widgets
from lifecycle_widgets.cli import main
from lifecycle_widgets.experiments.statistics import Interval
from lifecycle_widgets.facts import FACTS, Finding
from lifecycle_widgets.facts.claims import CLAIMS, Claims, Verdict, claims
from lifecycle_widgets.facts.claims.claim import DEPENDS, FALSE, NOT_MEASURED, TRUE
from lifecycle_widgets.facts.claims.cost import Cost
from lifecycle_widgets.facts.claims.evidence import Evidence
from lifecycle_widgets.facts.claims.rules import (
    _by_findings,
    _fit,
    by_facts,
    default_is,
    many_models,
    next_task,
    one_model,
    only_the_load,
)
from lifecycle_widgets.facts.claims.shown import claims_html, claims_markdown
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import Server
from tests.recorded import RecordedServer, ollama

NOTEBOOKS = Path(lifecycle_widgets.__file__).parents[1] / "notebooks"
KNOWN = Cost("tiny:1b", 1.0, 3.0, 0.5, tokens=300, held_bytes=500_000_000, n=3)
FORGETS_NOTHING = Cost("tiny:1b", 1.0, 0.5, 0.5, tokens=300, held_bytes=None, n=3)


def known(**values: Any) -> Evidence:
    """Evidence in which these things are known already."""
    evidence = Evidence(results=values.pop("results", ()))
    evidence.__dict__.update(values)
    return evidence


# --- where they are measured ----------------------------------------------------------------------


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: re.sub(r"\W+", "-", c.words)[:40])
def test_its_cell_is_there_and_still_measures_it(claim: Any) -> None:
    cells = json.loads((NOTEBOOKS / f"{claim.lesson}.ipynb").read_text())["cells"]
    found = [cell for cell in cells if cell["id"] == claim.cell]
    assert found, f"{claim.lesson} has no cell {claim.cell} any more"
    [cell] = found
    assert cell["cell_type"] == "code"
    assert claim.measures in "".join(cell["source"]), f"it does not measure: {claim.words}"
    assert "solution" not in cell["metadata"].get("tags", ()), "a class may not have it"


def test_the_advice_that_is_copied_most_is_there() -> None:
    told = claims()
    for words in ("number is minutes", "default is 4 minutes", "-1 never", "out resets",
                  "many models", "one model", "next task", "only the load"):  # fmt: skip
        assert told.verdict(words)
    assert len({claim.words for claim in CLAIMS}) == len(CLAIMS) > 15
    for claim in CLAIMS:
        assert claim.words.endswith(".")
        assert claim.truth.endswith(".")
        assert len(claim.truth) < 120


# --- without a server -----------------------------------------------------------------------------


def test_what_needs_no_server_is_told_without_one() -> None:
    told = claims()
    assert told.where == "no server was asked"
    assert not any(row["measured"] for row in told.rows)
    assert str(told.verdict("bare number")).startswith("false: Tried on Ollama 0.5.7 to ")
    assert told.verdict("memory back").word == TRUE
    for words in ("4 minutes.", "many models", "one model", "only the load"):
        verdict = told.verdict(words)
        assert (verdict.word, verdict.is_measured) == (NOT_MEASURED, False)
        assert "lw.claims(server)" in verdict.because
    assert "run lesson 1" in told.verdict("next task").because
    with pytest.raises(LookupError, match="it takes one"):
        told.verdict("never")


def test_on_the_command_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")
    assert main(["facts", "--claims", "--json"]) == 0
    said = capsys.readouterr()
    assert "no server is asked" in said.err
    assert [row["claim"] for row in json.loads(said.out)] == [claim.words for claim in CLAIMS]
    for wrong, word in ((["--json"], "--claims"), (["--claims", "--slow"], "--slow")):
        with pytest.raises(SystemExit):
            main(["facts", *wrong])
        assert word in capsys.readouterr().err


# --- what a verdict rests on ----------------------------------------------------------------------


def finding(name: str, holds: bool | None, seen: str = "") -> Finding:
    return Finding(FACTS[name], "0.32.15", holds, seen, True, 0.1)


def test_of_facts() -> None:
    name = "absent keeps the value"
    judged = partial(_by_findings, word=FALSE, seen="It was so.")
    assert judged([finding(name, True)]) == Verdict(FALSE, "It was so.")
    other = judged([finding(name, True), finding(name, False, "it left in 300 s")])
    assert other.word == DEPENDS
    assert "behaves in another way" in other.because
    assert "it left in 300 s" in other.because
    lacking = judged([finding(name, None, "tiny:1b is in memory.")])
    assert (lacking.word, lacking.is_measured) == (NOT_MEASURED, False)
    assert lacking.because.startswith("tiny:1b is in memory. On Ollama 0.5.7 to ")
    with pytest.raises(ValueError, match="no fact named nonsense"):
        by_facts("nonsense", seen="")


@pytest.mark.parametrize(
    ("claimed_s", "default_s", "word"),
    [
        (240, 300, FALSE),
        (240, 240, TRUE),
        (0, 300, FALSE),
        (0, 0, TRUE),
        (240, math.inf, FALSE),
    ],
)
def test_of_the_servers_default(claimed_s: float, default_s: float, word: str) -> None:
    verdict = default_is(claimed_s)(known(default_s=default_s))
    assert verdict.word == word
    assert ("rounds it down" in verdict.because) == (default_s == 300)
    assert not re.search(r"\binf\b", verdict.because)


def test_of_a_short_measurement() -> None:
    forgets = only_the_load(known(cost=KNOWN))
    assert forgets.word == FALSE
    assert "300 tokens the load took 1.0 s, and reading all of it again 2.5 s" in forgets.because
    assert only_the_load(known(cost=FORGETS_NOTHING)).word == TRUE

    assert KNOWN.reload_s == 3.5
    assert KNOWN.t_star_s(1.0) == pytest.approx(420)
    held = one_model(known(cost=KNOWN))
    assert "up to T* = 420 s; if 10 s, up to 42 s" in held.because
    assert "not told" in one_model(known(cost=FORGETS_NOTHING)).because

    assert "so it pays to keep them" in _fit(3, 1.0, 20.0)
    assert "0 costs little more" in _fit(3, 30.0, 20.0)
    assert many_models(known(cost=KNOWN, room=None)).because.endswith("do not fit together.")


def test_of_a_lessons_result() -> None:
    def slow(low: float) -> SimpleNamespace:
        interval = Interval(low, low + 1, low + 2, 3)
        return SimpleNamespace(
            kind="downstream", is_complete=True, is_short=True, slowdown=lambda _: interval
        )

    assert next_task(known(results=[slow(3)])).word == TRUE
    assert "4 (3 to 5, n=3) times as long" in next_task(known(results=[slow(3)])).because
    assert next_task(known(results=[slow(0.5)])).word == FALSE
    half_done = slow(3)
    half_done.is_complete = False
    assert next_task(known(results=[half_done])).word == NOT_MEASURED


# --- on a server ----------------------------------------------------------------------------------


def test_nothing_is_loaded_beside_somebodys_model() -> None:
    """And no private server is started where the version is another one."""
    with RecordedServer(ollama(version={"version": "0.32.14"})) as recorded:
        server = Server(recorded.url)
        told = claims(server)
        assert server.version == "0.32.14", "its connections are open still"
        for asked in recorded.asked("/api/generate"):
            assert json.loads(asked.body)["model"] != "tiny:1b"
        assert not recorded.asked("/v1/chat/completions")
    for words in ("bare number", "out resets", "4 minutes.", "only the load"):
        assert "tiny:1b is in memory" in told.verdict(words).because
    assert "needs a private Ollama 0.32.14" in told.verdict("OLLAMA_KEEP_ALIVE").because


@pytest.mark.slow
@pytest.mark.skipif(os.environ.get("LIFECYCLE_LONG") != "1", reason="needs LIFECYCLE_LONG=1")
def test_all_of_them_on_a_private_one() -> None:
    with Sandbox() as sandbox:
        server = Server(sandbox.url)
        told = claims(server)
        assert server.residents() == ()
    words = {row["claim"]: row["verdict"] for row in told.rows}
    assert [claim for claim, word in words.items() if word == NOT_MEASURED] == [
        "A resident model slows down the next task."
    ]
    assert sum(word == TRUE for word in words.values()) == 2
    assert sum(word == DEPENDS for word in words.values()) == 2


# --- how it shows itself --------------------------------------------------------------------------


def test_as_a_table() -> None:
    told = claims()
    assert isinstance(told, Claims)
    assert len(told) == len(told.frame) == told._repr_html_().count("<tr>") - 1 == len(CLAIMS)
    assert told[0] is CLAIMS[0]
    for claim in CLAIMS:
        assert claim.words in str(told)
    hostile = [Verdict(FALSE, "<script>|")]
    assert "<script>" not in claims_html("<b>", CLAIMS[:1], hostile)
    assert "<b>" not in claims_html("<b>", CLAIMS[:1], hostile)
    lines = claims_markdown("here", CLAIMS[:1], hostile).splitlines()
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines[2:]}) == 1
