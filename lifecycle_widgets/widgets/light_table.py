"""LightTable: itables' table on the page, without its JavaScript in every saved notebook."""

from __future__ import annotations

from typing import Any

import itables
import pandas as pd
from itables.widget import ITable

from lifecycle_widgets.widgets.light import Light
from lifecycle_widgets.widgets.still.sheet import Sheet


class LightTable(Light, ITable):
    """An ITable whose JavaScript comes to the page when it asks.

    Examples
    --------
    >>> LightTable(frame, select=True)  # doctest: +SKIP
    """

    _heavy, _version = ITable, itables.__version__
    _css: Any = str(ITable._css)  # as text: see `static`

    def _still(self, sheet: Sheet) -> None:
        sheet.say(self.caption)
        if self._df is not None:
            sheet.table(pd.DataFrame(self._df), index=not isinstance(self._df.index, pd.RangeIndex))
