"""Why a model is in memory now, in words; and whether it is past its deadline, or stuck."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.monitor.sample import Sample
from lifecycle_widgets.monitor.stays.stay import Stay
from lifecycle_widgets.monitor.stays.use import keep_alive_of
from lifecycle_widgets.monitor.stays.uses import Uses
from lifecycle_widgets.monitor.traffic.request import OURS, Request
from lifecycle_widgets.runs import clock_text, duration_text

# A model that is not in use leaves within moments of its deadline; with a GPU Ollama waits until
# the GPU's memory is back, for up to 5 s. The clocks of two machines differ by a second or two.
_LEAVES_S, _LEAVES_GPU_S, _CLOCKS_S = 1.5, 6.0, 2.0
_LEASE_S = 20.0  # a hold's renewals have that keep_alive, or less; its last one what was chosen
_IDLE_S = 8.0  # a runner that does nothing for so long, past its deadline, is stuck
_CARD_WORKS = 0.05
_NO_REQUESTS = ("touch", "unload")


@dataclass(frozen=True)
class Staying:
    """What `Residency` says of the time in memory; see there."""

    overdue_s: float | None
    is_stuck: bool
    why: str


def staying(stay: Stay, latest: Sample, deadline: datetime | None) -> Staying:
    """Of a model that is in memory.

    Parameters
    ----------
    latest:
        The last sample.
    deadline:
        As `Residency.expires_at`.
    """
    overdue_s = _overdue_s(stay, latest)
    is_stuck = overdue_s is not None and _is_idle(stay, latest)
    past = "" if overdue_s is None or deadline is None else _past(deadline, overdue_s, latest)
    return Staying(overdue_s, is_stuck, _why(stay, latest, past, deadline, is_stuck=is_stuck))


def _overdue_s(stay: Stay, latest: Sample) -> float | None:
    if latest.residents is None or stay.resident is None:
        return None
    grace_s = _LEAVES_GPU_S if latest.cards else _LEAVES_S
    if latest.runners is None:
        grace_s += _CLOCKS_S
    late_s = latest.t_s - stay.due_s
    return late_s if late_s > grace_s else None


def _is_idle(stay: Stay, latest: Sample) -> bool:
    """Whether its runner is seen to have done nothing for a while, and nobody is known to wait."""
    is_seen = stay.runner is not None and stay.held is latest and stay.runner.cpu_s is not None
    idle_s = latest.t_s - max(stay.worked_s, stay.due_s, stay.first.t_s)
    if not is_seen or idle_s <= _IDLE_S or stay.uses.going_on:
        return False
    return not any((gpu.utilization or 0.0) > _CARD_WORKS for gpu in latest.gpus)


# --- in words -------------------------------------------------------------------------------------


def _why(
    stay: Stay, latest: Sample, past: str, deadline: datetime | None, *, is_stuck: bool
) -> str:
    uses = stay.uses
    if stay.resident is None:
        return f"it is loading{_for_whom(uses)}"
    if latest.residents is None:
        return "it was in memory when the server last told"
    if is_stuck:
        return f"stuck{past}: its runner does nothing, and Ollama waits for it to be done"
    asked = [one for one in uses.going_on if one.kind not in _NO_REQUESTS]
    if asked or past:
        return f"it is answering {_whose(asked[0]) if asked else 'now'}{past}"
    if not stay.is_settled and stay.keep_s is not None and uses.last is None:
        return "it is answering its first request"
    if stay.is_forever:
        return f"forever: keep_alive -1, {_by_whom(uses)}"
    return _since_when(uses.last, latest, keep_alive_of(stay), deadline)


def _since_when(
    last: Request | None, latest: Sample, keep_s: float | None, deadline: datetime | None
) -> str:
    if last is not None and last.ended_s is not None:
        ago = duration_text(latest.t_s - last.ended_s)
        if last.kind == "touch" and keep_s is not None and keep_s <= _LEASE_S:
            return f"it is held by a run that goes on (a lease of {KeepAlive(keep_s)}, {ago} ago)"
        keep = "is not known" if keep_s is None else f"is {KeepAlive(keep_s)}"
        return f"{_whose(last)} ended {ago} ago; its keep_alive {keep}"
    if deadline is None:
        return "until when it stays is not told"
    return f"its deadline is {clock_text(deadline, latest.at)}; whose request set it was not seen"


def _past(deadline: datetime, overdue_s: float, latest: Sample) -> str:
    # of a server whose clock is set meanwhile, the one that counts
    due = latest.at - timedelta(seconds=overdue_s)
    shown = deadline if abs(deadline - due) < timedelta(seconds=_CLOCKS_S) else due
    return f" (past its deadline of {clock_text(shown, latest.at)})"


def _whose(request: Request) -> str:
    return "a request of ours" if request.whose == OURS else "another client's request"


def _for_whom(uses: Uses) -> str:
    asked = uses.loader or next(iter(uses.going_on), None)
    return "" if asked is None else f" for {_whose(asked)}"


def _by_whom(uses: Uses) -> str:
    last = uses.last
    if last is not None and (uses.keep_s == math.inf or uses.loader is last):
        return f"by {_whose(last)}"
    return "by whose request is not known"
