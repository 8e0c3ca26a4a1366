"""How many models an Ollama may have in memory, by the environment that it was started with."""

from __future__ import annotations

from lifecycle_widgets.monitor.in_force.values import InForce

_VARIABLE = "OLLAMA_MAX_LOADED_MODELS"
_PER_GPU = 3  # Ollama's own limit, also where there is no GPU


def most_models(in_force: InForce | None, gpus: int) -> int | None:
    """The limit; None where the environment is not known, or not all of it.

    Parameters
    ----------
    in_force:
        What is known of the server.
    gpus:
        How many GPUs with memory of their own there are: where nobody has set a limit, it goes by
        that.

    Examples
    --------
    >>> most_models(InForce(environment={}), 2), most_models(None, 2)
    (6, None)
    """
    environment = in_force.environment if in_force is not None else None
    if in_force is None or environment is None:
        return None
    if _VARIABLE not in environment and in_force.unseen is not None:
        return None
    told = environment.get(_VARIABLE, "").strip().strip("\"'")
    is_number = told.isascii() and told.isdigit()
    return (int(told) if is_number else 0) or _PER_GPU * max(gpus, 1)
