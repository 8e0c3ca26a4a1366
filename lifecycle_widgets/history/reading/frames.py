"""What is in the file, as DataFrames."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from lifecycle_widgets.history.file.rows import US, is_broken_off, whose, witnesses
from lifecycle_widgets.history.reading.asked import Asked

CHUNK = 200_000
"""Rows that are read at a time, where a file is written from them."""

_TIME, _SECONDS, _ALIVE, _TEXT = "time", "seconds", "keep_alive", "object"
_COUNT, _BOOL, _MAYBE = "Int64", "bool", "boolean"
_SERVER, _MODEL, _WORD = "servers", "models", "words"  # numbers of these tables' names

REQUESTS = {
    "server": _SERVER,
    "model": _MODEL,
    "began_at": _TIME,
    "ended_at": _TIME,
    "whose": _TEXT,
    "kind": _WORD,
    "count": _COUNT,
    "total_s": _SECONDS,
    "queued_s": _SECONDS,
    "load_s": _SECONDS,
    "prompt_eval_s": _SECONDS,
    "eval_s": _SECONDS,
    "ttft_s": _SECONDS,
    "prompt_tokens": _COUNT,
    "output_tokens": _COUNT,
    "keep_alive_s": _ALIVE,
    "status": _COUNT,
    "is_broken_off": _MAYBE,
    "witnesses": _TEXT,
    "begin_within_s": _SECONDS,
    "end_within_s": _SECONDS,
}
RESIDENCIES = {
    "server": _SERVER,
    "model": _MODEL,
    "since": _TIME,
    "until": _TIME,
    "in_memory_s": _SECONDS,
    "why": _WORD,
    "size_bytes": _COUNT,
    "vram_bytes": _COUNT,
    "loaded_by": _WORD,
    "touched_by": _WORD,
    "keep_alive_s": _ALIVE,
    "expires_at": _TIME,
    "is_forever": _BOOL,
    "loads": _COUNT,
    "requests": _COUNT,
    "load_s": _SECONDS,
}
RUNS = {
    "server": _SERVER,
    "started_at": _TIME,
    "structure": _WORD,
    "model": _MODEL,
    "models": _TEXT,
    "keep_alive": _TEXT,
    "held": _BOOL,
    "history_turns": _COUNT,
    "was_resident": _MAYBE,
    "requests": _COUNT,
    "loads": _COUNT,
    "load_s": _SECONDS,
    "prompt_eval_s": _SECONDS,
    "eval_s": _SECONDS,
    "tools_s": _SECONDS,
    "embeddings_s": _SECONDS,
    "not_told_s": _SECONDS,
    "rest_s": _SECONDS,
    "ttft_s": _SECONDS,
    "thinking_s": _SECONDS,
    "first_text_s": _SECONDS,
    "total_s": _SECONDS,
    "prompt_tokens": _COUNT,
    "cached_tokens": _COUNT,
    "output_tokens": _COUNT,
    "context_length": _COUNT,
    "done_reason": _WORD,
    "ended": _WORD,
}
STARTS = {"server": _SERVER, "seen_at": _TIME, "version": _TEXT, "started_at": _TIME}

SOURCES = {
    "requests": (
        REQUESTS,
        """SELECT server, model, ended_us - took_us, ended_us, about, kind, count, took_us,
            queued_us, load_us, prompt_eval_us, eval_us, ttft_us, prompt_tokens, output_tokens,
            keep_alive_ms, status, about, about, begin_within_us, end_within_us
            FROM requests WHERE {} ORDER BY ended_us""",
        ("ended_us", None),
    ),
    "residencies": (
        RESIDENCIES,
        """SELECT server, model, since_us, until_us, coalesce(until_us, seen_us) - since_us, why,
            size_bytes, vram_bytes, loaded_by, touched_by, keep_alive_ms, expires_us, about & 1,
            loads, requests, load_us FROM residencies WHERE {} ORDER BY since_us""",
        ("since_us", "coalesce(until_us, seen_us)"),
    ),
    "runs": (
        RUNS,
        """SELECT server, started_us, structure, model,
            (SELECT group_concat(name, ', ') FROM models WHERE name <> '' AND id IN
                (SELECT model FROM steps WHERE run = started_us)),
            keep_alive, held, history_turns, was_resident, requests, loads, load_us,
            prompt_eval_us, eval_us, tools_us, coalesce(embeddings_us, 0),
            coalesce(not_told_us, 0), rest_us, ttft_us, thinking_us, first_text_us, total_us,
            prompt_tokens, cached_tokens, output_tokens, context_length, done_reason, ended
            FROM runs WHERE {} ORDER BY started_us""",
        ("started_us", None),
    ),
    "starts": (
        STARTS,
        "SELECT server, at_us, version, started_us FROM starts WHERE {} ORDER BY at_us",
        ("at_us", None),
    ),
}
"""What can be read: its columns, how it is asked, and which columns say when it began and ended."""


def frames(
    connection: sqlite3.Connection | None, what: str, asked: Asked, rows: int = -1
) -> Iterator[pd.DataFrame]:
    """Tables of so many rows at most, one after another; one at least. -1: one of all rows."""
    columns, statement, times = SOURCES[what]
    if connection is None:
        yield frame_of(columns, [], {})
        return
    where, values = asked.where(connection, *times)
    names = {t: _names(connection, t) for t in (_SERVER, _MODEL, _WORD)}
    found = connection.execute(statement.format(where), values)
    is_first = True
    while (some := found.fetchall() if rows < 0 else found.fetchmany(rows)) or is_first:
        yield frame_of(columns, some, names)
        is_first = False
        if rows < 0:
            return


def frame_of(
    columns: dict[str, str], rows: list[tuple[Any, ...]], names: dict[str, dict[int, str]]
) -> pd.DataFrame:
    """Rows as a table; what is not known is missing (NaN, NA, NaT or None).

    Parameters
    ----------
    names:
        The names by their numbers, of each table of names.
    """
    values = zip(*rows, strict=True) if rows else ((),) * len(columns)
    return pd.DataFrame(
        {
            name: _column(name, kind, list(told), names.get(kind))
            for (name, kind), told in zip(columns.items(), values, strict=True)
        }
    )


def _column(
    name: str, kind: str, values: list[Any], names: dict[int, str] | None
) -> pd.Series[Any]:
    if kind == _TIME:
        return times(values)
    if kind in (_SECONDS, _ALIVE):
        numbers = np.array(values, dtype="float64")  # None: NaN
        if kind == _SECONDS:
            return pd.Series(numbers / US)
        return pd.Series(np.where(numbers < 0, np.inf, numbers / 1000))
    if name in _MEANS:  # each of few values means something
        told = {value: _MEANS[name](value) for value in set(values)}
        values = [told[value] for value in values]
    elif kind == _BOOL:
        values = [bool(value) for value in values]
    elif names is not None:
        values = [names.get(value) for value in values]
    return pd.Series(values, dtype=_TEXT if kind in (_SERVER, _MODEL, _WORD) else kind)


_MEANS: dict[str, Callable[[int], Any]] = {
    "whose": whose,
    "witnesses": lambda about: ", ".join(witnesses(about)),
    "is_broken_off": is_broken_off,
}


def _names(connection: sqlite3.Connection, table: str) -> dict[int, str]:
    return dict(connection.execute(f"SELECT id, name FROM {table}").fetchall())


def times(values: Any) -> pd.Series[Any]:
    """Microseconds since 1970 as times in this machine's zone; None is no time."""
    told = pd.Series(values, dtype="Int64").fillna(np.iinfo("int64").min)
    at = pd.Series(told.to_numpy("int64").view("datetime64[us]"))  # that smallest one is NaT
    return at.dt.tz_localize("UTC").dt.tz_convert(datetime.now().astimezone().tzinfo)
