"""Which model a runner holds: by its weights, which the server is asked for once per model."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence

from lifecycle_widgets.monitor.runners.command_lines import digest_in
from lifecycle_widgets.monitor.runners.watch import Found
from lifecycle_widgets.monitor.sample import Runner
from lifecycle_widgets.server import (
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
    same_name,
)

_ASK_AGAIN_S = 60.0  # where it was not told
_LEARN_S = 0.2  # for each sample
_TRY_AGAIN_S = 3.0  # where it did not answer


class ModelNames:
    """Knows the weights of models in memory, and so the models of runners."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._paths: dict[tuple[str, str], str] = {}  # of (name, manifest): the weights file
        self._not_before_s: dict[tuple[str, str], float] = {}  # when to ask again
        self._names: dict[str, str] = {}  # of weights: the name they were last resident under
        self._left: dict[int, str] = {}  # of a process: the model that alone was left for it
        self._unknown: dict[str, float] = {}  # weights of no installed model: when to ask again

    def weights(self, residents: Sequence[Resident]) -> list[str | None]:
        """The weights file of each model, on the server's machine; None where it is not told."""
        paths = [self._path(resident) for resident in residents]
        for resident, path in zip(residents, paths, strict=True):
            if (digest := digest_in(path)) is not None:
                self._names[digest] = resident.name
        return paths

    def named(
        self, found: Sequence[Found], residents: Sequence[Resident] | None
    ) -> tuple[Runner, ...]:
        """The runners with their models' names, as far as `weights` has heard of them.

        A runner that does not tell its weights has the model that is left, if one alone is. One
        that is not listed (it is loading, or has a moment to live) has an installed model's name.
        """
        listed = residents if residents is not None else ()
        if residents is not None:
            self._learn({one.digest for one in found if one.digest is not None})
        names = {one.pid: self._name(one, listed) for one in found}
        if residents is not None:
            unnamed = [one for one in found if names[one.pid] is None]
            left = [r for r in listed if r.name not in names.values()]
            if len(left) == len(unnamed) == 1 and self._may_hold(unnamed[0], left[0]):
                names[unnamed[0].pid] = self._left[unnamed[0].pid] = left[0].name
            self._left = {pid: name for pid, name in self._left.items() if pid in names}
        return tuple(
            Runner(
                one.pid,
                one.rss_bytes,
                names[one.pid],
                one.digest,
                one.options,
                settings=one.settings,
                vram_bytes=one.on_gpus.vram_bytes if one.on_gpus else None,
                cards=one.on_gpus.cards if one.on_gpus else (),
                cpu_s=one.cpu_s,
                started_s=one.started_s,
            )
            for one in found
        )

    def _name(self, one: Found, residents: Sequence[Resident]) -> str | None:
        if one.digest in self._names:
            return self._names[one.digest]
        named = (r.name for r in residents if one.model and same_name(r.name, one.model))
        return next(named, self._left.get(one.pid))

    def _learn(self, digests: set[str]) -> None:
        """Find installed models with these weights; some of them at a time, as that may take long.

        Each model is asked about once: the server's book keeps what it says.
        """
        now_s = time.monotonic()
        digests = {d for d in digests - self._names.keys() if now_s >= self._unknown.get(d, 0.0)}
        if not digests:
            return
        try:
            for model in self._server.models():
                with contextlib.suppress(UnknownModel):  # deleted meanwhile
                    weights = self._server.weights_digest(model.name)
                    if weights in digests:
                        self._names[weights] = model.name
                if digests <= self._names.keys() or time.monotonic() > now_s + _LEARN_S:
                    return
        except (ServerUnreachable, ServerError):
            self._unknown.update(dict.fromkeys(digests, now_s + _TRY_AGAIN_S))
            return
        self._unknown.update(dict.fromkeys(digests, now_s + _ASK_AGAIN_S))

    def _may_hold(self, one: Found, resident: Resident) -> bool:
        """Not when both tell their weights: these are then others."""
        return one.digest is None or (resident.name, resident.digest) not in self._paths

    def _path(self, resident: Resident) -> str | None:
        key, now_s = (resident.name, resident.digest), time.monotonic()
        if key in self._paths or now_s < self._not_before_s.get(key, now_s):
            return self._paths.get(key)
        self._not_before_s[key] = now_s + _ASK_AGAIN_S
        try:
            path = self._server.weights_path(resident.name) if resident.name else None
        except ServerUnreachable:
            self._not_before_s[key] = now_s + _TRY_AGAIN_S
            return None
        except (UnknownModel, ServerError):  # deleted while in memory, say
            return None
        if path is not None:
            self._paths[key] = str(path)
        return self._paths.get(key)
