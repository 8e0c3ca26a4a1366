"""Sender: soon, merged, not too often, all of it at the end; and no thread is left behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from lifecycle_widgets.widgets.still import sender
from lifecycle_widgets.widgets.still.sender import Sender


class Counted:
    """A still that counts how often it is sent, and whether with its picture."""

    def __init__(self, cost_s: float = 0.0) -> None:
        self.sent: list[tuple[float, bool]] = []
        self.repeated, self.cost_s = 0, cost_s
        self.lacks_picture = False

    def send(self, *, draws: bool = True) -> bool:
        self.sent.append((time.monotonic(), draws))
        self.lacks_picture = not draws
        end_s = time.thread_time() + (self.cost_s if draws else 0.0)
        while time.thread_time() < end_s:
            pass
        return True

    def repeat(self) -> None:
        self.repeated += 1


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "SETTLES_S", 0.02)
    monkeypatch.setattr(sender, "EVERY_S", 0.1)


def until(is_so: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def ended(sending: Sender) -> Callable[[], bool]:
    return lambda: sending._thread is None


def shell(cell: str | None) -> Any:
    metadata = {} if cell is None else {"cellId": cell}
    return SimpleNamespace(get_parent=lambda: {"metadata": metadata})


def test_changes_that_come_together_are_sent_once() -> None:
    sending, one, other = Sender(), Counted(), Counted()
    threads = [threading.Thread(target=sending.ask, args=(one,)) for _ in range(20)]
    for thread in threads:
        thread.start()
    sending.ask(other)
    for thread in threads:
        thread.join()
    until(ended(sending))
    assert len(one.sent) <= 2  # the machine may have been so slow that some came later
    assert len(other.sent) == 1


def test_it_rests_between_and_the_last_change_is_sent() -> None:
    sending, one = Sender(), Counted()
    sending.ask(one)
    until(lambda: one.sent)
    asked_s = time.monotonic()
    sending.ask(one)
    until(ended(sending))
    first, last = one.sent[0], one.sent[-1]
    assert last[0] >= asked_s
    assert last[0] - first[0] >= 0.1


def test_a_picture_that_costs_much_comes_seldom_and_comes() -> None:
    sending, one = Sender(), Counted(cost_s=0.02)  # 0.5 s of rest
    sending.ask(one)
    until(lambda: one.sent)
    sending.ask(one)
    until(ended(sending))
    assert [draws for _, draws in one.sent] == [True, False, True]
    assert one.sent[2][0] - one.sent[0][0] >= 0.5


def test_who_closes_sends_what_waits_and_no_more() -> None:
    sending, one = Sender(), Counted()
    sending.ask(one)
    sending.finish(one)
    until(ended(sending))
    assert len(one.sent) == 1
    sending.finish(one)
    assert len(one.sent) == 1


def test_a_page_that_hears_only_during_a_cell_gets_all_at_its_end() -> None:
    sending, waits, was_sent = Sender(), Counted(), Counted()
    sending.ask(was_sent)
    until(lambda: was_sent.sent and sending._thread is None)
    sending.ask(waits)
    sending.cell_ended(shell(None))
    assert len(waits.sent) == 1
    assert was_sent.repeated == 1
    until(ended(sending))
    sending.cell_ended(shell(None))
    assert (len(waits.sent), was_sent.repeated) == (1, 1), "nothing more to say"


def test_jupyterlab_is_not_made_to_wait() -> None:
    sending, one = Sender(), Counted()
    sending.ask(one)
    sending.cell_ended(shell("a cell"))
    assert len(one.sent) <= 1
    until(ended(sending))
    assert (len(one.sent), one.repeated) == (1, 0)
