"""Drawn workloads: of their kind, of their mean, and the same again."""

from __future__ import annotations

import numpy as np
import pytest

from lifecycle_widgets.advisor.workload.drawn import KINDS, drawn_workload


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_what_was_asked_for(kind: str) -> None:
    workload = drawn_workload(kind, gaps=400, mean_gap_s=90.0, service_s=2.0, streams=3, seed=7)
    every = np.concatenate([one.gaps_s for one in workload.streams])
    assert [len(one.gaps_s) for one in workload.streams] == [400] * 3
    assert every.min() > 0
    assert every.mean() == pytest.approx(90.0)
    again = drawn_workload(kind, gaps=400, mean_gap_s=90.0, service_s=2.0, streams=3, seed=7)
    assert np.array_equal(every, np.concatenate([one.gaps_s for one in again.streams]))
    for one in workload.streams:
        assert (one.busy_until_s - one.busy_from_s) == pytest.approx(2.0)


def test_what_changes_changes() -> None:
    """The gaps of a drift and of a change are longer at the end; those of a cron job are alike."""
    for kind in ("drift", "change"):
        gaps_s = drawn_workload(kind, gaps=4000).streams[0].gaps_s
        assert gaps_s[-1000:].mean() > 4 * gaps_s[:1000].mean()
    gaps_s = drawn_workload("periodic").streams[0].gaps_s
    assert gaps_s.std() < 0.05 * gaps_s.mean()


@pytest.mark.parametrize(
    "wrong", [{"kind": "none"}, {"gaps": 0}, {"streams": 0}, {"mean_gap_s": 0}, {"service_s": -1}]
)
def test_what_makes_no_gap_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"There is no kind|Give"):
        drawn_workload(**wrong)  # type: ignore[arg-type]
