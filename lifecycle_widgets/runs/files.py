"""A run as JSON, and as a file."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from lifecycle_widgets.runs.reading import filled
from lifecycle_widgets.runs.values import RunValues
from lifecycle_widgets.whole_files import write_whole

R = TypeVar("R", bound=RunValues)

FORMAT = 1
_NAME_LENGTH = 60  # characters of a model's name in a file's


def run_to_json(run: RunValues) -> dict[str, Any]:
    """See `Run.to_json`."""
    told = {"kind": "run", "format": FORMAT, **_plain(run)}
    if run.remote_host is not None:
        told["remote_host"] = _without_user(run.remote_host)
    return told


def run_from_json(kind: type[R], value: Any) -> R:
    """See `Run.from_json`."""
    if not isinstance(value, Mapping) or value.get("kind") != "run":
        raise ValueError("This is no saved run. Give what Run.to_json or Run.save has written.")
    if value.get("format") != FORMAT:
        raise ValueError(
            f"This run was saved in format {value.get('format')!r}, and this version reads "
            f"{FORMAT}. Read it with the version of lifecycle_widgets that saved it."
        )
    return filled(kind, value)


def save_run(run: RunValues, path: Path) -> Path:
    """See `Run.save`."""
    place = path if path.suffix == ".json" else _new_name(path, run)
    text = json.dumps(run_to_json(run), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        write_whole(place.parent, {place.name: text})
    except OSError as fault:
        raise type(fault)(
            fault.errno,
            f"The run was not saved ({fault.strerror}). It is still in memory: make room, or save "
            "it elsewhere",
            str(place),
        ) from fault
    return place


def _new_name(folder: Path, run: RunValues) -> Path:
    """A name that no file of the folder has."""
    model = re.sub(r"[^\w.-]+", "-", run.model).strip(".-")[:_NAME_LENGTH] or "model"
    stem = f"{run.started_at:%Y-%m-%d_%H.%M.%S}_{model}"
    place, number = folder / f"{stem}.json", 1
    while place.exists():
        number += 1
        place = folder / f"{stem}_{number}.json"
    return place


def _plain(value: Any) -> Any:
    """As JSON has it. A text for what JSON has no form for."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()  # no lone surrogates
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _without_user(url: str) -> str:
    """An address without the user and the password that it may have."""
    if "@" not in url:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl() if parts.netloc else ""
