"""News for people: one line each, with the time on the clock."""

from __future__ import annotations

import math

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.monitor import OURS, WHYS, Request, Residency
from lifecycle_widgets.runs import seconds_text, size_text
from lifecycle_widgets.short_texts import one_line
from lifecycle_widgets.watch.news.news import News, RequestNews, ServerNews, StayNews

_MOST = 300  # letters of what a server says
_NO_NAME = "a model without a name"


def line(news: News) -> str | None:
    """What happened, in a line; None for a sample, which is no event.

    Examples
    --------
    >>> from datetime import datetime
    >>> noon = datetime(2026, 1, 1, 12).astimezone()
    >>> line(ServerNews(noon, "upgraded", "0.34.0", "0.33.1"))
    '2026-01-01 12:00:00  upgraded from Ollama 0.33.1 to 0.34.0'
    """
    if isinstance(news, ServerNews):
        said = _server(news)
    elif isinstance(news, StayNews):
        said = _stay(news)
    elif isinstance(news, RequestNews):
        said = _request(news.request)
    else:
        return None
    return f"{news.at.astimezone():%Y-%m-%d %H:%M:%S}  {one_line(said, _MOST)}"


def _server(news: ServerNews) -> str:
    ollama = f"Ollama {news.version}" if news.version else "a server that tells no version"
    if news.what == "away":
        return f"away: {(news.told or '').partition('. ')[0].rstrip('.')}"  # why; then comes advice
    if news.what == "upgraded":
        return f"upgraded from Ollama {news.version_before} to {news.version}"
    if news.what == "restarted":
        return f"{ollama} was restarted"
    return f"{ollama} {'answers' if news.what == 'there' else 'is back'}"


# --- models in memory -----------------------------------------------------------------------------


def _stay(news: StayNews) -> str:
    stay, model = news.stay, news.stay.model or _NO_NAME
    if news.what == "loading":
        return f"{model} is loading"
    if news.what == "left":
        return f"{model} left{_held(stay)}, {stay.why}: {WHYS[stay.why or 'unknown']}"
    size = f" ({size_text(stay.size_bytes)})" if stay.size_bytes is not None else ""
    if news.what == "there":
        return f"{model}{size} is in memory{_until(stay)}"
    took = f" in {seconds_text(stay.load_s)}" if stay.load_s is not None else ""
    by = f" by {'us' if stay.loaded_by == OURS else stay.loaded_by}" if stay.loaded_by else ""
    return f"{model}{size} loaded{took}{by}{_until(stay)}"


def _held(stay: Residency) -> str:
    assert stay.until is not None
    return f" after {seconds_text((stay.until - stay.since).total_seconds())}"


def _until(stay: Residency) -> str:
    if stay.is_forever:
        return ", forever"
    if stay.expires_at is None:
        return ""
    return f", until {stay.expires_at.astimezone():%H:%M:%S} unless it is asked again"


# --- requests -------------------------------------------------------------------------------------


def _request(request: Request) -> str:
    what = f"{request.kind} request" if request.kind else "request"
    if request.count > 1:
        what = f"at least {request.count} requests"
    took = f" took {seconds_text(request.total_s)}" if request.total_s is not None else " ended"
    parts = [f"{request.model or _NO_NAME}: {what} of {_whose(request)}{took}"]
    if request.is_broken_off:
        parts.append("broken off")
    if request.load_s:
        parts.append(f"load {seconds_text(request.load_s)}")
    if request.output_tokens is not None:
        parts.append(f"{request.output_tokens} tokens")
    if request.keep_alive_s is not None:
        seconds = -1 if math.isinf(request.keep_alive_s) else request.keep_alive_s
        parts.append(f"keep_alive {KeepAlive(seconds)}")
    return ", ".join(parts)


def _whose(request: Request) -> str:
    return "this process" if request.whose == OURS else request.whose
