"""``lifecycle-lab replay``: what each policy would have cost on a recorded workload."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.cli.workloads import RELOAD_S, above_0, add_workload, number, spared, told

if TYPE_CHECKING:
    from lifecycle_widgets.advisor.replay.online import PolicyCost
    from lifecycle_widgets.advisor.workload.workload import Workload

_ABOUT = """\
Replays a workload: what each policy for a keep_alive would have cost, knowing only what had
already happened, over what it costs whoever knows the future; how long people would have waited,
and how often the model would have been loaded again. T* is how many seconds of an idle model in
memory are worth one reload.
"""


def main(words: Sequence[str]) -> int:
    """Replays it and prints the table, or JSON; returns the exit status."""
    known = _known(words)
    return told(lambda: _replay(known))


def _known(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab replay", description=_ABOUT, allow_abbrev=False
    )
    add_workload(parser)
    parser.add_argument(
        "--t-star", nargs="+", default=[], metavar="S", help="one T* or more, in seconds"
    )
    parser.add_argument(
        "--reload-s",
        metavar="S",
        help=f"what one reload takes, in seconds, for the waiting (default: {RELOAD_S:g})",
    )
    known = parser.parse_args(spared(words))
    if known.file is None and len(known.t_star) > 1 and not _is_number(known.t_star[-1]):
        known.file = known.t_star.pop()  # --t-star 30 120 FILE
    return known


def _is_number(word: str) -> bool:
    try:
        return number(word, "") is not None
    except ValueError:
        return False


def _replay(known: argparse.Namespace) -> int:
    import numpy as np

    from lifecycle_widgets.advisor.price import Price

    if not known.t_star:
        raise ValueError("Say what a reload is worth: --t-star and one T* or more, in seconds.")
    prices = [Price(t_star_s=number(word, "T*")) for word in known.t_star]
    reload_s = RELOAD_S if known.reload_s is None else above_0(known.reload_s, "--reload-s")
    workload = _workload(known)
    with np.errstate(all="ignore"):  # a T* of 1e-320 is a number, too
        found = {f"{price.t_star_s:.15g}": _costs(workload, price.t_star()) for price in prices}
    notes = list(workload.notes)
    if known.reload_s is None:
        notes.append(f"A reload is taken for {RELOAD_S:g} s of waiting: say it with --reload-s.")
    if known.json:
        figures = {
            t_star: {one.name: _figures(one, reload_s) for one in costs}
            for t_star, costs in found.items()
        }
        print(json.dumps(figures, ensure_ascii=False, indent=1, allow_nan=False))
    else:
        print(_text(workload, found, reload_s))
    for note in notes:
        print(note, file=sys.stderr if known.json else sys.stdout)
    return 0


def _workload(known: argparse.Namespace) -> Workload:
    if known.file is None:
        from lifecycle_widgets.advisor.workload.from_history import workload_of

        return workload_of(model=known.model, server=known.server)
    from lifecycle_widgets.advisor.workload.reading import read_workload

    return read_workload(known.file, model=known.model, server=known.server)


def _costs(workload: Workload, t_star_s: float) -> list[PolicyCost]:
    """What each policy comes to, and the best that a single value could have done."""
    from lifecycle_widgets.advisor.replay.hindsight import best_in_hindsight
    from lifecycle_widgets.advisor.replay.online import replay_policies

    return [*replay_policies(workload, t_star_s).values(), best_in_hindsight(workload, t_star_s)]


def _figures(one: PolicyCost, reload_s: float) -> dict[str, Any]:
    over, reloads = one.over_clairvoyant, one.reloads
    return {
        "cost_over_clairvoyant": over if math.isfinite(over) else None,
        "waiting_s": one.waiting_s(reload_s),
        "reloads": int(reloads) if float(reloads).is_integer() else reloads,
    }


def _text(workload: Workload, found: dict[str, list[PolicyCost]], reload_s: float) -> str:
    from lifecycle_widgets.runs.texts import counted, duration_text
    from lifecycle_widgets.short_texts import one_line

    gaps, streams = counted(workload.gaps, "gap"), counted(len(workload.streams), "stream")
    lines = [f"{one_line(workload.source, 200)}: {gaps}, {streams}"]
    for t_star, costs in found.items():
        widest = max(len(one.name) for one in costs)
        head = f"{f'T* {t_star} s':{widest}}  over the least        between"
        lines += ["", f"{head}       waiting    reloads"]
        for one in costs:
            over, between, waiting_s = one.over_clairvoyant, one.interval, one.waiting_s(reload_s)
            cost = f"{over:.3f}" if math.isfinite(over) else "-"
            ends = f"{between.low:.2f} to {between.high:.2f}" if between.has_ends else "-"
            waiting = duration_text(waiting_s) if waiting_s else "none"
            figures = f"{cost:>14}  {ends:>13}  {waiting:>12}  {one.reloads:>9,.0f}"
            lines.append(f"{one.name:{widest}}  {figures}")
    return "\n".join(lines)
