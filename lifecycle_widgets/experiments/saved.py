"""Results read again from the folders that they were saved to, each as its own kind."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

import pandas as pd

from lifecycle_widgets.experiments.face.result import FACTS, FRAME, Result

# where each kind of ours is at home; it is imported when one is loaded
_HOMES = {
    "cold_and_warm": "load.cold_and_warm_result",
    "downstream": "shortage.downstream_result",
    "in_a_loop": "loop.in_a_loop_result",
    "in_a_row": "arms.in_a_row_result",
    "in_turn": "arms.in_turn",
}


def load_result(folder: str | Path) -> Result:
    """The result that `Result.save` wrote to a folder.

    Raises
    ------
    ValueError
        When there is no result in the folder, or one that this version does not know.
    """
    place = Path(folder)
    try:
        about = json.loads((place / FACTS).read_text(encoding="utf-8"))
        frame = pd.read_csv(place / FRAME, keep_default_na=True)
        kind = _kind(about["kind"])
        frame = frame.astype({name: about["types"][name] for name in frame.columns})
    except FileNotFoundError as fault:
        raise ValueError(
            f"There is no saved result in {place} ({Path(fault.filename).name} is missing). Give "
            "the folder that save() was given."
        ) from None
    except (KeyError, TypeError, ValueError) as fault:
        raise ValueError(f"The result in {place} cannot be read: {fault!r}.") from fault
    return kind(frame, about["facts"])


def _kind(name: str) -> type[Result]:
    """The kind of result of that name, a reader's own among them."""
    if name in _HOMES:
        import_module(f"lifecycle_widgets.experiments.{_HOMES[name]}")
    return Result.kinds[name]
