"""`ResourceChart`, and its parts: from what was seen to a picture, and from picture to picture.

`seen` is what there is to show, `view` which stretch of it; `scene` is what one picture shows,
`series` its numbers, `words` its texts; `rows`, `bands` and `requests` are laid out from these,
`picture` is the whole; `plot` shows one after another, `export` writes them to files, `toolbar` is
the row above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lifecycle_widgets.widgets.chart.resource_chart import ResourceChart as ResourceChart

__all__ = ["ResourceChart"]


def __getattr__(name: str) -> Any:
    """The chart, when it is first used: a picture can be had without widgets."""
    if name != "ResourceChart":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lifecycle_widgets.widgets.chart.resource_chart import ResourceChart

    return ResourceChart
