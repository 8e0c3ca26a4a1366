"""What the news of one server come to, since the watch began."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field

from lifecycle_widgets.watch.news.news import News, RequestNews, StayNews


@dataclass
class Tally:
    """Counts that only grow; what is not told is not counted.

    Parameters
    ----------
    requests:
        How many have ended, by model and whose.
    request_s:
        How many seconds they took, by model and whose.
    loads, load_s:
        How often each model was loaded, and how many seconds that took.
    unloads:
        How often each model left, by model and why.
    """

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    request_s: Counter[tuple[str, str]] = field(default_factory=Counter)
    loads: Counter[str] = field(default_factory=Counter)
    load_s: Counter[str] = field(default_factory=Counter)
    unloads: Counter[tuple[str, str]] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, news: News) -> None:
        """One more."""
        with self.lock:
            if isinstance(news, RequestNews):
                key = news.request.model, news.request.whose
                self.requests[key] += news.request.count
                if news.request.total_s is not None:
                    self.request_s[key] += news.request.total_s  # type: ignore[assignment]
            elif isinstance(news, StayNews) and news.what == "loaded":
                self.loads[news.stay.model] += 1
                if news.stay.load_s is not None:
                    self.load_s[news.stay.model] += news.stay.load_s  # type: ignore[assignment]
            elif isinstance(news, StayNews) and news.what == "left":
                self.unloads[news.stay.model, news.stay.why or "unknown"] += 1
