"""Chunks of an answer: what a server's lines mean, read leniently.

ollama-python takes each line for what Ollama would send, and griptape what that makes of it: a
field that is missing, null or of another kind ends the run with an exception of theirs. So each
line is read here, below both, and written anew with what it does tell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lifecycle_widgets.agent.requests.openai_lines import OpenAILines

_MOST = 1e18  # no answer takes so many nanoseconds, or tokens
_SHOWN = 80  # characters of what cannot be read that are worth a look
_NUMBERS = (
    "total_duration",
    "load_duration",
    "prompt_eval_duration",
    "eval_duration",
    "prompt_eval_count",
    "prompt_eval_cached_count",
    "eval_count",
)
_TEXTS = ("model", "done_reason", "remote_model", "remote_host")
_PLAIN = {"model", "created_at", "message", "done"}
_SAID = {"role", "content", "thinking"}


class NotChunks(ValueError):
    """What arrived is no answer to a chat request; the message has its beginning."""


class ErrorInAnswer(RuntimeError):
    """The server has sent an error in place of a chunk; the message is its words."""


def chunk_lines(pieces: Iterable[bytes]) -> Iterator[tuple[dict[str, Any], bytes]]:
    r"""Chunks that ollama-python and griptape can read, from whatever a server sends; each with the
    line that holds it: as it was sent, where that can be read as it is.

    (Nearly every line can. To write each anew costs as much as all else that is done with it.)

    Parameters
    ----------
    pieces:
        The body of the answer, cut anywhere.

    Raises
    ------
    NotChunks
        For a line that is no JSON object.
    ErrorInAnswer
        For an error among the chunks. (ollama-python would read its words as JSON once more.)

    Examples
    --------
    >>> sent = [b'{"message": {"content": "Hi', b'"}, "done": 0, "eval_count": "x"}\n']
    >>> [chunk for chunk, line in chunk_lines(sent)]
    [{'message': {'role': 'assistant', 'content': 'Hi'}, 'done': False}]
    """
    openai = OpenAILines()
    for line in _lines(pieces):
        told = _object(line)
        if told is None:
            continue
        if _is_plain(told, line):
            yield told, line
            continue
        for body in openai.as_ollama(told) if openai.are(told) else [told]:
            for chunk in _chunks(body):
                yield chunk, json.dumps(chunk).encode()
                if chunk.get("done"):
                    return  # what a server sends after the end belongs to nothing
    if (final := openai.final()) is not None:
        yield final, json.dumps(final).encode()


def _is_plain(told: Mapping[str, Any], line: bytes) -> bool:
    """Whether it is a piece of an answer as Ollama sends it, with nothing in it to be mended.

    (An escape may be a lone surrogate; and httpx finds ends of lines within one, at a return or at
    some letters beyond ASCII.)
    """
    message = told.get("message")
    return (
        told.get("done") is False
        and told.keys() == _PLAIN
        and isinstance(message, dict)
        and message.get("role") == "assistant"
        and {"role", "content"} <= message.keys() <= _SAID
        and all(isinstance(text, str) for text in message.values())
        and isinstance(told["model"], str)
        and isinstance(told["created_at"], str)
        and line.startswith(b"{")  # no event of a server that sends such
        and line.isascii()
        and b"\\u" not in line
        and b"\r" not in line
    )


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines end with a newline alone: JSON may hold what else counts as a line's end."""
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    yield rest


def _object(line: bytes) -> dict[str, Any] | None:
    """The JSON object of a line; None for a line that says nothing."""
    text = line.decode("utf-8", "replace").strip()
    if text.startswith("data:"):  # server-sent events
        text = text.removeprefix("data:").strip()
    if not text or text == "[DONE]" or text.startswith((":", "event:", "id:", "retry:")):
        return None
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict):
        return told
    raise NotChunks(_begins(text))


def _begins(text: str) -> str:
    """What a person would see of it: of a web page its words."""
    is_page = text.startswith("<")
    words = " ".join((re.sub(r"<[^>]*>?", " ", text) if is_page else text).split())[:_SHOWN]
    return f"a web page: {words}".rstrip(": ") if is_page else words


def _chunks(told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What an object tells, as the chunks that griptape reads: text and each tool call apart."""
    if error := told.get("error"):
        raise ErrorInAnswer(error_text(error))
    given = told.get("message")
    message = given if isinstance(given, dict) else {}
    content = _text(message.get("content")) or _text(told.get("response"))  # as of /api/generate
    thinking = _text(message.get("thinking"))
    calls = list(_tool_calls(message.get("tool_calls")))
    facts = {name: text for name in _TEXTS if (text := _text(told.get(name)))}
    said: dict[str, Any] = {"role": "assistant", "content": content}
    if thinking:
        said["thinking"] = thinking
    done = _is_done(told)
    if content or thinking or not (calls or done):
        yield {**facts, "message": said, "done": False}
    for call in calls:
        yield {**facts, "message": {"role": "assistant", "tool_calls": [call]}, "done": False}
    if done:
        numbers = {name: told[name] for name in _NUMBERS if _is_metric(told.get(name))}
        empty = {"role": "assistant", "content": ""}
        yield {**facts, **numbers, "message": empty, "done": True}


def error_text(error: object) -> str:
    """The words of an error in any form: a text, an object with a message, anything else.

    Examples
    --------
    >>> error_text("no"), error_text({"message": "no", "code": 400}), error_text([1])
    ('no', 'no', '[1]')
    """
    words = error.get("message") if isinstance(error, dict) else error
    return _text(words) or json.dumps(error)


def _is_done(told: Mapping[str, Any]) -> bool:
    done = told.get("done")
    if isinstance(done, str):
        return done.strip().lower() == "true"
    return done is True or bool(_text(told.get("done_reason")))


def _tool_calls(given: object) -> Iterator[dict[str, Any]]:
    """The calls that name a function; arguments may come as an object or as its JSON."""
    for call in given if isinstance(given, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        name = _text(function.get("name")) if isinstance(function, dict) else ""
        if not isinstance(function, dict) or not name:
            continue
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments)
            except (ValueError, RecursionError):
                arguments = None
        named = arguments if isinstance(arguments, dict) else {}
        yield {"function": {"name": name, "arguments": named}}


def _text(value: object) -> str:
    """The text, without lone surrogates, which no message can carry; empty for what is none."""
    if not isinstance(value, str) or value.isascii():
        return value if isinstance(value, str) else ""
    return value.encode("utf-8", "replace").decode()


def _is_metric(value: Any) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value < _MOST and value == int(value)
