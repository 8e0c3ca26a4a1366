"""Held: one model's weights on one server, while a run holds them; no threads in here."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from lifecycle_widgets.agent.hold.whose import Whose, whose
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs.step import LEAST_LOAD_S
from lifecycle_widgets.server import (
    NotTold,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    full_name,
)
from lifecycle_widgets.server.asking_nothing import Kind

PATIENCE_S = 2.0  # for one request; it is answered in milliseconds, or somebody else's is in force
_MOMENT_S, _EACH_S = 1.0, 0.02  # Ollama sets a deadline a moment after the answer has ended
_OLLAMAS_DEFAULT_S = 300.0  # envconfig.KeepAlive
NOT_SENT = KeepAlive()


def is_shorter(chosen: KeepAlive, lease_s: float) -> bool:
    """Whether a model is left sooner by a keep_alive that was chosen than by a lease.

    Examples
    --------
    >>> [is_shorter(KeepAlive(chosen), 20.0) for chosen in (0, "5m", "forever", None)]
    [True, False, False, False]
    """
    return chosen.seconds is not None and chosen.seconds < lease_s


class Held:
    """What is known of it, what its next request is to carry, and how it is renewed and let go.

    Parameters
    ----------
    lease_s:
        The keep_alive of the lease, in seconds.
    """

    def __init__(self, server: Server, model: str, lease_s: float) -> None:
        self.server, self.model = server, model
        self.lease_s, self._lease = lease_s, KeepAlive(lease_s)
        self.chosen = NOT_SENT
        self.in_flight = 0
        self.is_held = self.is_released = False
        self.due_s = math.inf  # when it is to be renewed, by the monotonic clock
        self.give_up_s = math.inf  # when nobody waits for it any more, by the same clock
        self._kind: Kind = "chat"
        self._options: Mapping[str, Any] = {}
        self._sent, self._began_at = NOT_SENT, time.time()
        self._may_be_default = False  # a load of ours may have been without a keep_alive
        self._context: int | None = None  # of a runner that our own request has used
        self._theirs_until = -math.inf  # time.time() until which another client wanted it
        self._before: datetime | None = None  # the deadline before our last request
        self._later: Resident | None = None  # as it was there then with a later one of theirs

    @property
    def is_renewed(self) -> bool:
        """Whether it is to be renewed now and then: not while Ollama runs no timer."""
        return self.is_held and not self.is_released and not self.in_flight

    @property
    def bound(self) -> str:
        """What the lease is for, as a sentence."""
        return f"It leaves {self.lease_s:g} s after its last request at the latest."

    # --- its requests ----------------------------------------------------------------------------

    def wanted(self, chosen: KeepAlive, options: Mapping[str, Any], kind: str) -> None:
        """A request is about to be sent; whether the model is held by it."""
        if not self.in_flight:
            self._began_at = time.time()
        self.in_flight += 1
        self.chosen, self._options, self._sent = chosen, options, chosen
        self._kind = "embed" if kind == "embed" else "chat"
        self.is_held = is_shorter(chosen, self.lease_s)
        self.is_released = False

    def to_send(self) -> KeepAlive:
        """The keep_alive that the request is to carry. Raises nothing."""
        try:
            resident = self._look()
            self._before = None if resident is None else resident.expires_at
            self._sent = self._lease if resident is None else self._beside(resident)
        except (ServerError, ServerUnreachable):
            self._sent = self._lease  # it is not told, or the request itself will tell
        return self._sent

    def _beside(self, resident: Resident) -> KeepAlive:
        """What to send for a model that is there, and that somebody may want to stay there."""
        made_by, is_loaded = self._made_by(resident), self._is_loaded_anew(resident)
        if self._may_be_default:
            return self._for_a_load(resident)
        self._later = resident if made_by is Whose.LATER else None
        if self._later is not None and is_loaded:
            return self._for_a_load(resident)
        if made_by in (Whose.LEASE, Whose.LATER, Whose.OVERDUE) and not is_loaded:
            self._context = resident.context_length
            return NOT_SENT
        self._heed(resident, made_by)
        return self._lease

    def _for_a_load(self, now: Resident) -> KeepAlive:
        """The lease, or what is left of another client's time where our options end its runner."""
        later = self._later
        if later is None:
            return self._lease
        if now.context_length == later.context_length and not self._is_loaded_anew(later):
            return self._lease  # it had left by itself
        left_s = max(later.expires_in_s() or 0.0, self.lease_s)
        return KeepAlive("forever" if later.is_forever else math.ceil(left_s))

    def ended(self, *, loaded: bool) -> None:
        """A request has ended; ``loaded``: it had loaded the model."""
        self.in_flight = max(0, self.in_flight - 1)
        own = self.server.own_deadlines
        if self.is_held:
            own.note(self.model, self.lease_s, self._began_at)
            self._may_be_default = loaded and self._sent.is_default
            self.due_s = time.monotonic() + (0 if self._may_be_default else self.lease_s / 4)
            return
        in_force_s = self.chosen.seconds
        if in_force_s is None:
            in_force_s = _OLLAMAS_DEFAULT_S if loaded else own.last(self.model)
        if in_force_s is not None:
            own.note(self.model, in_force_s, self._began_at)

    # --- between them ----------------------------------------------------------------------------

    def renew(self) -> None:
        """Begin the lease anew, if the model is there and no later deadline is in force.

        Raises ServerUnreachable, ServerError, UnknownModel.
        """
        self.due_s = time.monotonic() + self.lease_s / 4
        resident = self._look()
        if resident is None:  # and it is not to be loaded
            self._may_be_default = False
            return
        made_by, left_s = self._made_by(resident), resident.expires_in_s()
        if made_by is Whose.LEASE:
            self._context = resident.context_length
            if left_s is not None and left_s < 0.8 * self.lease_s:
                self._touch(NOT_SENT)
        elif self._may_be_default:
            self._touch(self._for_a_load(resident))
        elif left_s is not None and 0 < left_s < self.lease_s / 2:
            self._take_over(resident, made_by)

    def _take_over(self, resident: Resident, made_by: Whose) -> None:
        """Hold what another client's keep_alive will not hold for much longer."""
        if self._context is None or resident.context_length != self._context:
            return  # it was loaded with other options: the lease would load it once more
        self._touch(NOT_SENT)
        now = self._look_until(lambda r: r.expires_at != resident.expires_at)
        left_s = None if now is None else now.expires_in_s()
        if now is None or left_s is None or now.expires_at == resident.expires_at:
            return  # it has left, or is busy
        if left_s < self.lease_s - 1:
            self._heed(resident, made_by)
            self._touch(self._lease)

    # --- after the last --------------------------------------------------------------------------

    def let_go(self, is_wanted_elsewhere: Callable[[Held], bool]) -> str:
        """What was chosen applies from now on; returns what there is to say, or nothing.

        Raises ServerUnreachable, ServerError, UnknownModel.
        """
        try:
            return "" if is_wanted_elsewhere(self) else self._let_go(is_wanted_elsewhere)
        except NotTold:
            if self.chosen.is_zero:  # which cannot load it
                self._send(self.chosen)
                return ""
            return (
                f"{self.model} stays in memory for {self.lease_s:g} s rather than {self.chosen}: "
                f"{self.server.url} does not tell whether it is there."
            )

    def _let_go(self, is_wanted_elsewhere: Callable[[Held], bool]) -> str:
        if self._may_be_default and (there := self._look()) is not None:
            self._touch(self._for_a_load(there))
        before = self._look_until(self._is_news)
        if before is None:
            return ""
        if (made_by := self._made_by(before)) is Whose.NOT_TOLD:
            return self._choose(before)
        if made_by is not Whose.LEASE:
            return self._left_alone(before) if self._is_news(before) else self._busy()
        self._touch(NOT_SENT)  # its end sets a deadline, unless another request is under way
        now = self._look_until(lambda r: r.expires_at != before.expires_at)
        if now is None or is_wanted_elsewhere(self):
            return ""
        if now.expires_at == before.expires_at:
            return self._busy()
        is_ours = self._may_be_default or self._made_by(now) is Whose.LEASE
        return self._choose(now) if is_ours else self._left_alone(now)

    def _choose(self, resident: Resident) -> str:
        theirs_s = self._theirs_until - time.time()
        if theirs_s > (self.chosen.seconds or 0.0):
            self._send(KeepAlive(math.ceil(theirs_s)))
            return _stays(self.model, self._theirs_until)
        self._send(self.chosen)
        if self.chosen.is_zero:  # the monitor then knows that it has expired
            self.server.zeroed.append((full_name(resident.name), time.monotonic()))
        elif self.chosen.seconds is not None:
            self.server.own_deadlines.note(self.model, self.chosen.seconds)
        return ""

    def _is_news(self, resident: Resident) -> bool:
        """Whether its deadline is of now: set when our last request ended, or after."""
        made_by = self._made_by(resident)
        is_old = made_by is Whose.OVERDUE or resident.expires_at == self._before
        return made_by in (Whose.LEASE, Whose.NOT_TOLD) or not is_old

    def _busy(self) -> str:
        return (
            f"{self.model} was not released: another request is being answered. It leaves as that "
            f"one has asked, else {self.lease_s:g} s after it."
        )

    def _left_alone(self, resident: Resident) -> str:
        left_s = resident.expires_in_s()
        if left_s is None or left_s <= (self.chosen.seconds or 0.0):
            return ""
        return _stays(self.model, math.inf if resident.is_forever else time.time() + left_s)

    # --- plumbing --------------------------------------------------------------------------------

    def _made_by(self, resident: Resident) -> Whose:
        return whose(resident, self.server, self.lease_s)

    def _heed(self, resident: Resident, made_by: Whose) -> None:
        """Remember until when another client wants it, before our lease takes its place."""
        if made_by is Whose.SOONER and resident.expires_at is not None:
            self._theirs_until = max(self._theirs_until, resident.expires_at.timestamp())

    def _is_loaded_anew(self, resident: Resident) -> bool:
        """Whether the request asks for another context than it has, or that is not told."""
        wanted = self._options.get("num_ctx")
        return wanted is not None and wanted != resident.context_length

    def _look(self) -> Resident | None:
        resident = self.server.match(self.model, self._patient().residents())
        if resident is None:
            self._theirs_until = -math.inf
        return resident

    def _look_until(self, condition: Callable[[Resident], bool]) -> Resident | None:
        """The model as it is in memory when something is so, or a moment has passed."""
        until_s = time.monotonic() + _MOMENT_S
        while (resident := self._look()) is not None:
            if condition(resident) or time.monotonic() > min(until_s, self.give_up_s):
                break
            time.sleep(_EACH_S)
        return resident

    def _touch(self, keep_alive: KeepAlive) -> None:
        began_s = time.monotonic()
        self._send(keep_alive)
        self.server.own_deadlines.note(self.model, self.lease_s)
        took_s = time.monotonic() - began_s
        self._may_be_default = keep_alive.is_default and took_s >= LEAST_LOAD_S

    def _send(self, keep_alive: KeepAlive) -> None:
        server, wait_s = self._patient(), self._wait_s()
        server.touch(
            self.model, keep_alive, kind=self._kind, options=self._options, timeout_s=wait_s
        )

    def _patient(self) -> Server:
        return self.server.with_timeout(self._wait_s())

    def _wait_s(self) -> float:
        return max(0.05, min(PATIENCE_S, self.give_up_s - time.monotonic()))


def _stays(model: str, until: float) -> str:
    when = "" if until == math.inf else f" until {time.strftime('%H:%M:%S', time.localtime(until))}"
    return f"{model} stays in memory{when}: a request outside this run has asked for that."
