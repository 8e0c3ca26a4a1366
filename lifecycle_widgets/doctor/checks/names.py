"""Two names over one blob: they share one runner, and can throw each other out of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from lifecycle_widgets.doctor.diagnosis import GOOD, NOTE, WARNING, Diagnosis, unseen
from lifecycle_widgets.doctor.seen import Seen
from lifecycle_widgets.runs import clock_text, counted
from lifecycle_widgets.server import Model, full_name

_NAME = "two names over one blob"
_SHARE = "two names share a runner"


def one_runner(seen: Seen) -> Iterator[Diagnosis]:
    """Installed names over the same weights, where they differ or more than one is in use."""
    if seen.models is None:
        yield unseen(_NAME, "which names share their weights", seen.why_not("models"))
        return
    groups = [group for group in _by_weights(seen, seen.models).values() if len(group) > 1]
    found = [one for group in groups if (one := _diagnosis(seen, group)) is not None]
    yield from found
    local = [model for model in seen.models if not model.is_cloud]
    left = len(local) - len(seen.shown)
    if left > 0:
        yield unseen(_NAME, f"the weights of {counted(left, 'model')}", "There are too many, or "
                     "the server did not tell.")  # fmt: skip
    if not found:
        said = f"{counted(len(groups), 'file')} of weights" if groups else "no file of weights"
        yield Diagnosis(_NAME, f"Of {counted(len(local), 'installed model')}, {said} "
                        f"{'have' if len(groups) > 1 else 'has'} more than one name"
                        f"{', and they ask for the same' if groups else ''}.",
                        severity=GOOD)  # fmt: skip


def _by_weights(seen: Seen, models: tuple[Model, ...]) -> dict[str, list[Model]]:
    groups: dict[str, list[Model]] = {}
    for model in models:
        shown = seen.shown.get(model.name)
        if shown is not None and shown.weights is not None:
            groups.setdefault(shown.weights, []).append(model)
    return groups


def _diagnosis(seen: Seen, group: list[Model]) -> Diagnosis | None:
    names = [model.name for model in group]
    used = _used(seen)
    in_use = [name for name in names if full_name(name).lower() in used]
    contexts = {model.name: seen.shown[model.name].num_ctx for model in group}
    differ = len(set(contexts.values())) > 1
    if not differ and len(in_use) < 2:
        return None
    evidence = [
        f"{name}: " + ("num_ctx as asked" if context is None else f"num_ctx {context}")
        + (f", in use at {clock_text(used[full_name(name).lower()])}" if name in in_use else "")
        for name, context in contexts.items()
    ]  # fmt: skip
    said = f"{' and '.join(names)} are names of the same weights, and share one runner"
    if differ:
        return Diagnosis(
            _NAME,
            f"{said}; their num_ctx differs, so each loads it anew after the other.",
            tuple(evidence),
            "Give them one num_ctx (PARAMETER num_ctx in the Modelfiles), or use one of the names.",
            WARNING if len(in_use) > 1 else NOTE,
            (_SHARE, "option num_ctx reloads"),
        )
    return Diagnosis(
        _NAME,
        f"{said}: /api/ps shows the name that loaded it, and to unload either unloads it.",
        tuple(evidence),
        "Nothing, as long as their clients do not unload it for each other.",
        NOTE,
        (_SHARE,),
    )


def _used(seen: Seen) -> dict[str, datetime]:
    """When each name was last seen in use: in /api/ps, or in a request that is known."""
    used = {full_name(r.name).lower(): s.at for s in seen.samples for r in s.residents or ()}
    for request in (*(seen.requests_before or ()), *seen.requests):
        at = request.ended_at or request.began_at
        if request.model and at is not None:
            used[full_name(request.model).lower()] = at
    return used
