"""How many models an Ollama may have in memory, by the environment that it was started with."""

from __future__ import annotations

import psutil

_VARIABLE = "OLLAMA_MAX_LOADED_MODELS"
_PER_GPU = 3  # Ollama's own limit, also where there is no GPU


class Limit:
    """Reads the environment of a process, once; that does not change."""

    def __init__(self) -> None:
        self._read: tuple[int | None, str | None] = (None, None)  # of which process

    def of(self, pid: int | None, gpus: int) -> int | None:
        """The limit; None where the process's environment is not ours to see.

        Parameters
        ----------
        pid:
            The server's process; None where it is not known.
        gpus:
            How many GPUs there are: where nobody has set a limit, it goes by that.
        """
        if pid != self._read[0]:
            self._read = pid, _setting(pid)
        setting = self._read[1]
        if setting is None:
            return None
        told = setting.strip().strip("\"'")
        is_number = told.isascii() and told.isdigit()
        return (int(told) if is_number else 0) or _PER_GPU * max(gpus, 1)


def _setting(pid: int | None) -> str | None:
    """What was set, empty for nothing; None where it cannot be seen."""
    if pid is None:
        return None
    try:
        return str(psutil.Process(pid).environ().get(_VARIABLE, ""))
    except (psutil.Error, OSError):
        return None
