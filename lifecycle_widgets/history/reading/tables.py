"""Tables: what a history has, as DataFrames and as files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lifecycle_widgets.history.file.opening import reading
from lifecycle_widgets.history.reading.asked import Asked, Moment
from lifecycle_widgets.server import Server

if TYPE_CHECKING:
    import pandas as pd

Table = Literal["requests", "runs", "residencies", "gaps", "starts"]


class Tables:
    """The part of `History` that is read as tables."""

    path: Path

    def requests(
        self,
        model: str | None = None,
        server: Server | str | None = None,
        since: Moment = None,
        until: Moment = None,
    ) -> pd.DataFrame:
        """Everyone's requests, in order of their ends: one row each, or each busy time.

        Parameters
        ----------
        model, server:
            Those of one model, of one server (a Server, its address, "sandbox"); None: all.
        since, until:
            Those that ended from then on, and before then: datetimes, dates, their texts, or
            timedeltas for how long ago; None: no limit.

        Returns
        -------
        pandas.DataFrame
            ``server``, ``model``, ``began_at``, ``ended_at``, ``whose`` ("ours", "another
            client"), ``kind``, ``count`` (how many, at least), ``total_s`` and its phases
            ``queued_s``, ``load_s``, ``prompt_eval_s``, ``eval_s``; ``ttft_s``, ``prompt_tokens``,
            ``output_tokens``, ``keep_alive_s`` (inf: forever), ``status`` (HTTP),
            ``is_broken_off``, ``witnesses``, ``begin_within_s``, ``end_within_s`` (how exact the
            times are). What is not told is missing.
        """
        return self._frame("requests", Asked.of(model, server, since, until))

    def runs(
        self,
        model: str | None = None,
        server: Server | str | None = None,
        since: Moment = None,
        until: Moment = None,
    ) -> pd.DataFrame:
        """The agent's runs, in order of their beginnings; parameters as `requests`.

        Returns
        -------
        pandas.DataFrame
            The columns of `run_frame` that are sizes and times, ``server``, and ``ended``: "done",
            "stopped", "failed" or "timed out".
        """
        return self._frame("runs", Asked.of(model, server, since, until))

    def residencies(
        self,
        model: str | None = None,
        server: Server | str | None = None,
        since: Moment = None,
        until: Moment = None,
    ) -> pd.DataFrame:
        """Which models were in memory in that time, and why they left; parameters as `requests`.

        Returns
        -------
        pandas.DataFrame
            ``server``, ``model``, ``since``, ``until`` (NaT: it was there when somebody looked
            last), ``in_memory_s``, ``why``, ``size_bytes``, ``vram_bytes``, ``loaded_by``,
            ``touched_by``, ``keep_alive_s`` (inf: forever), ``expires_at``, ``is_forever``,
            ``loads``, ``requests``, ``load_s``; see `Residency`.
        """
        return self._frame("residencies", Asked.of(model, server, since, until))

    def gaps(
        self,
        model: str | None = None,
        server: Server | str | None = None,
        since: Moment = None,
        until: Moment = None,
    ) -> pd.DataFrame:
        """How long each model had nothing to do: what a keep_alive must be longer than.

        From the end of a busy time of a model to the beginning of its next one on the same server;
        those that end in that time. Parameters as `requests`.

        Returns
        -------
        pandas.DataFrame
            ``server``, ``model``, ``began_at``, ``ended_at``, ``gap_s``, ``exact_s`` (it may be
            off by so much; NaN: not told), ``watched``: False where nobody watched for a part of
            it, so that there may have been a request in it.
        """
        from lifecycle_widgets.history.reading.gaps import gaps

        with reading(self.path) as connection:
            return gaps(connection, Asked.of(model, server, since, until))

    def starts(self, server: Server | str | None = None) -> pd.DataFrame:
        """Which version of Ollama answered since when, and when its process had begun.

        Returns
        -------
        pandas.DataFrame
            ``server``, ``seen_at``, ``version``, ``started_at``; a row for each other one.
        """
        return self._frame("starts", Asked.of(None, server))

    def _frame(self, what: str, asked: Asked) -> pd.DataFrame:
        from lifecycle_widgets.history.reading.frames import frames

        with reading(self.path) as connection:
            return next(frames(connection, what, asked))

    def export(
        self,
        path: str | os.PathLike[str],
        what: Table = "requests",
        *,
        model: str | None = None,
        server: Server | str | None = None,
        since: Moment = None,
        until: Moment = None,
    ) -> Path:
        """Write a table to a file, whole or not at all.

        Parameters
        ----------
        path:
            It ends with ``.csv``, or with ``.parquet`` (which needs pyarrow).
        what:
            "requests", "runs", "residencies", "gaps" or "starts".
        model, server, since, until:
            As `requests`.

        Raises
        ------
        ValueError
            For another kind of file, or another table.
        HistoryError
        """
        from lifecycle_widgets.history.reading.exporting import write_table

        asked = Asked.of(model, server, since, until)
        return write_table(Path(path).expanduser(), self._tables(what, asked))

    def _tables(self, what: str, asked: Asked) -> Iterator[pd.DataFrame]:
        from lifecycle_widgets.history.reading.frames import CHUNK, SOURCES, frames
        from lifecycle_widgets.history.reading.gaps import gaps

        if what not in (*SOURCES, "gaps"):
            raise ValueError(f"{what!r} is none of {', '.join(SOURCES)}, gaps.")
        with reading(self.path) as connection:
            if what == "gaps":
                yield gaps(connection, asked)
            else:
                yield from frames(connection, what, asked, CHUNK)
