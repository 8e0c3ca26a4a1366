"""Saves: what a chart shows, as a figure, as tables and as files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from lifecycle_widgets.widgets.chart.export.files import checked_path, save_figure, save_table
from lifecycle_widgets.widgets.chart.export.frames import requests_frame, samples_frame
from lifecycle_widgets.widgets.chart.picture import picture
from lifecycle_widgets.widgets.chart.plot.as_plotly import as_plotly
from lifecycle_widgets.widgets.chart.scene import Scene


class Saves:
    """Mixed into a chart that has a scene."""

    def _scene_now(self) -> Scene:
        """What is shown now."""
        raise NotImplementedError

    @property
    def figure(self) -> go.Figure:
        """What the chart shows now, as a plain plotly figure (to print, to save, for nbviewer)."""
        return as_plotly(picture(self._scene_now()))

    @property
    def frame(self) -> pd.DataFrame:
        """What the lines show now, a row for each sample; units are in the columns' names."""
        return samples_frame(self._scene_now())

    @property
    def requests_frame(self) -> pd.DataFrame:
        """The requests in view, a row for each; others' with how exact their times are."""
        return requests_frame(self._scene_now())

    def save(self, path: str | Path) -> Path:
        """Write what is shown to a file, by its ending.

        Parameters
        ----------
        path:
            ``.csv`` (the `frame`), ``.html`` (a page that needs no network), ``.svg`` or ``.png``.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ValueError
            For another ending.
        RuntimeError
            For a picture, where kaleido or its browser is not there; says what to do.
        OSError
            When it cannot be written.

        Examples
        --------
        >>> chart.save("monday.html")  # doctest: +SKIP
        """
        place = checked_path(path)
        if place.suffix.lower() == ".csv":
            return save_table(place, self.frame)
        return save_figure(place, self.figure)
