"""Price: what an idle model in memory is worth against a reload, said in one of three ways."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, TypeGuard

from lifecycle_widgets.experiments.break_even import break_even_beside, break_even_s
from lifecycle_widgets.experiments.statistics import Interval, digits
from lifecycle_widgets.runs import size_text


class NotMeasured(ValueError):
    """T* does not follow from the price until a reload, or the memory, has been measured."""


@dataclass(frozen=True)
class Price:
    """What holding an idle model costs; one of the three, and from it follows the break-even T*.

    Parameters
    ----------
    t_star_s:
        Said directly: a reload is worth so many seconds of the idle model in memory.
    s_per_gb_min:
        Memory priced: what one GB (1e9 bytes) held for one minute is worth, in seconds of waiting.
    slowdown:
        Measured (`Downstream`): how many times slower a downstream task is with the model in
        memory; 4.6 where 65 s became 300 s.

    Raises
    ------
    ValueError
        Unless exactly one is given, a finite number above 0 (a slowdown: above 1).

    Examples
    --------
    >>> print(Price(t_star_s=120))
    one reload is worth 120 s of the idle model in memory
    >>> Price(s_per_gb_min=1.0).t_star(reload_s=2.0, held_bytes=0.5e9)
    240.0
    >>> round(Price(slowdown=300 / 65).t_star(reload_s=5.0), 1)
    6.4
    >>> Price(t_star_s=0)
    Traceback (most recent call last):
    ValueError: T* is 0: give seconds above 0, for which an idle model costs as much as one reload.
    """

    t_star_s: float | None = None
    s_per_gb_min: float | None = None
    slowdown: float | None = None

    def __post_init__(self) -> None:
        given = [f.name for f in fields(self) if getattr(self, f.name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"A price is said in one way, and here are {len(given) or 'none'}: give t_star_s, "
                "s_per_gb_min or slowdown."
            )
        name = given[0]
        object.__setattr__(self, name, _checked(name, getattr(self, name)))

    @classmethod
    def of(cls, value: Price | float) -> Price:
        """A price as it is; a bare number is a T* in seconds.

        Examples
        --------
        >>> Price.of(30)
        Price(t_star_s=30.0)
        """
        return value if isinstance(value, Price) else cls(t_star_s=value)

    # --- each way as the others -------------------------------------------------------------------

    def t_star(self, reload_s: float | None = None, held_bytes: float | None = None) -> float:
        """The break-even T* of a model, in seconds: for how long holding it costs one reload.

        Parameters
        ----------
        reload_s:
            L: how much longer a request waits that has to load the model. T* needs it, unless it
            was said directly.
        held_bytes:
            The memory that the model takes; needed where memory is priced.

        Raises
        ------
        NotMeasured
            Where one of them is needed and None, or not above 0.
        """
        if self.t_star_s is not None:
            return self.t_star_s
        if not _is_above_0(reload_s):
            raise NotMeasured("T* is not known: what a reload takes was not measured.")
        if self.slowdown is not None:
            return break_even_beside(_exactly(reload_s), self.slowdown).median
        if self.s_per_gb_min is None or not _is_above_0(held_bytes):
            raise NotMeasured("T* is not known: what the model takes of memory was not seen.")
        return break_even_s(reload_s, held_bytes, self.s_per_gb_min / 60)

    def as_memory(
        self, reload_s: float | None = None, held_bytes: float | None = None
    ) -> float | None:
        """The same as a price of memory, in seconds of waiting for a GB-minute.

        None where what it needs was not measured.

        Examples
        --------
        >>> Price(t_star_s=240).as_memory(reload_s=2.0, held_bytes=0.5e9)
        1.0
        """
        if self.s_per_gb_min is not None:
            return self.s_per_gb_min
        if not (_is_above_0(reload_s) and _is_above_0(held_bytes)):
            return None
        return reload_s / self.t_star(reload_s, held_bytes) * 60 / (held_bytes / 1e9)

    def as_slowdown(
        self, reload_s: float | None = None, held_bytes: float | None = None
    ) -> float | None:
        """The same as a slowdown: how many times slower a downstream task would have to be.

        None where what it needs was not measured, and where no slowdown costs so much: with T*
        below a reload's time, a second of holding is worth more than a second.

        Examples
        --------
        >>> Price(t_star_s=10).as_slowdown(reload_s=5.0)
        2.0
        >>> Price(t_star_s=4).as_slowdown(reload_s=5.0) is None
        True
        """
        if self.slowdown is not None:
            return self.slowdown
        try:
            t_star_s = self.t_star(reload_s, held_bytes)
        except NotMeasured:
            return None
        if not _is_above_0(reload_s) or reload_s >= t_star_s:
            return None
        return 1 / (1 - reload_s / t_star_s)

    def in_words(self, reload_s: float | None = None, held_bytes: float | None = None) -> str:
        """The price as it was said, and what it comes to in the other ways, for one model.

        Examples
        --------
        >>> print(Price(t_star_s=240).in_words(reload_s=2.0, held_bytes=0.5e9))
        T* 240 s; for a reload of 2 s and 500 MB the same as 1 s for a GB-minute, or a downstream \
task 1.01 times slower
        >>> print(Price(s_per_gb_min=1).in_words(reload_s=2.0, held_bytes=0.5e9))
        1 s for a GB-minute; for a reload of 2 s and 500 MB the same as T* 240 s, or a downstream \
task 1.01 times slower
        """
        said = self._ways(self.t_star_s, self.s_per_gb_min, self.slowdown)[0]
        try:
            t_star_s: float | None = self.t_star(reload_s, held_bytes)
        except NotMeasured as fault:
            return f"{said}; {str(fault).rstrip('.')}"
        others = self._ways(
            None if self.t_star_s is not None else t_star_s,
            None if self.s_per_gb_min is not None else self.as_memory(reload_s, held_bytes),
            None if self.slowdown is not None else self.as_slowdown(reload_s, held_bytes),
        )
        if not others or reload_s is None:
            return said
        size = f" and {size_text(held_bytes)}" if _is_above_0(held_bytes) else ""
        same = ", or ".join(others)
        return f"{said}; for a reload of {digits(reload_s)} s{size} the same as {same}"

    @staticmethod
    def _ways(
        t_star_s: float | None, s_per_gb_min: float | None, slowdown: float | None
    ) -> list[str]:
        ways = (
            (t_star_s, "T* {} s"),
            (s_per_gb_min, "{} s for a GB-minute"),
            (slowdown, "a downstream task {} times slower"),
        )
        return [text.format(digits(value)) for value, text in ways if value is not None]

    def __str__(self) -> str:
        if self.t_star_s is not None:
            return f"one reload is worth {digits(self.t_star_s)} s of the idle model in memory"
        if self.s_per_gb_min is not None:
            return f"a GB in memory for a minute is worth {digits(self.s_per_gb_min)} s of waiting"
        return f"a downstream task is {digits(self.slowdown or 0)} times slower beside the model"

    def __repr__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        given = ", ".join(f"{n}={value}" for n, value in values.items() if value is not None)
        return f"Price({given})"


_WANTED = {
    "t_star_s": ("T*", "give seconds above 0, for which an idle model costs as much as one reload"),
    "s_per_gb_min": (
        "The price of memory",
        "give seconds of waiting above 0 that a GB held for a minute is worth",
    ),
    "slowdown": (
        "The slowdown",
        "give a number above 1; where nothing gets slower, the model may stay for ever",
    ),
}


def _checked(name: str, value: Any) -> float:
    """The number, or one sentence. Anything that is a number for Python is taken, a bool is not."""
    what, wanted = _WANTED[name]
    try:
        number = math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    least = 1.0 if name == "slowdown" else 0.0
    if not least < number < math.inf:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        said = f"{value:g}" if is_number and abs(number) < math.inf else _said(value)
        raise ValueError(f"{what} is {said}: {wanted}.")
    return number


def _said(value: Any) -> str:
    if isinstance(value, float):
        return {math.inf: "endless", -math.inf: "below 0 without end"}.get(value, "not a number")
    text = repr(value)
    return f"{text if len(text) <= 40 else text[:37] + '...'}, not a number"


def _is_above_0(value: float | None) -> TypeGuard[float]:
    return value is not None and 0 < value < math.inf


def _exactly(value: float) -> Interval:
    return Interval(value, value, value, 1)
