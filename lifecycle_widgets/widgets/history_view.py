"""HistoryView: what the history has, where it lies, and how to take it out or have it gone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd
import traitlets

from lifecycle_widgets.history import History, HistoryError
from lifecycle_widgets.server import AnyServer, Server
from lifecycle_widgets.widgets.background import Background
from lifecycle_widgets.widgets.base import Composite, Message, ServerTrait
from lifecycle_widgets.widgets.formats import escaped, size_text
from lifecycle_widgets.widgets.frame_html import frame_html
from lifecycle_widgets.widgets.still.sheet import Sheet

_WHAT = ("requests", "residencies", "runs", "gaps")
_SINCE_DAYS = {"1 day": 1, "7 days": 7, "30 days": 30, "1 year": 365}
_SHOWN = 10  # the last ones; the frame has all of them
_CLOSE_S = 3.0
_PROMISE = "sizes and times only: no prompt and no answer is ever stored"


class HistoryView(Composite):
    """Shows what was kept of a server: its requests, residencies, runs and idle gaps.

    Parameters
    ----------
    history:
        A History; without one, the person's own.
    server:
        A Server or an address: only what was kept of it. None: of all.

    Raises
    ------
    HistoryError
        When the history cannot be used; says what to do.

    Examples
    --------
    >>> view = HistoryView()  # doctest: +SKIP
    >>> view.what, view.since = "gaps", "30 days"  # doctest: +SKIP
    >>> view.frame["gap_s"].median()  # doctest: +SKIP
    41.0
    """

    server = ServerTrait()
    what: Any = traitlets.Enum(_WHAT, "requests")
    since = traitlets.Enum(tuple(_SINCE_DAYS), "7 days")
    error = traitlets.Unicode()

    def __init__(
        self, history: History | None = None, *, server: AnyServer = None, **keywords: Any
    ) -> None:
        self.history = history if history is not None else History()
        self._own = history is None
        self._background = Background()
        self._forget: Callable[[], int] | None = None  # what waits for a yes
        self.set_trait("server", None if server is None else Server.of(server))
        self._table, self._about = widgets.HTML(), widgets.HTML()
        self._last, self._count = pd.DataFrame(), 0  # what is shown, and of how many
        self._message, self._done = Message(), Message()
        super().__init__(
            [
                self._choices(),
                self._message,
                self._done,
                self._question(),
                self._table,
                self._about,
            ],
            keywords,
        )
        self.add_class("lw-history")
        self.observe(lambda _: self.look(), ["what", "since", "server"])
        self.observe(lambda _: self._message.show(self.error), "error")
        self.look()

    # --- parts -----------------------------------------------------------------------------------

    def _choices(self) -> widgets.Widget:
        what = widgets.ToggleButtons(
            options=_WHAT, style={"button_width": "auto"}, tooltip="What is shown"
        )
        since = widgets.Dropdown(options=list(_SINCE_DAYS), tooltip="How far back")
        since.layout.width = "96px"
        traitlets.link((self, "what"), (what, "value"))
        traitlets.link((self, "since"), (since, "value"))
        export = _button("Export CSV", "Write all of it into a file beside this notebook")
        export.on_click(lambda _: self._background.start("export", self._export))
        again = _button("Look again", "Read the history once more")
        again.on_click(lambda _: self.look())
        old = _button("Delete what is old…", "Older than what is chosen beside it")
        old.on_click(lambda _: self._ask_old())
        everything = _button("Delete all…", "Everything that was ever kept, of every server")
        everything.on_click(
            lambda _: self._ask(
                "Everything that was ever kept, of every server, will be gone.",
                lambda: self.history.delete(everything=True),
            )
        )
        parts = [what, since, again, export, old, everything]
        return widgets.HBox(parts).add_class("lw-row")

    def _question(self) -> widgets.Widget:
        self._asked = widgets.HTML().add_class("lw-grow")
        yes, no = _button("Delete", "It cannot be brought back"), _button("Keep", "Delete nothing")
        yes.on_click(lambda _: self._background.start("delete", self._delete))
        no.on_click(lambda _: self._close_question())
        self._ask_row = widgets.HBox([self._asked, yes, no]).add_class("lw-row")
        self._ask_row.layout.display = "none"
        return self._ask_row

    # --- what is shown ---------------------------------------------------------------------------

    @property
    def frame(self) -> pd.DataFrame:
        """What is chosen, as a DataFrame; every number with its unit in its name."""
        since = timedelta(days=_SINCE_DAYS[self.since])
        frame: pd.DataFrame = getattr(self.history, self.what)(server=self.server, since=since)
        return frame

    def look(self) -> None:
        """Read it once more, in the background."""
        self._background.start("history", self._look)

    def close(self) -> None:
        """Leave the page."""
        self._background.close(_CLOSE_S)
        if self._own:
            self.history.close()
        super().close()

    def _look(self) -> None:
        try:
            frame, size_bytes = self.frame, self.history.size_bytes
        except HistoryError as fault:
            self.error = str(fault)
            return
        self.error = ""
        last = frame.tail(_SHOWN).iloc[::-1].dropna(axis="columns", how="all")
        of = f"the last {len(last)} of {len(frame):,}" if len(frame) > _SHOWN else f"{len(frame)}"
        self._last, self._count = last, len(frame)
        self._table.value = frame_html(last) if len(frame) else ""
        self._about.value = (
            f"<span class='lw-muted'>{of} {self.what}; kept in {escaped(self.history.path)} "
            f"({size_text(size_bytes)}; {_PROMISE})</span>"
        )

    def _export(self) -> None:
        path = Path(f"history-{self.what}.csv").absolute()
        try:
            self.history.export(path, self.what, server=self.server)
        except (HistoryError, OSError) as fault:
            self.error = str(fault)
            return
        self._done.show(f"Written to {path}.", is_error=False)

    # --- deleting, which is asked about -------------------------------------------------------

    def _ask_old(self) -> None:
        before = datetime.now().astimezone() - timedelta(days=_SINCE_DAYS[self.since])
        whose = "of every server" if self.server is None else f"of {self.server.url}"
        self._ask(
            f"What is older than {before:%Y-%m-%d %H:%M}, {whose}, will be gone.",
            lambda: self.history.delete(before=before, server=self.server),
        )

    def _ask(self, sentence: str, forget: Callable[[], int]) -> None:
        self._forget = forget
        self._asked.value = escaped(sentence)
        self._ask_row.layout.display = None

    def _close_question(self) -> None:
        self._forget, self._ask_row.layout.display = None, "none"

    def _delete(self) -> None:
        forget = self._forget
        self._close_question()
        if forget is None:
            return
        try:
            gone = forget()
        except HistoryError as fault:
            self.error = str(fault)
            return
        self._done.show(f"{gone:,} records are gone.", is_error=False)
        self._look()

    def _in_short(self) -> str:
        return f"{str(self.history.path)!r}, what={self.what!r}"

    def _still(self, sheet: Sheet) -> None:
        whose = "of every server" if self.server is None else f"of {self.server.url}"
        sheet.say(f"{self._count:,} {self.what} in the last {self.since}, {whose}.")
        sheet.say(self.error)
        sheet.table(self._last)
        if self._count > len(self._last):
            sheet.say(f"The last {len(self._last)} of {self._count:,} {self.what}.")

    def _still_sources(self) -> tuple[traitlets.HasTraits, ...]:
        return self, self._table, self._about


def _button(text: str, tooltip: str) -> widgets.Button:
    button = widgets.Button(description=text, tooltip=tooltip)
    button.layout.width = "auto"
    return button
