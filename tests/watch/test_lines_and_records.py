"""How news are told: for people in a line, for programs as JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from datetime import datetime, timedelta, timezone

import pytest

from lifecycle_widgets.monitor import WHYS, InForce, Request, Residency, Runner, Sample
from lifecycle_widgets.server import Resident
from lifecycle_widgets.watch.news.news import News, RequestNews, SampleNews, ServerNews, StayNews
from lifecycle_widgets.watch.written.lines import line
from lifecycle_widgets.watch.written.records import record

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
STAY = Residency(
    "a:latest", NOON, NOON + timedelta(seconds=9), "expired", None, True, size_bytes=145_000_000
)
REQUEST = Request(
    "a:latest",
    NOON,
    NOON + timedelta(seconds=2),
    7.0,
    9.0,
    load_s=0.5,
    kind="chat",
    keep_alive_s=math.inf,
)
SAMPLE = Sample(
    NOON, 7.0, 1, None, math.nan, (Runner(3, 9, "a:latest", started_s=4.0),), (),
    (Resident("a:latest", 5, expires_at=NOON),), in_force=InForce("0.33.0", 1, NOON),
)  # fmt: skip
NEWS: dict[str, News] = {
    "sample": SampleNews(NOON, SAMPLE),
    "request": RequestNews(NOON, REQUEST),
    "residency": StayNews(NOON, "left", STAY),
    "server": ServerNews(NOON, "there", "0.33.0", in_force=InForce("0.33.0", started_at=NOON)),
}


@pytest.mark.parametrize("kind", NEWS)
def test_each_is_an_object_of_json(kind: str) -> None:
    written = json.dumps(record("home", NEWS[kind]), allow_nan=False)
    read = json.loads(written)
    assert (read["kind"], read["server"]) == (kind, "home")
    assert datetime.fromisoformat(read["at"]) == NOON
    ours = ("t_s", "began_s", "ended_s", "started_s")  # a clock that no other program has
    assert not [name for name in ours if f'"{name}"' in written]


def test_no_field_of_a_value_is_left_out() -> None:
    left_out = {"t_s", "began_s", "ended_s", "in_force"}
    for kind, value in {"sample": SAMPLE, "request": REQUEST, "residency": STAY}.items():
        names = {field.name for field in dataclasses.fields(value)}
        renamed = {"what" if (kind, name) == ("request", "kind") else name for name in names}
        assert renamed - left_out <= record("home", NEWS[kind]).keys()
        # the page of fields is the value's own
        undocumented = [n for n in names - left_out if n not in (type(value).__doc__ or "")]
        assert not undocumented, f"{type(value).__name__}: {undocumented}"


def test_what_json_has_not_is_written_another_way() -> None:
    assert record("home", NEWS["request"])["keep_alive_s"] == -1
    assert record("home", NEWS["request"])["what"] == "chat"
    read = record("home", NEWS["sample"])
    assert read["cpu_fraction"] is None
    assert read["ram_total_bytes"] is None
    assert read["version"] == "0.33.0"
    assert read["runners"][0]["pid"] == 3
    assert read["residents"][0]["expires_at"] == "2026-01-01T12:00:00.000+00:00"


def said(news: News) -> str:
    """The line, without the clock."""
    found = line(news)
    assert found is not None
    clock, _, rest = found.partition("  ")
    assert datetime.fromisoformat(clock)
    return rest


def test_a_sample_is_no_event() -> None:
    assert line(NEWS["sample"]) is None


def test_a_request_in_a_line() -> None:
    assert said(NEWS["request"]) == (
        "a:latest: chat request of another client took 2.00 s, load 0.50 s, keep_alive forever"
    )
    many = dataclasses.replace(REQUEST, count=3, keep_alive_s=None, load_s=None, began_s=None)
    assert said(RequestNews(NOON, many)) == "a:latest: at least 3 requests of another client ended"


@pytest.mark.parametrize("why", WHYS)
def test_a_model_that_left_in_a_line(why: str) -> None:
    left = StayNews(NOON, "left", dataclasses.replace(STAY, why=why))
    assert said(left) == f"a:latest left after 9.00 s, {why}: {WHYS[why]}"


def test_a_model_that_came_in_a_line() -> None:
    here = dataclasses.replace(
        STAY, until=None, why=None, is_forever=False, load_s=0.62, loaded_by="another client"
    )
    assert said(StayNews(NOON, "loading", here)) == "a:latest is loading"
    came = "a:latest (145 MB) loaded in 0.62 s by another client"
    assert said(StayNews(NOON, "loaded", here)) == came
    forever = dataclasses.replace(here, is_forever=True)
    assert said(StayNews(NOON, "there", forever)) == "a:latest (145 MB) is in memory, forever"


def test_a_server_in_a_line() -> None:
    assert said(NEWS["server"]) == "Ollama 0.33.0 answers"
    away = ServerNews(NOON, "away", told="Nobody answers at a:1 (Refused). Start it.\nOr another.")
    assert said(away) == "away: Nobody answers at a:1 (Refused)"
    assert said(ServerNews(NOON, "back")) == "a server that tells no version is back"
