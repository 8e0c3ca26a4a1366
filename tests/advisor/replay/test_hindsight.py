"""The best single TTL in hindsight: the reference's figures on its traces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lifecycle_widgets.advisor.replay.hindsight import best_in_hindsight
from lifecycle_widgets.advisor.workload.reading import read_workload

TRACES = Path(__file__).parents[4] / "shared" / "traces"
IN_HINDSIGHT = {  # ../shared/reference/keep-alive-policies.md
    "realhumaneval_chat": (1.067, 1.253, 1.036),
    "cups_copilot": (1.308, 1.035, 1.000),
    "azure_llm_2023_code": (1.422, 1.107, None),
}


@pytest.mark.skipif(not TRACES.is_dir(), reason="../shared/traces is missing")
@pytest.mark.parametrize("name", IN_HINDSIGHT)
def test_it_is_the_references(name: str) -> None:
    workload = read_workload(TRACES / f"{name}.csv.gz")
    for t_star_s, wanted in zip((30.0, 120.0, 600.0), IN_HINDSIGHT[name], strict=True):
        found = best_in_hindsight(workload, t_star_s)
        assert wanted is None or found.over_clairvoyant == pytest.approx(wanted, abs=6e-4)
        gaps_s = np.concatenate([one.gaps_s for one in workload.streams])
        assert found.least == pytest.approx(np.minimum(gaps_s / t_star_s, 1).sum())
