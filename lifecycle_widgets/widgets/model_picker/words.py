"""What a picker says about a model: its line, its marks, and sentences about what it is not."""

from __future__ import annotations

from collections.abc import Sequence

from lifecycle_widgets.monitor import Loading
from lifecycle_widgets.server import Model, Resident, Server
from lifecycle_widgets.widgets.formats import clock_text, residency_text, size_text

NOT_TOLD = "This server does not tell which models are in memory."
_CLOUD = "cloud: not on this machine"
_TALENTS = ("thinking", "tools", "vision")


def about(
    model: Model, resident: Resident | None, load: Loading | None = None, *, is_told: bool = True
) -> str:
    """The line about a model, after its name: size on disk, quantisation, whether in memory.

    ``load`` is its load that goes on; ``is_told`` is False when the server does not tell what is
    in memory.
    """
    if model.is_cloud:  # what is told as its size is that of a note of where it is
        return model.parameter_size
    held = residency_text(resident) if is_told else "not told whether in memory"
    if resident is None and load is not None:
        held = f"loading since {clock_text(load.since)}"
    return " · ".join(filter(None, (size_text(model.size_bytes), model.quantization, held)))


def can_chat(model: Model) -> bool:
    """False when it is known already that it cannot answer a prompt. The server is not asked."""
    capabilities = model.known_capabilities
    return capabilities is None or "completion" in capabilities


def marks(model: Model) -> tuple[str, ...]:
    """What is known already of a model that makes a difference, in short words."""
    capabilities = model.known_capabilities or frozenset()
    found = [_CLOUD] if model.is_cloud else []
    if not can_chat(model):
        found.append("embedding only" if "embedding" in capabilities else "not for prompts")
    return (*found, *(talent for talent in _TALENTS if talent in capabilities))


def cannot_chat(model: Model) -> str:
    """Why it is not offered for a prompt."""
    capabilities = model.known_capabilities or frozenset()
    if "embedding" in capabilities:
        return f"{model.name} makes embeddings only; it cannot answer a prompt. Choose another."
    can = f" (what it can: {', '.join(sorted(capabilities))})" if capabilities else ""
    return f"{model.name} cannot answer a prompt{can}. Choose another."


def leaves(model: Model) -> str:
    """What to know of a model that runs elsewhere."""
    address = model.remote_host.rpartition("://")[2].partition("/")[0].removesuffix(":443")
    where = address or "machines elsewhere"
    return (
        f"{model.name} does not run on this machine: prompts leave it, to {where}, and keep_alive "
        "means nothing there."
    )


def none_installed(server: Server, wanted: str) -> str:
    """What to do when there is no model at all."""
    return (
        f"No model is installed on {server.url}. Install one (in a terminal: ollama pull "
        f"{wanted}), then look again."
    )


def none_can_chat(server: Server, models: Sequence[Model], wanted: str) -> str:
    """Why none of the models was chosen, and what to do."""
    away = sum(model.is_cloud for model in models)
    kinds = [f"{len(models) - away} cannot answer a prompt"] if len(models) > away else []
    kinds += [f"{away} would send prompts to the cloud"] if away else []
    return (
        f"None of the models on {server.url} was chosen: {' and '.join(kinds)}. Choose one, or "
        f"install another (in a terminal: ollama pull {wanted}), then look again."
    )
