"""The ground that an experiment stands on: what its server and its models allow to be measured."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Sequence

from lifecycle_widgets.experiments.ground.free_memory import free_memory_bytes
from lifecycle_widgets.monitor import Monitor, Sample
from lifecycle_widgets.neighbours import (
    Notice,
    Short,
    announce,
    reserve,
    reserved_bytes,
    reserved_text,
)
from lifecycle_widgets.server import (
    Model,
    NotTold,
    Resident,
    Server,
)

RUNNER_BYTES = 150_000_000  # a runner takes about so much more than its weights
_UNTOLD_BYTES = 1_000_000_000  # for guesses of time only


def chat_model(server: Server, name: str) -> Model:
    """The installed model of that name, which answers prompts and is held in the server's memory.

    Raises
    ------
    UnknownModel
        When it is not installed.
    ValueError
        When there is nothing to measure: it runs elsewhere, or is for embeddings only.
    """
    model = server.require(name)
    if model.is_cloud:
        raise ValueError(
            f"{name} does not run on {server.url} but at {model.remote_host or 'another place'}: "
            "prompts leave the machine, it is never in this server's memory, and a keep_alive "
            "means nothing for it. So there is nothing to measure; choose a model that runs there."
        )
    if not model.can_chat:
        raise ValueError(
            f"{name} is for embeddings only and answers no prompt. Choose a model that can chat."
        )
    return model


def distinct(server: Server, names: Iterable[str], count: int) -> list[str]:
    """The first ``count`` of the names that are not two names of one model."""
    found: list[str] = []
    for name in names:
        if len(found) == count:
            break
        if not any(server.same_model(name, other) for other in found):
            found.append(name)
    return found


def require_told(server: Server) -> None:
    """Raise NotTold, with what follows from it, when a server does not tell what is in memory."""
    try:
        server.residents()
    except NotTold as fault:
        raise NotTold(
            f"{server.url} does not tell what is in memory, so what a keep_alive does cannot be "
            "measured there, nor can one be sure to unload nobody's model. Choose an Ollama that "
            "answers /api/ps."
        ) from fault


def reserve_memory(
    server: Server,
    needed_bytes: int | None,
    given_back: Collection[Resident] = (),
    what: str = "an experiment",
    models: Sequence[str] = (),
) -> Notice:
    """Reserve so much memory on a server of this machine, without a GPU: until it is closed.

    A server whose processes cannot be seen may be on another machine, whatever its address: there,
    and where it is not known how much is needed, nothing is reserved.

    Parameters
    ----------
    server, needed_bytes:
        Who needs how much; None: not known.
    given_back:
        What is in memory now, and will have left.
    what, models:
        What for; other people on this machine can read it.

    Raises
    ------
    MemoryError
        There could not be so much. Nothing has been reserved.
    """
    if not needed_bytes or not _is_of_this_machine(server):
        return announce(what, server_url=server.url, models=models)
    given_bytes = sum(r.size_bytes or 0 for r in given_back)
    try:
        return reserve(
            needed_bytes,
            what,
            free_bytes=lambda: free_memory_bytes() + given_bytes,
            server_url=server.url,
            models=models,
        )
    except Short as fault:
        free = f"{fault.free_bytes / 1e9:.1f} GB are free"
        is_theirs = needed_bytes <= fault.free_bytes + reserved_bytes()
        others = reserved_text() if is_theirs else ""  # else it is too much even without them
        raise MemoryError(
            f"This needs about {needed_bytes / 1e9:.1f} GB of memory at once, and {free}. "
            + (
                f"{others} Wait until some have ended, or ask your teacher."
                if others
                else "Choose a smaller model, or close something."
            )
        ) from fault


def _is_of_this_machine(server: Server) -> bool:
    seen = reading(server)
    return seen.unseen is None and not seen.cards


def reading(server: Server) -> Sample:
    """One reading of the server and this machine."""
    monitor = Monitor(server)
    try:
        return monitor.read()
    finally:
        monitor.stop()


def ground_notes(server: Server, models: Iterable[Model], think: bool | str | None) -> list[str]:
    """What a reader should know of these models on this server before anything is run."""
    models = list(models)
    return [
        *(_not_told(model) for model in models if model.size_bytes is None),
        *(_thinks(model) for model in models if think is None and model.can_think),
        *_memory_notes(server, models),
    ]


def _not_told(model: Model) -> str:
    return f"The size of {model.name} is not told: how much memory and how long are guesses."


def _thinks(model: Model) -> str:
    return (
        f"{model.name} thinks before it answers: its first token is the first of its thinking. "
        "With think=False it answers at once."
    )


def _memory_notes(server: Server, models: Collection[Model]) -> Iterator[str]:
    if server.is_private:
        return
    try:
        require_told(server)
    except NotTold as fault:
        yield str(fault)
        return
    sample = reading(server)
    ours = {resident.name for resident in server.in_memory(m.name for m in models).values()}
    others = sorted({resident.name for resident in sample.residents or ()} - ours)
    if others:
        are = "is" if len(others) == 1 else "are"
        yield (
            f"{', '.join(others)} {are} in memory, too. This does not touch it; but where there is "
            "no room for all, Ollama makes room."
        )
    if sample.unseen is not None:
        yield (
            f"{sample.unseen} So its memory is what Ollama tells, and whether other work runs "
            "beside it is not seen."
        )


def told(value: float | None) -> float:
    """The value; NaN for one that the server does not tell."""
    return math.nan if value is None else value


def told_bytes(model: Model, more_bytes: int = 0) -> int | None:
    """The size of a model, and some more; None when it is not told."""
    return None if model.size_bytes is None else model.size_bytes + more_bytes


def load_s(model: Model) -> float:
    """How long it takes to load, about, in seconds: a guess."""
    return 0.5 + (model.size_bytes or _UNTOLD_BYTES) / 1e9
