"""Each fact that the product builds on and teaches, tried on a real, running Ollama."""

from __future__ import annotations

from pathlib import Path

import pytest

import lifecycle_widgets
from lifecycle_widgets.facts import FACTS, HOLDS, TOPICS, Fact, Lab, holds_in, try_fact
from lifecycle_widgets.facts.fact import add
from lifecycle_widgets.facts.versions import TRIED, said_of

ROOT = Path(lifecycle_widgets.__file__).parents[1]
EACH = [
    pytest.param(fact, id=fact.name, marks=[pytest.mark.slow] if fact.is_slow else [])
    for fact in FACTS.values()
]


@pytest.mark.parametrize("fact", EACH)
def test_a_fact(lab: Lab, fact: Fact) -> None:
    finding = try_fact(fact, lab)
    if finding.holds is None:
        if lab.sandbox is not None and lab.sandbox.origin == "built":
            pytest.fail(f"It must be possible to try it here: {finding.message}")
        pytest.skip(finding.message)
    assert not finding.is_surprise, finding.message


def test_what_is_taught_is_there_word_for_word() -> None:
    """So that a fact which no longer holds names the sentence that is no longer true."""
    taught = [place for fact in FACTS.values() for place in fact.taught]
    assert len(taught) > 10
    for where, words in taught:
        file = next(ROOT.glob(f"{where}.*"))
        text = " ".join(file.read_text().replace("\\n", " ").replace('\\"', '"').split())
        text = text.replace('" "', "")  # a sentence that a notebook or a module breaks in two
        assert words in text, f"{file} does not say: {words}"


def test_the_table_of_versions_names_facts() -> None:
    assert set(HOLDS) <= set(FACTS)
    for name, rows in HOLDS.items():
        assert not all(holds_in(name, version) for version in TRIED), f"{name} needs no row"
        for row in rows:
            assert row.since is None or holds_in(name, row.since)
            assert row.before is None or not holds_in(name, row.before)
            assert str(row) in said_of(name)


def test_every_fact_has_a_sentence_a_source_and_a_topic() -> None:
    for fact in FACTS.values():
        assert fact.sentence.rstrip(")").endswith((".", "}", '"', "'")) or ": " in fact.sentence
        assert fact.source, fact.name
        assert fact.topic in TOPICS
    with pytest.raises(ValueError, match="two facts"):
        add(next(iter(FACTS.values())))
