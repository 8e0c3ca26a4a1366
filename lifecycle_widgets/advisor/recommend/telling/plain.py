"""plain: a value of ours as JSON has it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from lifecycle_widgets.keep_alive import KeepAlive


def plain(value: Any) -> Any:
    """As JSON has it: what is not known, or endless, is None; a keep_alive as it is written.

    Examples
    --------
    >>> from lifecycle_widgets.experiments.statistics import Interval
    >>> plain(Interval(1.0, 2.0, math.inf, 1)), plain(KeepAlive("2m"))
    ({'low': 1.0, 'median': 2.0, 'high': None, 'n': 1}, '2m')
    """
    if isinstance(value, KeepAlive):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
