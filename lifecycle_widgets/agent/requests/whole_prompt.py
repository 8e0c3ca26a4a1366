"""Whether a model saw the whole prompt.

Ollama cuts a prompt that is longer than the context, and says nothing. It leaves out the oldest
messages, and of one message that is too long its beginning, so that about half of the context is
left for the answer. All that tells of it is the number of tokens that were read; so what was sent
is counted here, in a way that cannot count more tokens than there are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# No tokenizer makes one token of a word and a mark, or of two words: each of these is at least
# one. (Spaces go with the word that follows, and many of them can be one token.)
_PIECE = re.compile(r"[^\W\d_]+|\d+|_+|[^\w\s]+")
_RUN = re.compile(r"(.)\1{3,}", re.DOTALL)  # the same many times over: any number can be a token
_BYTES_PER_TOKEN = 5  # of English, at most: 3.8 to 5.0; of code and data less (SmolLM2, measured)
_TOO_LITTLE = 1.25  # by which the estimate can lie below the truth for all we know
_NUM_KEEP = 4  # Ollama's default for the tokens at the beginning that are never left out


@dataclass(frozen=True)
class Sent:
    """What a request sends for the model to read: the texts of its messages, and its tools."""

    texts: tuple[str, ...] = ()
    tools: str = ""

    @classmethod
    def of(cls, messages: Iterable[Any], tools: Any = None) -> Sent:
        """Of the messages and tools as ollama-python takes them."""
        told = json.dumps(tools, default=str) if tools else ""
        return cls(tuple(str(m.get("content") or "") for m in messages), told)

    @property
    def most_tokens(self) -> int:
        """More tokens than this it cannot have: one for each byte."""
        return sum(len(text.encode("utf-8", "replace")) for text in (*self.texts, self.tools))

    @property
    def least_tokens(self) -> int:
        """Fewer tokens than this the messages cannot have. (Not every template shows the tools.)"""
        return sum(map(_pieces, self.texts))

    @property
    def about_tokens(self) -> int:
        """About how many tokens it has: rather too few, but of one word over and over."""
        return sum(map(_about, (*self.texts, self.tools)))


def whole_prompt_tokens(
    sent: Sent,
    seen: int | None,
    context: int | None,
    *,
    seen_before: int = 0,
    options: Mapping[str, Any] | None = None,
) -> int | None:
    """About how many tokens a prompt has that the model did not see all of; None: it did, or that
    is not known.

    Parameters
    ----------
    seen:
        ``prompt_eval_count``: how many tokens were read, those in the cache included.
    context:
        The context in force, in tokens; where it is not known, nothing is said.
    seen_before:
        How many tokens were seen of an earlier request of the run: this one holds it and more.

    Examples
    --------
    >>> sent = Sent(("word " * 3000,))
    >>> whole_prompt_tokens(sent, 258, 512), whole_prompt_tokens(sent, 3010, 4096)
    (3000, None)
    """
    if not seen or not context or max(sent.most_tokens, seen_before) <= context:
        return None
    least = max(sent.least_tokens, seen_before)
    about = max(sent.about_tokens, least)
    if about * _TOO_LITTLE <= context:
        return None  # it need not have been the context
    is_cut = least > seen or (seen in _cut_lengths(context, options or {}) and about > context)
    return about if is_cut else None


def _cut_lengths(context: int, options: Mapping[str, Any]) -> Sequence[int]:
    """The lengths to which one message is cut: ``contextShiftPromptLimit`` of llm/llama_server.go
    (0.32), with and without a token for the beginning; and the context, by older versions."""
    given = options.get("num_keep")
    keep = given if isinstance(given, int) and given >= 0 else _NUM_KEEP
    return [*(context - max((context - k) // 2, 1) for k in (keep, keep + 1)), context]


def _pieces(text: str) -> int:
    return sum(1 for _ in _PIECE.finditer(text))


def _about(text: str) -> int:
    short = _RUN.sub(r"\1", text)
    return max(_pieces(text), len(short.encode("utf-8", "replace")) // _BYTES_PER_TOKEN)
