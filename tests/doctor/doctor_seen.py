"""What a doctor may have seen, constructed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from lifecycle_widgets.doctor import Diagnosis
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.monitor import InForce, Runner, RunnerSettings, Sample
from lifecycle_widgets.server import Model, Resident
from lifecycle_widgets.server.answers import Shown
from tests.monitor.stay_samples import A, B, at, sample

GB = 1_000_000_000
WEIGHTS = {A: "a" * 64, B: "b" * 64}


def seen(*samples: Sample, environment: dict[str, str] | None = None, **more: Any) -> Seen:
    """A server of this machine that runs well, but for what is said."""
    in_force = InForce("0.32.15", environment=environment, environment_from="process")
    if environment is None:
        in_force = replace(in_force, unseen="Its process belongs to another user.")
    found = samples or (sample(0, {}, {}), sample(4, {}, {}))
    known: dict[str, Any] = {"models": (), "unanswered": (), "version": "0.32.15"}
    return Seen(
        "http://localhost:11434",
        samples=tuple(replace(one, in_force=in_force) for one in found),
        **{**known, **more},
    )


def runner(pid: int, model: str, num_ctx: int | None = None, **more: Any) -> Runner:
    """A runner, with the context in its command line where that is told."""
    settings = None if num_ctx is None else RunnerSettings(context_length=num_ctx)
    return Runner(pid, GB, model, WEIGHTS.get(model, model), settings=settings, **more)


def with_runners(t_s: float, *runners: Runner, left_s: float = 300, **more: Any) -> Sample:
    """A sample in which each runner's model is listed."""
    listed = {one.model: t_s + left_s for one in runners if one.model is not None}
    return replace(sample(t_s, listed, {}, **more), runners=runners)


def model(name: str, size_bytes: int | None = GB, **more: Any) -> Model:
    return Model(name, size_bytes, digest=f"manifest of {name}", **more)


def split(name: str, size_bytes: int, vram_bytes: int) -> Resident:
    return Resident(name, size_bytes, vram_bytes, at(300), 4096, f"manifest of {name}")


def shown(weights: str, num_ctx: int | None = None) -> Shown:
    return Shown(f"/models/blobs/sha256-{weights}", num_ctx=num_ctx)


def found(
    check: Callable[[Seen], Iterable[Diagnosis]], one: Seen, severity: str | None = None
) -> list[Diagnosis]:
    """What a check finds; only those of that severity, where one is named."""
    return [d for d in check(one) if severity in (None, d.severity)]


def only(check: Callable[[Seen], Iterable[Diagnosis]], one: Seen) -> Diagnosis:
    diagnoses = found(check, one)
    assert len(diagnoses) == 1, diagnoses
    return diagnoses[0]
