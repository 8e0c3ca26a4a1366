"""What a person chooses for a run: options that Ollama knows, rules, a keep_alive per model."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import ollama
import pytest

from lifecycle_widgets import KeepAlive
from lifecycle_widgets.agent.choices import (
    checked_keep_alives,
    checked_options,
    checked_rules,
)
from lifecycle_widgets.server import Server

MODEL = "smollm2:135m"


# --- options: names -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("num_predictt", "num_predict"),
        ("Temperature", "temperature"),
        ("NUM_CTX", "num_ctx"),
        ("top-k", "top_k"),
        (" seed", "seed"),
        ("repetition_penalty", "repeat_penalty"),
        ("max_tokens", "num_predict"),
        ("max_new_token", "num_predict"),
        ("n_ctx", "num_ctx"),
        ("n_gpu_layers", "num_gpu"),
        ("miro_stat", "mirostat"),
    ],
)
def test_a_name_that_means_nothing_is_refused_with_the_near_one(name: str, meant: str) -> None:
    with pytest.raises(ValueError, match="means nothing to Ollama") as wrong:
        checked_options({"num_predict": 5, name: 1})
    assert str(wrong.value) == f"{name!r} means nothing to Ollama. Did you mean {meant!r}?"


@pytest.mark.parametrize("name", ["nonsense", "", 5, None, ("seed",)])
def test_a_name_that_is_near_to_none(name: Any) -> None:
    with pytest.raises(ValueError, match=r"means nothing to Ollama\. It knows draft_num_pred"):
        checked_options({name: 1})


def test_a_system_prompt_among_the_options() -> None:
    with pytest.raises(ValueError, match="'system' means nothing in options: give rules="):
        checked_options({"system": "Be brief."})


def test_what_the_client_knows_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every name of the one that is installed; and of a newer one what is new in it."""
    past = dict.fromkeys(ollama.Options.model_fields)
    assert checked_options(past) == past

    class Options(ollama.Options):
        dry_multiplier: float | None = None

    with pytest.raises(ValueError, match="'dry_multiplier' means nothing"):
        checked_options({"dry_multiplier": 0.8})
    monkeypatch.setattr(ollama, "Options", Options)
    assert checked_options({"dry_multiplier": 0.8}) == {"dry_multiplier": 0.8}


def test_ollama_python_is_not_imported_for_this(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "ollama")
    assert checked_options({"seed": 1, "numa": True}) == {"seed": 1, "numa": True}
    with pytest.raises(ValueError, match="'dry_multiplier' means nothing"):
        checked_options({"dry_multiplier": 0.8})
    assert "ollama" not in sys.modules


# --- options: values ------------------------------------------------------------------------------

REFUSED_BY_OLLAMA = [
    ("num_predict", "many", "Give a whole number"),
    ("num_predict", True, "Give a whole number"),
    ("temperature", True, "Give a number"),
    ("temperature", "0.5", "Give a number"),
    ("use_mmap", 1, "Give True or False"),
    ("use_mmap", "true", "Give True or False"),
    ("stop", "END", r"Give a list of texts, such as \['END'\]"),
    ("stop", [1], "Give a list of texts"),
]


@pytest.mark.parametrize(("name", "value", "advice"), REFUSED_BY_OLLAMA)
def test_a_value_of_another_kind_is_refused(name: str, value: Any, advice: str) -> None:
    with pytest.raises(ValueError, match=advice) as wrong:
        checked_options({name: value})
    assert str(wrong.value).startswith(f"{name} is {value!r}. ")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("num_predict", 3.7),  # 3 to Ollama
        ("seed", 2**70),  # another number
        ("seed", float("inf")),
        ("num_ctx", float("nan")),
        ("temperature", float("nan")),  # no JSON
        ("temperature", 10**400),
        ("top_p", 1e300),  # more than a float32
        ("num_thread", [4]),
        ("stop", {"END"}),
        ("mirostat", "on"),
    ],
)
def test_a_value_that_would_become_another_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name} is .*Give ") as wrong:
        checked_options({name: value})
    assert len(str(wrong.value)) < 200


@pytest.mark.parametrize("tokens", [0, -1, 3, 3.0])
def test_a_context_that_ollama_would_replace(tokens: float) -> None:
    with pytest.raises(ValueError, match="Ollama would take a context of 4 tokens"):
        checked_options({"num_ctx": tokens})


def test_what_ollama_takes_is_left_as_it_is() -> None:
    given = {
        "num_predict": -1, "num_ctx": 4, "seed": -1, "top_k": 0, "num_gpu": -1, "temperature": 0,
        "min_p": 0.05, "stop": ["a", ""], "use_mmap": False, "mirostat": 1, "num_keep": None,
    }  # fmt: skip
    assert checked_options(given) == given
    assert type(checked_options(given)["temperature"]) is int


def test_numbers_of_other_libraries_become_numbers_of_json() -> None:
    given = {"num_ctx": np.int64(512), "seed": 7.0, "temperature": np.float32(0.5)}
    given |= {"top_p": Fraction(1, 2), "top_k": np.float64(40.0), "stop": ("a",)}
    assert json.dumps(checked_options(given)) == (
        '{"num_ctx": 512, "seed": 7, "temperature": 0.5, "top_p": 0.5, "top_k": 40, "stop": ["a"]}'
    )


@pytest.fixture(scope="module")
def url(sandbox: Any) -> Iterator[str]:
    yield sandbox.url
    Server(sandbox.url).unload(MODEL)


@pytest.mark.parametrize(("name", "value"), [refused[:2] for refused in REFUSED_BY_OLLAMA])
def test_ollama_refuses_it_too(url: str, name: str, value: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as wrong:
        ask(url, {name: value})
    assert f'option \\"{name}\\" must be of' in wrong.value.read().decode()


def test_what_ollama_makes_of_a_context_of_none(url: str) -> None:
    ask(url, {"num_ctx": 0})
    assert [r.context_length for r in Server(url).residents()] == [4]
    ask(url, {"num_ctx": 64, "nonsense": 1, "Temperature": "x"})  # it says nothing of these


def ask(url: str, options: dict[str, Any]) -> None:
    body = {
        "model": MODEL,
        "prompt": "Hi",
        "stream": False,
        "options": {"num_predict": 1} | options,
    }
    head = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/generate", json.dumps(body).encode(), head)
    with urllib.request.urlopen(request, timeout=60):
        pass


# --- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "rules"),
    [
        ((), ()),
        ("", ()),
        ("Be brief.", ("Be brief.",)),
        (["Be brief.", " ", "Say {{ please }}."], ("Be brief.", "Say {{ please }}.")),
        ((rule for rule in ("a", "b")), ("a", "b")),
    ],
)
def test_rules_are_texts(given: Any, rules: tuple[str, ...]) -> None:
    assert checked_rules(given) == rules


@pytest.mark.parametrize("given", [None, 5, b"Be brief.", {"a": 1}, [None], ["a", ["b"]]])
def test_what_are_no_rules(given: Any) -> None:
    with pytest.raises(ValueError, match=r"^rules .*Give texts, such as"):
        checked_rules(given)


# --- a keep_alive for each model ------------------------------------------------------------------

TWO = ("llama3.2", "smollm2:135m")


@pytest.mark.parametrize(
    ("given", "chosen"),
    [
        (None, {}),
        ("5m", {"llama3.2": "5m", "smollm2:135m": "5m"}),
        (0, {"llama3.2": "0", "smollm2:135m": "0"}),
        (KeepAlive(None), {"llama3.2": "server default", "smollm2:135m": "server default"}),
        ({"library/LLAMA3.2:latest": -1}, {"llama3.2": "forever"}),
        ({"SmolLM2:135M": "0", "llama3.2": None}, {"smollm2:135m": "0"}),
        ({}, {}),
    ],
)
def test_one_value_or_one_for_each_model(given: Any, chosen: dict[str, str]) -> None:
    assert {m: str(k) for m, k in checked_keep_alives(given, [*TWO, *TWO]).items()} == chosen


def test_a_model_under_two_names_gets_it_under_both() -> None:
    names = ("llama3.2", "llama3.2:latest")
    assert checked_keep_alives({"llama3.2": 0}, names) == dict.fromkeys(names, KeepAlive(0))


@pytest.mark.parametrize(
    ("given", "models", "match"),
    [
        ({"smollm2": 0}, TWO, "no model of this structure. Did you mean 'smollm2:135m'"),
        ({"llama32": 0}, TWO, "Did you mean 'llama3.2'"),
        ({"qwen3:4b": 0}, TWO, r"no model of this structure. It has 'llama3.2', 'smollm2:135m'"),
        ({5: 0}, TWO, "names 5, which is no model"),
        ({"a": 0}, (), "It has no model at all"),
        ({"llama3.2": 0, "LLAMA3.2": 5}, TWO, "names 'llama3.2' twice"),
        ({"llama3.2": "5"}, TWO, r"^llama3.2: keep_alive '5' has no unit"),
        ("5 m", TWO, "has a space in it"),
        (True, TWO, "truth value"),
    ],
)
def test_a_keep_alive_of_no_model(given: Any, models: tuple[str, ...], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        checked_keep_alives(given, models)
