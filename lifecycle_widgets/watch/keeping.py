"""The history of what is watched; whatever is wrong with it, the watch goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from lifecycle_widgets.monitor import Monitor, Sample

if TYPE_CHECKING:
    from lifecycle_widgets.history import Keeping


@contextmanager
def kept(monitors: Sequence[Monitor], say: Callable[[str], object]) -> Iterator[None]:
    """What these monitors see goes into the history, until the end of the `with`.

    Parameters
    ----------
    monitors:
        Of the servers that are watched.
    say:
        Called with a sentence: where the history is, and each time something else is wrong.
    """
    from lifecycle_widgets.history import History, HistoryError, is_off

    with ExitStack() as ending:
        if is_off():
            yield
            return
        try:
            history = History()
            ending.callback(history.close)
            keepings = [ending.enter_context(history.keep(monitor)) for monitor in monitors]
        except HistoryError as fault:
            say(f"{fault} Nothing is kept; the watch goes on.")
            yield
            return
        say(f"What is seen is kept in {history.path}; sizes and times, never a prompt.")
        for monitor, keeping in zip(monitors, keepings, strict=True):
            ending.callback(monitor.listen(_Faults(keeping, say)))
        yield


class _Faults:
    """Looks, sample by sample, whether something is wrong; says it once."""

    def __init__(self, keeping: Keeping, say: Callable[[str], object]) -> None:
        self._keeping, self._say = keeping, say
        self._said: str | None = None

    def __call__(self, _: Sample) -> None:
        told = self._keeping.told
        if told != self._said and told is not None:
            self._say(told)
        self._said = told
