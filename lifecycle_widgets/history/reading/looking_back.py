"""A stretch of the past of one server, ready to be drawn: as much as fits, however long it was."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle_widgets.history.file import rows
from lifecycle_widgets.history.file.rows import IS_WORK, US, seconds, time_of, time_us
from lifecycle_widgets.history.past import Busy, Past
from lifecycle_widgets.history.reading.asked import server_number
from lifecycle_widgets.history.reading.samples import samples
from lifecycle_widgets.history.reading.watched import watches
from lifecycle_widgets.history.writing.readings import FINE_DAYS, WIDTHS_S
from lifecycle_widgets.history.writing.rollups import HOUR_US
from lifecycle_widgets.monitor import Request, Residency
from lifecycle_widgets.runs.step import LEAST_LOAD_S

MOST_REQUESTS, MOST_STAYS = 2000, 500
"""How many are told one by one."""

_SESSION_JOINS_US = 60 * US
_LONGEST_SESSION_US = 24 * HOUR_US
_DAY_US = 24 * HOUR_US


@dataclass(frozen=True)
class Stretch:
    """From when to when, in how many bins.

    ``width_s`` is that of the bins in the file that are wide enough, and still there.
    """

    start_us: int
    end_us: int
    bins: int

    @property
    def step_us(self) -> int:
        return max(1, (self.end_us - self.start_us) // self.bins)

    @property
    def width_s(self) -> int:
        is_old = self.start_us < time.time_ns() // 1000 - FINE_DAYS * _DAY_US
        fits = [width for width in WIDTHS_S if width * US <= self.step_us]
        usable = [width for width in fits if not is_old or width != WIDTHS_S[0]]
        return usable[-1] if usable else WIDTHS_S[1 if is_old else 0]


def past(
    connection: sqlite3.Connection, name: str, start: datetime, end: datetime, bins: int
) -> Past:
    """See `History.past`."""
    server = server_number(connection, name)
    stretch = Stretch(time_us(start), max(time_us(end), time_us(start) + 1), bins)
    asked = _requests(connection, server, stretch)
    return Past(
        start,
        end,
        samples=tuple(samples(connection, server, stretch)),
        stays=tuple(_stays(connection, server, stretch)),
        requests=asked or (),
        busy=tuple(_busy(connection, server, stretch)) if asked is None else (),
    )


def last_session(connection: sqlite3.Connection, name: str, bins: int) -> Past | None:
    """See `History.last_session`."""
    seen = watches(connection, server_number(connection, name), _SESSION_JOINS_US)
    if not seen:
        return None
    start_us, end_us = seen[-1]
    start_us = max(start_us, end_us - _LONGEST_SESSION_US)
    return past(connection, name, time_of(start_us), time_of(end_us), bins)


def span(connection: sqlite3.Connection, name: str) -> tuple[datetime, datetime] | None:
    """See `History.span`."""
    server = server_number(connection, name)
    told = connection.execute(
        f"""SELECT min(first), max(last) FROM (
            SELECT min(from_us) AS first, max(to_us) AS last FROM watches WHERE server = :server
            UNION ALL SELECT min(hour) * {HOUR_US}, (max(hour) + 1) * {HOUR_US} - 1 FROM hours
                WHERE server = :server AND NOT EXISTS
                    (SELECT 1 FROM watches WHERE server = :server)
            UNION ALL SELECT min(started_us), max(started_us + total_us) FROM runs
                WHERE server = :server)""",
        {"server": server},
    ).fetchone()
    return None if told[0] is None else (time_of(told[0]), time_of(told[1]))


# --- requests ------------------------------------------------------------------------------------


def _requests(
    connection: sqlite3.Connection, server: int, stretch: Stretch
) -> tuple[Request, ...] | None:
    """Each; None where there are too many."""
    found = connection.execute(
        """SELECT (SELECT name FROM models WHERE id = model), ended_us, about, count,
            (SELECT name FROM words WHERE id = kind), took_us, queued_us, load_us, prompt_eval_us,
            eval_us, ttft_us, prompt_tokens, output_tokens, keep_alive_ms, status,
            begin_within_us, end_within_us
        FROM requests WHERE ended_us >= ? AND ended_us < ? AND server = ?
            AND ended_us - coalesce(took_us, 0) < ? ORDER BY ended_us LIMIT ?""",
        (stretch.start_us, stretch.end_us + HOUR_US, server, stretch.end_us, MOST_REQUESTS + 1),
    ).fetchall()
    if len(found) > MOST_REQUESTS:
        return None
    ago_s = time.time() - time.monotonic()
    return tuple(_request(number, row, ago_s) for number, row in enumerate(found, start=1))


def _request(number: int, row: tuple[Any, ...], ago_s: float) -> Request:
    model, ended_us, about, count, kind, took_us, *times = row
    queued, load, prompt_eval, evaluation, ttft, prompt, output, alive, status, begin, end = times
    ended_s = ended_us / US - ago_s
    return Request(
        model=model,
        began_at=None if took_us is None else time_of(ended_us - took_us),
        ended_at=time_of(ended_us),
        began_s=None if took_us is None else ended_s - took_us / US,
        ended_s=ended_s,
        whose=rows.whose(about),
        witnesses=rows.witnesses(about),
        begin_within_s=seconds(begin),
        end_within_s=seconds(end),
        count=count,
        kind=kind,
        keep_alive_s=rows.keep_alive_s(alive),
        queued_s=seconds(queued),
        load_s=seconds(load),
        prompt_eval_s=seconds(prompt_eval),
        eval_s=seconds(evaluation),
        ttft_s=seconds(ttft),
        prompt_tokens=prompt,
        output_tokens=output,
        status=status,
        is_broken_off=rows.is_broken_off(about),
        number=number,
    )


def _busy(connection: sqlite3.Connection, server: int, stretch: Stretch) -> Iterator[Busy]:
    """What they come to: from the hours where the bins are not finer, else from each."""
    step, start = stretch.step_us, stretch.start_us
    if step >= HOUR_US:
        found = connection.execute(
            f"""SELECT max(0, (hour * {HOUR_US} + {HOUR_US // 2} - ?) / ?) AS place, model,
                sum(requests), sum(busy_us), sum(loads)
            FROM hours WHERE server = ? AND hour >= ? AND hour <= ? GROUP BY place, model""",
            (start, step, server, start // HOUR_US, (stretch.end_us - 1) // HOUR_US),
        )
    else:
        found = connection.execute(
            f"""SELECT (ended_us - ?) / ? AS place, model, sum(count), sum(took_us),
                sum(coalesce(load_us, 0) >= {round(LEAST_LOAD_S * US)})
            FROM requests WHERE ended_us >= ? AND ended_us < ? AND server = ?
                AND about & {IS_WORK} GROUP BY place, model""",
            (start, step, start, stretch.end_us, server),
        )
    names = dict(connection.execute("SELECT id, name FROM models").fetchall())
    for place, model, requests, busy_us, loads in found.fetchall():
        began_us = start + min(place, stretch.bins - 1) * step
        yield Busy(
            names[model],
            time_of(began_us),
            time_of(began_us + step),
            requests,
            min(busy_us or 0, step) / US,
            loads,
        )


# --- stays ---------------------------------------------------------------------------------------


def _stays(connection: sqlite3.Connection, server: int, stretch: Stretch) -> list[Residency]:
    begun = connection.execute(
        "SELECT 1 FROM residencies WHERE since_us BETWEEN ? AND ? AND server = ? LIMIT ?",
        (stretch.start_us, stretch.end_us, server, MOST_STAYS + 1),
    ).fetchall()
    if len(begun) > MOST_STAYS:  # without looking at each
        return _joined(connection, server, stretch)
    found = connection.execute(
        """SELECT (SELECT name FROM models WHERE id = model), since_us, until_us, seen_us,
            (SELECT name FROM words WHERE id = why), expires_us, about, loads, requests, size_bytes,
            vram_bytes, (SELECT name FROM words WHERE id = loaded_by),
            (SELECT name FROM words WHERE id = touched_by), keep_alive_ms, load_us
        FROM residencies WHERE since_us IN (
            SELECT since_us FROM residencies WHERE until_us IS NULL
            UNION ALL SELECT since_us FROM residencies WHERE until_us >= ?)
        AND since_us < ? AND server = ? AND coalesce(until_us, seen_us) >= ?
        ORDER BY since_us LIMIT ?""",
        (stretch.start_us, stretch.end_us, server, stretch.start_us, MOST_STAYS + 1),
    ).fetchall()
    if len(found) > MOST_STAYS:
        return _joined(connection, server, stretch)
    return [_stay(row) for row in found]


def _stay(row: tuple[Any, ...]) -> Residency:
    model, since, until, seen, why, expires, about, loads, requests, *rest = row
    size, vram, loaded_by, touched_by, alive, load = rest
    return Residency(
        model=model,
        since=time_of(since),
        until=time_of(seen if until is None else until),  # nobody knows what came then
        why=why or "unknown",
        expires_at=None if expires is None else time_of(expires),
        is_forever=bool(about & rows.IS_FOREVER),
        is_told=bool(about & rows.IS_TOLD),
        loads=loads,
        requests=requests,
        size_bytes=size,
        vram_bytes=vram,
        loaded_by=loaded_by,
        touched_by=touched_by,
        keep_alive_s=rows.keep_alive_s(alive),
        load_s=seconds(load),
    )


def _joined(connection: sqlite3.Connection, server: int, stretch: Stretch) -> list[Residency]:
    """Of each model the bins one after another in which it was in memory."""
    width, step = stretch.width_s, max(stretch.step_us, stretch.width_s * US)
    found = connection.execute(
        f"""SELECT model, (bin * {width * US} - ?) / ? AS place, max(bytes), max(vram_bytes)
        FROM memory WHERE server = ? AND width = ? AND bin >= ? AND bin < ?
        GROUP BY model, place ORDER BY model, place""",
        (
            stretch.start_us,
            step,
            server,
            width,
            stretch.start_us // (width * US),
            -(-stretch.end_us // (width * US)),
        ),
    ).fetchall()
    names = dict(connection.execute("SELECT id, name FROM models").fetchall())
    blocks: list[list[Any]] = []  # model, first place, last place, bytes, VRAM
    for model, place, size, vram in found:
        if blocks and blocks[-1][0] == model and blocks[-1][2] == place - 1:
            block = blocks[-1]
            block[2] = place
            block[3], block[4] = max(block[3] or 0, size or 0), max(block[4] or 0, vram or 0)
        else:
            blocks.append([model, place, place, size, vram])
    return [
        Residency(
            names[model],
            time_of(stretch.start_us + max(first, 0) * step),
            time_of(min(stretch.start_us + (last + 1) * step, stretch.end_us)),
            "unknown",
            None,
            False,
            is_told=False,
            size_bytes=size,
            vram_bytes=vram,
        )
        for model, first, last, size, vram in blocks
    ]
