"""Which model a runner holds: by its weights, which the server is asked for once per model."""

from __future__ import annotations

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
    full_name,
)

_ASK_AGAIN_S = 60.0  # where it was not told
_TRY_AGAIN_S = 3.0  # where it did not answer


class ModelNames:
    """Knows the weights of models in memory, and so the models of runners."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._paths: dict[tuple[str, str], str] = {}  # of (name, manifest): the weights file
        self._not_before_s: dict[tuple[str, str], float] = {}  # when to ask again
        self._names: dict[str, str] = {}  # of weights: the name they were last resident under

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

        A runner that does not tell its weights has the model that is left, if one alone is.
        """
        names = {one.pid: self._name(one, residents or ()) for one in found}
        left = {r.name for r in residents or ()} - set(names.values())
        nameless = [one.pid for one in found if names[one.pid] is None and one.digest is None]
        if len(left) == len(nameless) == 1:
            names[nameless[0]] = left.pop()
        return tuple(Runner(one.pid, one.rss_bytes, names[one.pid]) for one in found)

    def _name(self, one: Found, residents: Sequence[Resident]) -> str | None:
        if one.digest is not None:
            return self._names.get(one.digest)
        told = full_name(one.model).lower() if one.model else None
        return next((r.name for r in residents if full_name(r.name).lower() == told), None)

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
