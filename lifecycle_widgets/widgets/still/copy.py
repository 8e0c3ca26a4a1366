"""Copy: what stands of one widget in the outputs where it was displayed."""

from __future__ import annotations

import itertools
import threading
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime

from IPython.display import publish_display_data

from lifecycle_widgets.widgets.still import page
from lifecycle_widgets.widgets.still.sheet import Sheet

_KNOWN_BY = "lifecycle_still"  # for static/still.js: a page that is loaded anew
_Drawn = tuple[object, bytes] | None  # what a picture depends on, and it


class Copy:
    """What stands of one widget in the outputs where it was displayed."""

    def __init__(
        self,
        name: str,
        short: Callable[[], str],
        write: Callable[[Sheet], None],
        is_pictured: bool,
    ) -> None:
        self._name, self._short, self._write = name, short, write
        self._is_pictured, self._folds = is_pictured, page.folds()
        self._id = uuid.uuid4().hex
        self._lock, self._turns = threading.Lock(), itertools.count(1)
        self._turn = 0  # of what was sent last: what was looked at before is not sent after it
        self._said: tuple[str, str] | None = None
        self._drawn: _Drawn = None  # its key, and the picture
        self._last: list[tuple[str, page.Bundle]] = []  # by output
        self.is_done = self.lacks_picture = False

    def place(self) -> None:
        """Make the outputs, after the widget's own; a picture comes into its place later."""
        self._send(is_new=True, draws=False)

    def send(self, *, draws: bool = True) -> bool:
        """Send what is another one than was sent last; False where nothing is.

        Parameters
        ----------
        draws:
            False: whatever picture there is has to do.
        """
        return self._send(is_new=False, draws=draws)

    def repeat(self) -> None:
        """Send once more what was sent last."""
        with self._lock:
            self._publish(self._last, is_new=False)

    def _send(self, *, is_new: bool, draws: bool) -> bool:
        turn = next(self._turns)
        sheet, short = written(self._write), self._short()
        drawn = self._picture(sheet, draws)
        wanted = None if sheet.drawing is None else sheet.drawing.key
        self.lacks_picture = wanted != (None if drawn is None else drawn[0])
        with self._lock:
            is_same = (sheet.html, short) == self._said and drawn == self._drawn
            if turn < self._turn or (is_same and not is_new):
                return False
            before = dict(self._last)
            self._turn, self._said, self._drawn = turn, (sheet.html, short), drawn
            self._last = self._bundles(sheet, short, drawn)
            changed = [(i, b) for i, b in self._last if is_new or b != before.get(i)]
            self._publish(changed, is_new=is_new)
            return True

    def _picture(self, sheet: Sheet, draws: bool) -> _Drawn:
        """The picture of what is shown now; the last one where it would be the same."""
        drawing, last = sheet.drawing, self._drawn
        if drawing is None:
            return None
        if not draws or (last is not None and last[0] == drawing.key):
            return last
        from lifecycle_widgets.widgets.still.picture import png_of  # it takes long to import

        try:
            return drawing.key, png_of(drawing.figure(), page.WIDTH_PX)
        except Exception as fault:
            sheet.say(f"Its picture could not be drawn: {type(fault).__name__}: {fault}")
            return None

    def _bundles(self, sheet: Sheet, short: str, drawn: _Drawn) -> list[tuple[str, page.Bundle]]:
        now, png = datetime.now(), drawn[1] if drawn is not None else None
        if self._folds:
            return [(f"{self._id}-words", page.folded(self._name, short, sheet, now, png))]
        words = page.words(self._name, short, sheet, now, is_pictured=self._is_pictured)
        bundles = [(f"{self._id}-words", words)]
        if self._is_pictured:
            about = sheet.drawing.about if sheet.drawing is not None else ""
            bundles.append((f"{self._id}-picture", page.picture(png, about)))
        return bundles

    def _publish(self, bundles: Iterable[tuple[str, page.Bundle]], *, is_new: bool) -> None:
        for display_id, (data, metadata) in bundles:
            known_by = {**metadata, _KNOWN_BY: display_id}
            transient = {"display_id": display_id}
            publish_display_data(data, known_by, transient=transient, update=not is_new)


def written(write: Callable[[Sheet], None]) -> Sheet:
    """The sheet as a widget writes it; what goes wrong stands on it, and stops nothing else."""
    sheet = Sheet()
    try:
        write(sheet)
    except Exception as fault:
        sheet.say(f"The rest could not be written down: {type(fault).__name__}: {fault}")
    return sheet
