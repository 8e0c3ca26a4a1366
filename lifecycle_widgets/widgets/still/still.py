"""Still: a widget leaves what it showed last in its cell's output, for readers without a kernel."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

import traitlets
from IPython import get_ipython
from IPython.display import publish_display_data

from lifecycle_widgets.widgets.still import page
from lifecycle_widgets.widgets.still.copy import Copy, written
from lifecycle_widgets.widgets.still.sender import SENDER
from lifecycle_widgets.widgets.still.sheet import Sheet


class Still:
    """Has a widget leave its last state beside it: mix it in before the widget's class.

    JupyterLab without a kernel, nbconvert, nbviewer and GitHub show that. A widget says in
    ``_still`` what is to stand there; ``_still_sources`` are the parts whose traits that rests on.
    """

    _is_pictured: ClassVar[bool] = False  # whether a picture can come to be part of it
    _copy: Copy | None = None  # once it was displayed

    def _still(self, sheet: Sheet) -> None:
        """Write down what it shows; it can be asked in any thread."""
        sheet.say(self._in_short())

    def _still_sources(self) -> Iterable[traitlets.HasTraits]:
        return (self,)  # type: ignore[return-value]  # what it is mixed into

    def _in_short(self) -> str:
        return ""

    def _repr_mimebundle_(self, **keywords: Any) -> Any:
        bundle = super()._repr_mimebundle_(**keywords)  # type: ignore[misc]
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None and _has_kernel():
            data.update(page.own(type(self).__name__))
        elif data is not None:
            data["text/plain"] = self._on_paper()
        return bundle

    def _ipython_display_(self) -> None:
        bundle = self._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        if data is None:
            return
        publish_display_data(data, metadata)
        if not _has_kernel():
            return
        if self._copy is None:
            self._copy = Copy(type(self).__name__, self._in_short, self._still, self._is_pictured)
            for source in self._still_sources():
                source.observe(self._still_changed)
            SENDER.watch(get_ipython())
        self._copy.place()
        self._still_changed()

    def _still_changed(self, _: Any = None) -> None:
        """What it shows may be another one now. Costs next to nothing."""
        if self._copy is not None and not self._copy.is_done:
            SENDER.ask(self._copy)

    def _still_ends(self) -> None:
        """It is about to be closed: the last state is sent, and stays."""
        copy = self._copy
        if copy is not None and not copy.is_done:
            SENDER.finish(copy)
            copy.is_done = True

    def _on_paper(self) -> str:
        """All of it in a terminal."""
        name = type(self).__name__
        bundle, _ = page.words(
            name, self._in_short(), written(self._still), datetime.now(), is_pictured=False
        )
        return str(bundle["text/plain"])


def _has_kernel() -> bool:
    return hasattr(get_ipython(), "kernel")
