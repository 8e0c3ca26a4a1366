"""GPUs of all kinds at once, and what a sample makes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pynvml
import pytest

from lifecycle_widgets.doctor.checks.memory import next_load, partly_on_the_card
from lifecycle_widgets.monitor import Gpu, InForce, residencies
from lifecycle_widgets.monitor.gpus import Gpus
from lifecycle_widgets.monitor.runners.limit import most_models
from lifecycle_widgets.monitor.traffic.witnesses.work import Work
from lifecycle_widgets.server import Model, Resident
from tests.doctor.doctor_seen import seen
from tests.monitor.gpus.test_sysfs import APU, RADEON, put
from tests.monitor.stay_samples import GPU, A, at, sample
from tests.monitor.test_why_it_left import switch

GB = 1_000_000_000
DISPLAY = Gpu(1, "a display's", 0.5, 16 * GB, 16 * GB, is_integrated=True)


def test_this_machine() -> None:
    gpus = Gpus()
    for gpu in gpus.read():
        assert gpu.name
        assert gpu.utilization is None or 0 <= gpu.utilization <= 1
        used, total = gpu.memory_used_bytes, gpu.memory_total_bytes
        assert used is None or total is None or 0 <= used <= total
        assert gpu.power_w is None or 0 < gpu.power_w < 2000
        assert gpu.temperature_c is None or 0 < gpu.temperature_c < 120
        assert gpu.clock_mhz is None or 0 <= gpu.clock_mhz < 10_000
    gpus.close()
    assert gpus.read() == ()
    gpus.close()


@pytest.mark.skipif(not psutil.LINUX, reason="AMD's are read on Linux")
def test_each_has_a_number_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetName": lambda index: f"Card {index}",
        "nvmlDeviceGetUtilizationRates": lambda _: SimpleNamespace(gpu=5),
        "nvmlDeviceGetMemoryInfo": lambda _: SimpleNamespace(used=3, total=8),
        "nvmlDeviceGetPowerUsage": lambda _: 70_000,
        "nvmlDeviceGetTemperature": lambda _, __: 40,
        "nvmlDeviceGetClockInfo": lambda _, kind: {pynvml.NVML_CLOCK_GRAPHICS: 1_410}[kind],
    }
    for name, function in told.items():
        monkeypatch.setattr(pynvml, name, function)
    drm = tmp_path / "drm"
    put(drm, "card0", "nvidia", RADEON, "0000:01:00.0")  # NVML's are listed there as well
    put(drm, "card1", "amdgpu", RADEON, "0000:02:00.0")
    put(drm, "card2", "amdgpu", APU, "0000:c5:00.0")
    gpus = Gpus(drm)
    found = gpus.read()
    assert [(gpu.index, gpu.name[:3], gpu.is_integrated) for gpu in found] == [
        (0, "Car", False), (1, "Car", False), (2, "AMD", False), (3, "AMD", True)
    ]  # fmt: skip
    assert {gpu.clock_mhz for gpu in found} == {1_410.0, None}
    gpus.close()
    assert gpus.read() == ()


def test_a_displays_memory_is_no_more_than_main_memory() -> None:
    """There is room for both in main memory, however full or empty that of the display is."""
    empty = replace(DISPLAY, memory_used_bytes=0)
    for gpu in (DISPLAY, empty, replace(DISPLAY, memory_used_bytes=None)):
        assert residencies(switch(most_models=3, gpus=(gpu,)))[0].why == "requested elsewhere"
        low = sample(4, {}, {}, ram_used_bytes=5 * GB, ram_total_bytes=8 * GB, gpus=(gpu,))
        [found] = next_load(seen(low, models=(Model("large:70b", 9 * GB),)))
        assert found.evidence[0] == "3.0 GB of memory of this machine free"


def test_a_model_beside_a_display_is_not_missing_on_a_card() -> None:
    held = replace(sample(4, {}, {}), residents=(Resident(A, GB, 0),), gpus=(DISPLAY,))
    assert [one.severity for one in partly_on_the_card(seen(held))] == ["good"]
    [missing, _] = partly_on_the_card(seen(replace(held, gpus=(GPU, DISPLAY))))
    assert missing.evidence[1] == "GPUs: a card"


def test_the_card_tells_of_hidden_runners_also_beside_a_display() -> None:
    work = Work()
    for t_s in (0, 1):
        work.see(replace(sample(t_s, {A: 9}), gpus=(GPU, DISPLAY)))
    assert work.of(None) == GPU.utilization


def test_a_display_is_no_card_that_models_go_to() -> None:
    both = replace(sample(0, {A: 9}), gpus=(GPU, DISPLAY))
    assert both.cards == (GPU,)
    assert replace(both, gpus=(DISPLAY,)).cards == ()
    assert most_models(InForce(environment={}), len(both.cards)) == 3


def test_a_model_is_not_waited_for_as_with_a_card() -> None:
    """Ollama waits for a card's memory before it lets go of a model; not for main memory."""
    for gpu, crashed in ((DISPLAY, True), (GPU, False)):
        samples = [sample(0, {A: 300}, {1: A}, gpus=(gpu,))]
        samples += [sample(t, {A: 300}, {}, gpus=(gpu,)) for t in (1, 2, 3, 4)]
        (stay,) = residencies(samples)
        assert (stay.why == "crashed") is crashed
        assert stay.until == (at(1) if crashed else None)
