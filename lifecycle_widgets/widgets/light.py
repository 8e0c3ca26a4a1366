"""Light: another package's widget, without its JavaScript in every saved notebook."""

from __future__ import annotations

import gzip
from functools import cache
from typing import Any, ClassVar

import anywidget
import traitlets

from lifecycle_widgets.widgets.base import Framed
from lifecycle_widgets.widgets.style import static


class Light(Framed, anywidget.AnyWidget):
    """Has a widget's JavaScript come to the page when it asks, once for all its widgets.

    An anywidget keeps its JavaScript in the state of each instance, and a notebook that is saved
    with its widgets' state keeps it too: plotly's 5 MB for each chart. Here it comes in a message,
    which nothing saves; where no kernel answers, a sentence stands in place of the widget.

    To be mixed in before the widget's class, which a subclass names, with its version.
    """

    _esm: Any = static("light.js")
    _library = traitlets.Unicode().tag(sync=True)  # what the page keeps it under
    _heavy: ClassVar[type[anywidget.AnyWidget]]
    _version: ClassVar[str]

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self.on_msg(self._asked)

    @traitlets.default("_library")
    def _named(self) -> str:
        return f"{self._heavy.__name__} {self._version}"

    def close(self) -> None:
        """Remove it from the page; where it was displayed, what it showed last stays."""
        self._still_ends()
        self._unframe()
        super().close()

    def _asked(self, _: Any, content: dict[str, Any], __: Any) -> None:
        """A page asks for what it needs to show the widget."""
        if content.get("wants") == "library":
            self.send({"has": "library"}, buffers=[packed(str(self._heavy._esm))])


@cache
def packed(code: str) -> bytes:
    """JavaScript as it is sent; of plotly's 5 MB 1.5 are left."""
    return gzip.compress(code.encode(), compresslevel=6)
