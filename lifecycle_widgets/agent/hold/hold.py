"""Hold: the models of a run stay in memory between its requests, and not for long after it.

A hold is a lease. The run's requests carry a keep_alive of `LEASE_S` in place of a shorter one that
was chosen, and one thread renews it between them; so whatever dies (the kernel, the network, the
notebook), a model leaves at most `LEASE_S` after its last request or renewal has ended. When the
last step that needs it has ended, the chosen keep_alive applies.

What other clients have asked for is left as it is, as far as Ollama lets one see it:

- A model that is there with a later deadline of another client's is asked without a keep_alive:
  that leaves the value in force as it is (server/sched.go, useLoadedRunner). So is one whose lease
  is in force already, for a request of theirs that is under way may have set another value since.
- A renewal is a request without a prompt and without a keep_alive, with the options of the step: it
  begins the time anew, with whatever value is in force. It is sent only where /api/ps lists the
  model, so it loads none that was evicted or unloaded.
- A release begins with one, too. Ollama sets a deadline when the last request in flight has ended
  (processCompleted), so the look that follows tells whether one of theirs is under way (then the
  deadline has not moved), and which value is in force (from that request to the deadline). Only
  the lease itself is replaced by what was chosen; else the model is left alone, as `close` says.
- Where the lease took the place of a sooner deadline of theirs, the model stays until that.
- Two runs of this process that hold one model: the one that is released last lets it go.

What cannot be avoided:

- Looking and asking are two requests. In the milliseconds between them another client's request
  can begin, whose keep_alive a release then replaces; or the model can leave, and what follows
  loads it, with the server's default: where that took as long as a load does, the lease is set.
- /api/ps tells what remains of a keep_alive, not the keep_alive. Of five minutes with twelve
  seconds left the twelve seconds are kept, but not the five minutes for a later request of theirs
  that carries none.
- /api/ps does not tell that a request is under way. One that began before the run's first request
  counts only if the deadline that is listed then is later than the lease's, or is over.
- A request of ours with other options (num_ctx) loads the weights anew, with and without a hold;
  what remained of their keep_alive is then sent along.
- A renewal that meets a load of theirs with other options under way loads the model once more.
- Clocks are known to a second or so: a deadline of theirs as far away as ours passes for ours, and
  a keep_alive of theirs as long as the lease for the lease.
- A request of theirs that carries a keep_alive (0, say) replaces the lease while the run lasts.
- A server that has no /api/ps: nothing is renewed; a chosen 0 is sent at the release all the same,
  as it cannot load a model; another value is not, and the lease runs out.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from weakref import WeakSet

from lifecycle_widgets.agent.hold.held import Held
from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.server import Server, full_name

LEASE_S = 20.0
"""How long a model stays at most, in seconds, after whatever held it has died."""

THREAD_NAME = "lifecycle-hold"
_holds: WeakSet[Hold] = WeakSet()
_of_all = threading.Lock()


class Hold:
    """Holds the models of one run. From any thread; nothing of it raises but wrong arguments.

    Parameters
    ----------
    lease_s:
        The keep_alive of the lease, in seconds. 0 holds nothing: what is sent is what was chosen.
        (It is still known then which deadlines are this process's own.)

    Examples
    --------
    >>> server, hold = Server.find(), Hold()
    >>> server.preload("smollm2:135m", "1m")
    >>> hold.asked(server, "smollm2:135m", KeepAlive(0), {})
    KeepAlive('20s')
    >>> _ = server.client.chat("smollm2:135m", keep_alive=20)
    >>> hold.ended(server, "smollm2:135m")
    >>> hold.release(server, "smollm2:135m")
    >>> hold.close(timeout_s=5)
    ()
    """

    def __init__(self, *, lease_s: float = LEASE_S) -> None:
        self.lease_s = lease_s
        self._changed = threading.Condition()
        self._finding = threading.Lock()
        self._held: dict[tuple[str, str], Held] = {}  # two names of one weights: one of these
        self._leaving: list[Held] = []
        self._said: list[str] = []
        self._thread: threading.Thread | None = None
        self._is_closed = False
        with _of_all:
            _holds.add(self)

    def asked(
        self,
        server: Server,
        model: str,
        chosen: KeepAlive,
        options: Mapping[str, Any],
        kind: str = "chat",
    ) -> KeepAlive:
        """A request is about to be sent: the keep_alive that it is to carry.

        Call it in the request's thread, right before. Looks at /api/ps (a millisecond or two)
        where ``chosen`` is shorter than the lease; else ``chosen`` is returned, and nothing held.

        Parameters
        ----------
        chosen:
            The keep_alive that the person chose.
        options:
            Those of the request, for the renewals.
        kind:
            "chat" or "embed".

        Returns
        -------
        KeepAlive
            The lease; the server default where a value that is in force is to stay; or ``chosen``.
        """
        if self._is_closed:
            return chosen
        held = self._of(server, model)
        with self._changed:
            held.wanted(chosen, options, kind)
            if held in self._leaving:
                self._leaving.remove(held)
            if not held.is_held:
                return chosen
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
                self._thread.start()
        return held.to_send()

    def ended(self, server: Server, model: str, *, loaded: bool = False) -> None:
        """A request that was `asked` about has ended, however it ended.

        Parameters
        ----------
        loaded:
            Whether it had loaded the model, as far as that is known (`Step.was_loaded`). One that
            was sent without a keep_alive has then given it the server's default, which the lease
            replaces.
        """
        held = self._held.get(_key(server, model))
        if held is None:
            return
        with self._changed:
            held.ended(loaded=loaded)
            self._changed.notify_all()

    def release(self, server: Server, model: str) -> None:
        """The last step that needs the model has ended: the chosen keep_alive applies.

        Returns at once; may be called again. A request of this run that is still under way is
        waited for.
        """
        held = self._held.get(_key(server, model))
        if held is not None:
            with self._changed:
                self._let_go(held)

    def close(self, timeout_s: float) -> tuple[str, ...]:
        """The run has ended: release all, and end the renewals. May be called again.

        Parameters
        ----------
        timeout_s:
            How long it may take, in seconds.

        Returns
        -------
        tuple
            What there is to say of it, in sentences: of a model that stays, and why.
        """
        with self._changed:
            self._is_closed = True
            for held in self._held.values():
                held.give_up_s = time.monotonic() + timeout_s
                self._let_go(held)
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(timeout_s)
        with self._changed:
            self._said += [self._late(held) for held in self._leaving]
            self._leaving.clear()
            return tuple(self._said)

    # --- which ------------------------------------------------------------------------------------

    def _of(self, server: Server, model: str) -> Held:
        """What is known of the model's weights, under whatever name; made when it is new."""
        with self._finding:  # may ask the server whose weights are whose
            key = _key(server, model)
            if key not in self._held:
                alike = (
                    held
                    for held in {id(held): held for held in self._held.values()}.values()
                    if held.server.url == server.url and server.same_model(held.model, model)
                )
                found = next(alike, None) or Held(server, model, self.lease_s)
                with self._changed:
                    self._held[key] = found
            return self._held[key]

    def _let_go(self, held: Held) -> None:
        if held.is_held and not held.is_released:
            held.is_released = True
            self._leaving.append(held)
            self._changed.notify_all()

    def _is_wanted(self, held: Held) -> bool:
        """Whether it was asked again meanwhile, or another run of this process holds it."""
        with _of_all:
            others = [hold for hold in _holds if hold is not self]
        return not held.is_released or any(other._holds(held) for other in others)

    def _holds(self, held: Held) -> bool:
        return any(
            own.is_held
            and not own.is_released
            and own.server.url == held.server.url
            and own.server.same_model(own.model, held.model)
            for own in list(self._held.values())
        )

    # --- the thread -------------------------------------------------------------------------------

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()

    def _next(self) -> Callable[[], None] | None:
        """Wait for what is to be done next; None when nothing is, ever."""
        with self._changed:
            while True:
                now_s = time.monotonic()
                for held in self._leaving:
                    if not held.in_flight or self._is_closed:
                        return partial(self._released, held)
                if self._is_closed:
                    return None
                idle = [h for h in self._held.values() if h.is_renewed]
                due = min(idle, key=lambda h: h.due_s, default=None)
                if due is not None and due.due_s <= now_s:
                    return partial(self._renewed, due)
                self._changed.wait(None if due is None else due.due_s - now_s)

    def _renewed(self, held: Held) -> None:
        try:
            held.renew()
        except Exception:  # the server may be back in time; if not, the next request will tell
            pass

    def _released(self, held: Held) -> None:
        try:
            said = held.let_go(self._is_wanted)
        except Exception as fault:
            said = f"{held.model} was not released ({fault}). {held.bound}"
        with self._changed:
            if held in self._leaving:  # else it was asked again, or is not waited for any more
                self._leaving.remove(held)
                held.is_held = False
                self._said += [said] if said else []

    def _late(self, held: Held) -> str:
        return f"Whether {held.model} was released is not known yet. {held.bound}"


def _key(server: Server, model: str) -> tuple[str, str]:
    return server.url, full_name(model).lower()
