"""Facts: what a runner remembers of the prompts that it has read, and until when."""

from __future__ import annotations

from typing import Any

from lifecycle_widgets.facts.fact import fact
from lifecycle_widgets.facts.lab import Lab
from lifecycle_widgets.facts.outcomes import require, require_equal

TOPIC = "Prompt cache"
_RUNNER = "llm/llama_server.go, Completion (cache_prompt)"
_LINES = 20  # some 300 tokens: long enough to tell, short enough to be read in a second
_MOST = 0.5  # of the time for all of it; what is not read again takes a tenth or less


def _read(lab: Lab, end: str, **more: Any) -> dict[str, Any]:
    """An answer to a long prompt, which differs in its end only."""
    lines = (f"Line {number} of the log says that all is well." for number in range(_LINES))
    body = {"prompt": " ".join([*lines, end]), "raw": True, "keep_alive": 600, **more}
    return lab.answer(lab.model, tokens=1, **body)


def _read_again(lab: Lab, **more: Any) -> bool:
    """Whether the beginning of a prompt that has just been read is read once more."""
    whole = _read(lab, "Now?")
    return _ns(_read(lab, "And then?", **more)) > _MOST * _ns(whole)


def _ns(answer: dict[str, Any]) -> int:
    return int(answer.get("prompt_eval_duration", 0))


@fact(TOPIC, "While a model stays, its runner keeps what it has read: of a prompt that begins as "
      "the one before it only the rest is read, so prompt eval takes a small part of the time.",
      source=_RUNNER,
      taught=(("notebooks/05_agents_with_tools", "keeps what it has read, and reads only what is "
               "new"),))  # fmt: skip
def a_known_beginning_is_not_read_again(lab: Lab) -> None:
    lab.cold(lab.model)
    require(not _read_again(lab), "prompt eval took as long as for the whole prompt")


@fact(TOPIC, "Unloading throws the prompt cache away: after a reload the whole prompt is read "
      "again.", source="server/sched.go, processCompleted",
      taught=(("notebooks/03_one_model_in_a_row", "Unloading throws that away"),
              ("notebooks/05_agents_with_tools", "unloading throws this prompt cache away"))
      )  # fmt: skip
def unloading_forgets_the_prompt(lab: Lab) -> None:
    lab.cold(lab.model)
    whole = _read(lab, "Now?")
    lab.cold(lab.model)
    again = _read(lab, "And then?")
    require(_ns(again) > _MOST * _ns(whole), f"{_ns(whole)} ns, then {_ns(again)} ns")


@fact(TOPIC, "Other options (num_ctx) load the model anew, and throw the prompt cache away, too.",
      source="server/sched.go, needsReload")  # fmt: skip
def other_options_forget_the_prompt(lab: Lab) -> None:
    lab.cold(lab.model)
    require(_read_again(lab, options={"num_ctx": 1024}), "the prompt was not read again")


@fact(TOPIC, "prompt_eval_count counts the whole prompt, also what was still in the cache.",
      source=_RUNNER)  # fmt: skip
def cached_tokens_count(lab: Lab) -> None:
    first, second = (lab.answer(lab.model)["prompt_eval_count"] for _ in range(2))
    require_equal(second, first, "prompt_eval_count of the same prompt once more")


@fact(TOPIC, "The last piece tells how much of the prompt came from the cache: "
      "prompt_eval_cached_count.", source="api/types.go, Metrics (0.34.0)")  # fmt: skip
def cached_tokens_are_told(lab: Lab) -> None:
    lab.cold(lab.model)
    first, second = _read(lab, "Now?"), _read(lab, "And then?")
    require("prompt_eval_cached_count" in second, f"the last piece has {', '.join(second)}")
    require_equal(first.get("prompt_eval_cached_count", 0), 0, "after a load")
    cached, count = second["prompt_eval_cached_count"], second["prompt_eval_count"]
    require(_MOST * count < cached < count, f"{cached} of {count} tokens")


@fact(TOPIC, "A prompt that is longer than num_ctx is cut, and nothing says so: prompt_eval_count "
      "is what the model saw.", source="llm/llama_server.go, Completion (truncate)")  # fmt: skip
def a_long_prompt_is_cut(lab: Lab) -> None:
    lab.cold(lab.model)
    whole = _read(lab, "Now?")
    cut = _read(lab, "Now?", options={"num_ctx": 128})
    require(cut["prompt_eval_count"] <= 128 < whole["prompt_eval_count"],
            f"{cut['prompt_eval_count']} of {whole['prompt_eval_count']} tokens")  # fmt: skip
