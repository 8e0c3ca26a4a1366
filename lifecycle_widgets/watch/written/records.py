"""News as JSON: one object per line, for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from lifecycle_widgets.watch.news.news import News, RequestNews, SampleNews, ServerNews, StayNews

KINDS: dict[type, str] = {
    SampleNews: "sample",
    RequestNews: "request",
    StayNews: "residency",
    ServerNews: "server",
}
ABOUT = """\
Each line is an object with "kind", "server" (its name) and "at" (when, ISO 8601 with zone), and:
  "sample"     the fields of lifecycle_widgets.Sample: memory, CPU, GPUs, runners, residents ...
  "request"    "what" (chat, generate, embed, load, touch), and the other fields of
               lifecycle_widgets.monitor.Request: model, began_at, ended_at, whose ...
  "residency"  "what" (there, loading, loaded, left), and those of lifecycle_widgets.Residency:
               model, since, until, why, expires_at ...
  "server"     "what" (there, away, back, upgraded, restarted), "version", "version_before", "told"
               (why it is away), "in_force" (what is in force there)
Bytes and seconds are in the names; null is: not told. Of a keep_alive, -1 is: forever.
"""
_OURS = ("t_s", "began_s", "ended_s", "started_s")  # by a clock that nobody else has
_SAID_ONCE = "in_force"  # of a sample: it is in the news of the server


def record(server: str, news: News) -> dict[str, Any]:
    """What `json.dumps` takes.

    Parameters
    ----------
    server:
        The server's name.
    news:
        What is new there.

    Examples
    --------
    >>> from datetime import timezone
    >>> noon = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
    >>> record("home", ServerNews(noon, "away", told="It is switched off."))["told"]
    'It is switched off.'
    """
    found: dict[str, Any] = {"kind": KINDS[type(news)], "server": server, "at": _plain(news.at)}
    if isinstance(news, SampleNews):
        found |= _plain(news.sample)
        found.pop(_SAID_ONCE, None)
        found["version"] = news.sample.in_force.version if news.sample.in_force else None
    elif isinstance(news, RequestNews):
        request = _plain(news.request)
        found |= {"what": request.pop("kind")} | request
    elif isinstance(news, StayNews):
        found |= {"what": news.what} | _plain(news.stay)
    else:
        found |= _plain(news)
    return found


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        names = [one.name for one in fields(value) if one.name not in _OURS and one.repr]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds")
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        return [_plain(one) for one in value]
    return value


def _number(value: float) -> float | int | None:
    """JSON has no infinity (of a keep_alive: forever, for which Ollama says -1), and no NaN."""
    if math.isnan(value):
        return None
    return round(value, 6) if math.isfinite(value) else -1
