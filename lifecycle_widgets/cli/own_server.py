"""The person's own Ollama, for the commands that use it."""

from __future__ import annotations

import warnings

from lifecycle_widgets.sandbox import why_not
from lifecycle_widgets.server import Server, ServerError, ServerUnreachable
from lifecycle_widgets.server.finding import INSTEAD


def own_server(private: bool) -> Server | None:
    """The person's own Ollama, if they have one and want it; a fault is told with the way round.

    Who names a server in OLLAMA_HOST wants that one, and no other without being asked.
    """
    if private:
        return None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "OLLAMA_HOST")
            return Server.own()
    except UserWarning as told:
        fault = f"{str(told).partition(';')[0]}. Start it there, or set OLLAMA_HOST to another one."
    except (ValueError, ServerError, ServerUnreachable) as told:
        fault = str(told).removesuffix(INSTEAD)
    way_round = "" if why_not() else " To use the private Ollama all the same, add --private."
    raise ConnectionError(f"{fault}{way_round}")


def named_version(server: Server) -> str:
    """What answers there, as far as it tells."""
    told = server.version[:1].isdigit()
    return f"Ollama {server.version}" if told else "A server that tells no version"
