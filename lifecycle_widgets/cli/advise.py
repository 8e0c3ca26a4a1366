"""``lifecycle-lab advise``: which keep_alive to use, from what was done."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.cli.workloads import above_0, add_workload, number, spared, told, typed

if TYPE_CHECKING:
    from lifecycle_widgets.advisor.price import Price
    from lifecycle_widgets.advisor.recommend.advice import Advice

_ABOUT = """\
Recommends a keep_alive for each model, and the server's settings, from your history or a file: with
what it costs and saves against today's value, how sure that is, and what is guaranteed. Nothing is
set, and no server is asked. What an idle model in memory is worth only you can say: --t-star,
--price or --slowdown.
"""
_PRICES = {"t_star_s": "t_star", "s_per_gb_min": "price", "slowdown": "slowdown"}


def main(words: Sequence[str]) -> int:
    """Prints the advice; returns 1 where there is none."""
    known = _parser().parse_args(spared(words))
    return told(lambda: _advise(known))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab advise", description=_ABOUT, allow_abbrev=False
    )
    add_workload(parser)
    parser.add_argument(
        "--t-star", metavar="S", help="a reload is worth so many seconds of the idle model"
    )
    parser.add_argument(
        "--price", metavar="S_PER_GB_MIN", help="a GB for a minute is worth so many seconds"
    )
    parser.add_argument(
        "--slowdown", metavar="X", help="what runs beside the model takes X times as long"
    )
    parser.add_argument("--since", metavar="DATE", help="of the history: only from then on")
    parser.add_argument("--until", metavar="DATE", help="of the history: only until then")
    parser.add_argument(
        "--today", metavar="KEEP_ALIVE", help="the value in force (default: as seen)"
    )
    parser.add_argument("--reload-s", metavar="S", help="what a reload takes (default: as seen)")
    parser.add_argument("--held-gb", metavar="GB", help="what a model takes (default: as seen)")
    parser.add_argument(
        "--max-reloads-per-hour", metavar="N", help="no value that reloads more often in use"
    )
    return parser


def _advise(known: argparse.Namespace) -> int:
    from lifecycle_widgets.advisor.recommend.advise import advise

    def given(name: str) -> float | None:
        word = getattr(known, name)
        return None if word is None else above_0(word, f"--{name.replace('_', '-')}")

    price = _price(known)
    held_gb, most = given("held_gb"), known.max_reloads_per_hour
    advice = advise(
        **_of(known),
        price=price,
        today=known.today,
        reload_s=given("reload_s"),
        held_bytes=None if held_gb is None else held_gb * 1e9,
        most_reloads_per_hour=None if most is None else number(most, "--max-reloads-per-hour"),
    )
    return _tell(advice, as_json=known.json)


def _price(known: argparse.Namespace) -> Price:
    from lifecycle_widgets.advisor.price import Price

    told = {to: getattr(known, name) for to, name in _PRICES.items()}
    said = {to: word for to, word in told.items() if word is not None}
    if len(said) != 1:
        raise ValueError(
            "Say in one way what an idle model in memory is worth: --t-star S, --price "
            "S_PER_GB_MIN, or --slowdown X."
        )
    return Price(
        **{to: number(word, f"--{_PRICES[to].replace('_', '-')}") for to, word in said.items()}
    )


def _of(known: argparse.Namespace) -> dict[str, Any]:
    """What the advice is made from: the history, another one, or a file's workload."""
    from lifecycle_widgets.advisor.workload.kinds.databases import is_history
    from lifecycle_widgets.advisor.workload.opening import STDIN
    from lifecycle_widgets.advisor.workload.reading import read_workload
    from lifecycle_widgets.history import History

    asked = {name: getattr(known, name) for name in ("model", "server", "since", "until")}
    if known.file is None:
        return asked
    if known.file != STDIN and is_history(Path(known.file)):
        return {"of": History(known.file), **asked}
    if known.since is not None or known.until is not None:
        raise ValueError("--since and --until are for the history; a file is read as a whole.")
    return {"of": read_workload(known.file, model=known.model, server=known.server)}


def _tell(advice: Advice, *, as_json: bool) -> int:
    if not advice.models:
        why = " ".join(advice.notes) or f"{advice.source} has nothing to advise from."
        print(f"lifecycle-lab: {typed(why)}", file=sys.stderr)
        return 1
    if as_json:
        print(json.dumps(advice.to_dict(), ensure_ascii=False, indent=1, allow_nan=False))
    else:
        print(typed(str(advice)))
    return 0
