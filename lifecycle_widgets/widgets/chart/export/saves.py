"""Saves: what a chart shows, as a figure, as tables and as files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from lifecycle_widgets.widgets.chart.export.files import checked_path, save_figure, save_table
from lifecycle_widgets.widgets.chart.export.frames import requests_frame, samples_frame
from lifecycle_widgets.widgets.chart.export.what_happened import what_happened
from lifecycle_widgets.widgets.chart.picture import picture
from lifecycle_widgets.widgets.chart.plot.as_plotly import as_plotly
from lifecycle_widgets.widgets.chart.plot.description import description
from lifecycle_widgets.widgets.chart.scene import Scene


class Saves:
    """Mixed into a chart that has a scene."""

    view: Any

    def _scene_now(self) -> Scene:
        """What is shown now."""
        raise NotImplementedError

    @property
    def figure(self) -> go.Figure:
        """What the chart shows now, as a plain plotly figure (to print, to save, for nbviewer).

        A view that is held is shown as it is; of the live one, the time in which something
        happened.
        """
        scene = self._scene_now()
        if self.view is None:
            scene = what_happened(scene)
        return as_plotly(picture(replace(scene, is_still=True)))

    @property
    def description(self) -> str:
        """What the chart shows now, in sentences: who is in memory until when, and what happened.

        It is what a screen reader says of the chart on the page.
        """
        return description(self._scene_now())

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
