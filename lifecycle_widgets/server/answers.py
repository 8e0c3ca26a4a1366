"""What a server's answers mean, read leniently: what is not told is None, and nothing raises.

Ollama's API is spoken by other servers too, and by gateways that leave fields out. A field that is
absent, null, empty or of another type is "not told": never a guess.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from lifecycle_widgets.server.shape import Shape, shape
from lifecycle_widgets.server.values import Capabilities, Model, Resident

_MOST_BYTES = 1 << 60
_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?\s*([Zz]|[+-]\d\d:?\d\d)?"
)
_FIRST_YEAR, _LAST_YEAR = 1971, 2900  # no deadline lies before; Windows can show none after 3000
_DIGEST = re.compile(r"sha256[-:]([0-9a-f]{64})")


class Unreadable(ValueError):
    """It is not an answer of this kind at all."""


class NoJson(Unreadable):
    """It is not even JSON: a web page, most likely, or cut off."""


def parsed(body: bytes) -> Any:
    """The JSON of an answer. Raises Unreadable when it is none."""
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as fault:
        raise NoJson(_beginning(body)) from fault


def _beginning(body: bytes) -> str:
    start = " ".join(body[:200].decode(errors="replace").split())
    if not start:
        return "it is empty"
    if re.match(r"<(!doctype|html|head|\?xml)", start, re.IGNORECASE):
        return "it is a web page"
    readable = re.sub(r"[^\x20-\x7e]+", "?", start)[:40].replace("<", "?")
    return f"it begins with {readable!r}"


# --- single values ------------------------------------------------------------------------------


def text(value: Any) -> str:
    """A text that can be shown; empty for anything else."""
    return sendable(value.strip()) if isinstance(value, str) else ""


def sendable(words: str) -> str:
    """The text with ? for half a character, which JSON can hold and no page or file can."""
    return words.encode("utf-8", "replace").decode()


def size(value: Any) -> int | None:
    """Bytes, from a number, or a number as text; None for anything else.

    Examples
    --------
    >>> size(5), size("5"), size(""), size(-1), size(True), size(float("nan"))
    (5, 5, None, None, None, None)
    """
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value.strip()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if not 0 <= value < _MOST_BYTES or not math.isfinite(value):
        return None
    return int(value)


def date(value: Any) -> datetime | None:
    """A time as Go writes it (without a zone: UTC); None for anything else, and for its zero time.

    Examples
    --------
    >>> date("2026-01-02T03:04:05.123456789+01:00").isoformat()
    '2026-01-02T02:04:05.123457+00:00'
    >>> date("0001-01-01T00:00:00Z") is None, date("") is None
    (True, True)
    """
    match = _DATE.fullmatch(text(value))
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    if year < _FIRST_YEAR:
        return None
    if year >= _LAST_YEAR:
        return datetime(_LAST_YEAR, 1, 1, tzinfo=timezone.utc)
    zone = (match[8] or "Z").replace(":", "")
    try:
        told = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=timezone.utc)
        ahead = timedelta()
        if zone not in "Zz":
            ahead = timedelta(hours=_less_than(24, zone[1:3]), minutes=_less_than(60, zone[3:5]))
        fraction = timedelta(seconds=float(match[7] or 0))
        return told + fraction - (-ahead if zone[0] == "-" else ahead)
    except (ValueError, OverflowError):
        return None


def _less_than(limit: int, digits: str) -> int:
    if int(digits) >= limit:
        raise ValueError(digits)
    return int(digits)


# --- whole answers ------------------------------------------------------------------------------


def version(body: Any) -> str | None:
    """The version that /api/version tells; None when it does not."""
    told = body.get("version") if isinstance(body, dict) else None
    return text(told)[:60] or None


def models(body: Any) -> list[Model]:
    """The models of /api/tags. Raises Unreadable when it is no list of models."""
    return list(_unique(_entries(body), _model))


def residents(body: Any, ahead_s: float = 0.0) -> list[Resident]:
    """The models of /api/ps. Raises Unreadable when it is no list of models.

    Parameters
    ----------
    ahead_s:
        Seconds that the server's clock is ahead of ours.
    """
    return list(_unique(_entries(body), lambda entry: _resident(entry, ahead_s)))


def _entries(body: Any) -> list[Any]:
    """The list, which may stand alone; null is Go's way of writing an empty one."""
    found = body
    if isinstance(body, dict):
        if "models" in body and body["models"] is None:
            return []
        found = body.get("models")
    if not isinstance(found, list):
        raise Unreadable("there is no list of models in it")
    if found and all(isinstance(entry, str) for entry in found):
        found = [{"name": entry} for entry in found]
    if found and not any(_name(entry) for entry in found):
        raise Unreadable("its models have no names")
    return found


def _name(entry: Any) -> str:
    if not isinstance(entry, dict):
        return ""
    return next((n for key in ("model", "name") if (n := text(entry.get(key)))), "")


def _unique(entries: list[Any], read: Any) -> Iterator[Any]:
    """The entries that have a name, each name once."""
    seen: set[str] = set()
    for entry in entries:
        name = _name(entry)
        if name and name not in seen:
            seen.add(name)
            yield read(entry)


def _model(entry: Mapping[str, Any]) -> Model:
    name, details = _name(entry), entry.get("details")
    details = details if isinstance(details, dict) else {}
    remote_host = text(entry.get("remote_host"))
    capable = capabilities({"capabilities": entry.get("capabilities")})
    told = (lambda: capable) if capable is not None else None  # by Ollama, since 0.30
    is_cloud = bool(remote_host or text(entry.get("remote_model"))) or _is_cloud_name(name)
    return Model(
        name=name,
        size_bytes=size(entry.get("size")) or None,  # a file of no bytes is no model: not told
        quantization=text(details.get("quantization_level")),
        parameter_size=text(details.get("parameter_size")),
        family=text(details.get("family")),
        digest=text(entry.get("digest")),
        is_cloud=is_cloud,
        remote_host=remote_host or ("https://ollama.com" if is_cloud else ""),
        _ask=told,
        _look=told,
    )


def _is_cloud_name(name: str) -> bool:
    """Ollama's own rule: a tag that is, or ends with, "cloud"."""
    tag = name.lower().rpartition(":")[2] if ":" in name else ""
    return tag == "cloud" or tag.endswith("-cloud")


def _resident(entry: Mapping[str, Any], ahead_s: float) -> Resident:
    expires_at = date(entry.get("expires_at"))
    if expires_at is not None and ahead_s:
        expires_at -= timedelta(seconds=ahead_s)
    return Resident(
        name=_name(entry),
        size_bytes=size(entry.get("size")) or None,
        size_vram_bytes=size(entry.get("size_vram")),
        expires_at=expires_at,
        context_length=size(entry.get("context_length")) or None,
        digest=text(entry.get("digest")),
    )


@dataclass(frozen=True)
class Shown:
    """What /api/show tells of a model, as far as it is used here.

    ``num_ctx``: the context's length that its Modelfile sets, in tokens.
    """

    weights_path: str | None = None
    capabilities: Capabilities = None
    remote_host: str = ""
    shape: Shape = field(default_factory=Shape)
    num_ctx: int | None = None

    @property
    def weights(self) -> str | None:
        """SHA-256 of the weights' file, by which a runner is known."""
        match = _DIGEST.search(self.weights_path or "")
        return match[1] if match else None


def shown(body: Any) -> Shown:
    """Read /api/show; what it does not tell is None."""
    if not isinstance(body, dict):
        return Shown()
    return Shown(
        weights_path=_from_line(text(body.get("modelfile"))),
        capabilities=capabilities(body),
        remote_host=text(body.get("remote_host")),
        shape=shape(body.get("model_info")),
        num_ctx=_num_ctx(text(body.get("parameters"))),
    )


def _num_ctx(parameters: str) -> int | None:
    for line in parameters.splitlines():
        name, _, value = line.strip().partition(" ")
        if name == "num_ctx":
            return size(value) or None
    return None


def _from_line(modelfile: str) -> str | None:
    for line in modelfile.splitlines():
        if line.startswith("FROM ") and _DIGEST.search(line):
            return line.removeprefix("FROM ").strip()
    return None


def capabilities(body: Mapping[str, Any]) -> Capabilities:
    """What the model can do; before 0.6.5 by Ollama's own later rule: what pools, embeds."""
    told = body.get("capabilities")
    if isinstance(told, list):
        return frozenset(text(one).lower() for one in told if text(one)) or None
    info = body.get("model_info")
    if told is None and isinstance(info, dict) and info:
        pools = any(key.endswith(".pooling_type") for key in info if isinstance(key, str))
        return frozenset({"embedding"}) if pools else None
    return None
