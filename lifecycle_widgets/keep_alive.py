"""keep_alive: what a person types, what it means, and what goes on the wire.

Ollama keeps a model in memory for ``keep_alive`` after a request. How it reads the field is in
``go_duration.py``; what a mistyped value most likely meant, in ``keep_alive_advice.py``.
"""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any

from lifecycle_widgets.go_duration import FOREVER_NS, NS_PER_S, from_json, go_style, in_words
from lifecycle_widgets.keep_alive_advice import advice


class KeepAlive:
    """How long a model stays in memory after a request: a value, checked before it is sent.

    One of four things: the *server default* (the field is left out), *unload at once* (0), a
    *duration*, or *forever*.

    Parameters
    ----------
    value:
        What a person types: ``"5m"``, ``"1h30m"``, ``"forever"``, ``"default"``, a number of
        seconds (negative: forever, as in Ollama's API), a ``datetime.timedelta``, another
        ``KeepAlive``, or None for the server default.

    Raises
    ------
    ValueError
        For what Ollama would reject or read differently from what was meant; the message names
        the mistake and the likely meaning.

    Examples
    --------
    >>> KeepAlive("1h30m").to_json()
    5400
    >>> print(KeepAlive(0).explain())
    Ollama unloads the model as soon as the answer is complete; the next request loads it, and \
reads its whole conversation, again.
    >>> KeepAlive("5")
    Traceback (most recent call last):
    ValueError: keep_alive '5' has no unit. Ollama rejects it. Did you mean '5s' or '5m'?
    """

    __slots__ = ("_fixed_ns",)
    _fixed_ns: int | None

    def __init__(self, value: KeepAlive | str | float | timedelta | None = None) -> None:
        self._fixed_ns = _from_person(value)

    @classmethod
    def of(cls, value: KeepAlive | str | float | timedelta | None) -> KeepAlive:
        """The value as it is where it is a KeepAlive, also one that decides anew; else a new one.

        Examples
        --------
        >>> chosen = KeepAlive("5m")
        >>> KeepAlive.of(chosen) is chosen, KeepAlive.of(300) == chosen
        (True, True)
        """
        return value if isinstance(value, KeepAlive) else KeepAlive(value)

    @classmethod
    def from_json(cls, value: Any) -> KeepAlive:
        """Read a JSON value exactly as Ollama's API reads it.

        Parameters
        ----------
        value:
            What ``json.loads`` gives for the field: None, a number (seconds; negative: forever),
            a Go duration string, or something that Ollama refuses.

        Returns
        -------
        KeepAlive
            A number of 9223372037 or more overflows in Ollama on x86-64 and unloads at once; so
            it does here.

        Raises
        ------
        ValueError
            With the server's own text, for what it answers with HTTP 400. (Of a number beyond
            float64 it says more: how it was written, and which kind of request it was in.)

        Examples
        --------
        >>> KeepAlive.from_json("1.5h") == KeepAlive(5400)
        True
        >>> KeepAlive.from_json("1d")
        Traceback (most recent call last):
        ValueError: time: unknown unit "d" in duration "1d"
        """
        made = cls.__new__(cls)
        made._fixed_ns = from_json(value)
        return made

    def for_request(self, model: str, server: Any = None, *, more: bool = False) -> KeepAlive:
        """What a request that is about to be sent is to carry: the value itself.

        One that decides anew for each request (``AdaptiveKeepAlive``) answers with another, so
        whoever sends a request asks this, once, right before.

        Parameters
        ----------
        model, server:
            What is asked, on which `Server`.
        more:
            Whether it is certain that the model will be asked again at once.

        Examples
        --------
        >>> KeepAlive("5m").for_request("llama3.2")
        KeepAlive('5m')
        """
        return self

    def to_json(self) -> int | float | None:
        """What is sent: a number of seconds, -1 for forever, None when the field is left out.

        Numbers, because every version of Ollama accepts them (strings such as ``"-1"`` it does
        not).

        Examples
        --------
        >>> [KeepAlive(v).to_json() for v in (None, "500ms", "5m", "forever")]
        [None, 0.5, 300, -1]
        """
        if self._ns is None:
            return None
        if self.is_forever:
            return -1
        whole, rest = divmod(self._ns, NS_PER_S)
        return whole if rest == 0 else self._ns / NS_PER_S

    @property
    def _ns(self) -> int | None:
        """Nanoseconds; None: the server default. All that it says of itself rests on this."""
        return self._fixed_ns

    @property
    def is_adaptive(self) -> bool:
        """True when it is decided anew for each request."""
        return False

    @property
    def seconds(self) -> float | None:
        """The duration in seconds; ``math.inf`` for forever, None for the server default."""
        if self._ns is None:
            return None
        return math.inf if self.is_forever else self._ns / NS_PER_S

    @property
    def is_default(self) -> bool:
        """True when nothing is sent and the server decides."""
        return self._ns is None

    @property
    def is_zero(self) -> bool:
        """True when the model is unloaded as soon as the answer is complete."""
        return self._ns == 0

    @property
    def is_forever(self) -> bool:
        """True when no time limit is set (the model can still be evicted)."""
        return self._ns == FOREVER_NS

    def explain(self, default_s: float | None = None, default_from: str | None = None) -> str:
        """One sentence: what the server will do with this value.

        Parameters
        ----------
        default_s, default_from:
            The server's default in seconds (endless: forever), where it is known, and how:
            "measured", "environment" (that its process was started with), or "not set" (there).

        Examples
        --------
        >>> KeepAlive("90s").explain()
        'Ollama unloads the model 1 minute 30 seconds after the last request has ended.'
        >>> KeepAlive(None).explain(40, "measured").partition("newly loaded one ")[2]
        "gets the server's default: 40 seconds, as measured."
        """
        if self.is_default:
            said = default_text(default_s, default_from)
            said = f" ({said})" if default_s is None else f": {said}"
            return (
                "keep_alive is not sent: a model in memory keeps the value it has; a newly loaded "
                f"one gets the server's default{said}."
            )
        if self.is_zero:
            return (
                "Ollama unloads the model as soon as the answer is complete; the next request "
                "loads it, and reads its whole conversation, again."
            )
        if self.is_forever:
            return (
                "The model stays in memory until it is unloaded, or evicted when another model "
                "needs its place."
            )
        return (
            f"Ollama unloads the model {in_words(self._ns or 0)} after the last request has ended."
        )

    def __str__(self) -> str:
        if self._ns is None:
            return "server default"
        if self.is_forever:
            return "forever"
        return go_style(self._ns)

    def __repr__(self) -> str:
        return "KeepAlive(None)" if self._ns is None else f"KeepAlive({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeepAlive) and self._ns == other._ns

    def __hash__(self) -> int:
        return hash(("KeepAlive", self._ns))


# --- the server's default -----------------------------------------------------------------------

_KNOWN_BY = {
    "measured": ", as measured",
    "environment": ", as its process was started (OLLAMA_KEEP_ALIVE)",
    "not set": ", as its process was started without OLLAMA_KEEP_ALIVE",
}


def default_text(default_s: float | None, default_from: str | None = None) -> str:
    """A server's default keep_alive, and how it is known; as `KeepAlive.explain` takes them.

    Examples
    --------
    >>> default_text(40.0, "measured")
    '40 seconds, as measured'
    >>> default_text(None)
    '5 minutes, unless OLLAMA_KEEP_ALIVE says otherwise'
    """
    if default_s is None:
        return "5 minutes, unless OLLAMA_KEEP_ALIVE says otherwise"
    default = KeepAlive(default_s)
    length = in_words(default._ns or 0) or "unload at once"
    said = str(default) if default.is_forever else length
    return f"{said}{_KNOWN_BY.get(default_from or '', '')}"


# --- what a person types ------------------------------------------------------------------------


def _from_person(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, KeepAlive):
        return value._ns
    if isinstance(value, bool):
        raise ValueError(
            f"keep_alive {value} is a truth value, not a time. Use 'forever' or 0 (unload at once)."
        )
    if isinstance(value, timedelta):
        if value < timedelta(0):
            raise ValueError("keep_alive is a negative timedelta. Did you mean 'forever'?")
        return _checked(value.total_seconds())
    if isinstance(value, (int, float)):
        return _checked(value)
    if isinstance(value, str):
        return _from_typed(value)
    raise ValueError(
        f"keep_alive is a {type(value).__name__}. Give a text such as '5m', a number of seconds, "
        "a timedelta, or None for the server default."
    )


def _checked(seconds: float) -> int:
    if seconds != seconds:  # math.isnan does not take every integer
        raise ValueError("keep_alive is not a number (NaN). Give seconds, or a text such as '5m'.")
    if seconds < 0 or seconds == math.inf:
        return FOREVER_NS
    if seconds >= FOREVER_NS / NS_PER_S:
        said = f"{seconds:g}" if seconds < 1e300 else "of more than 1e300"
        raise ValueError(
            f"keep_alive {said} s is more than Ollama can count (292 years; it would unload "
            "at once). Did you mean 'forever'?"
        )
    return int(seconds * NS_PER_S)


def _from_typed(text: str) -> int | None:
    if text in ("forever", "default", "server default"):
        return FOREVER_NS if text == "forever" else None
    try:
        return from_json(text)
    except ValueError as fault:
        raise ValueError(advice(text, str(fault))) from None
