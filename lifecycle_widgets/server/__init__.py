"""One Ollama endpoint: its address, its one connection, what it answers, its models; finding one."""

from lifecycle_widgets.server.server import (
    CONNECT_TIMEOUT_S,
    FOREVER,
    SANDBOX_URL_VARIABLE,
    Model,
    PullProgress,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
    full_name,
    parse_host,
)

__all__ = [
    "CONNECT_TIMEOUT_S",
    "FOREVER",
    "SANDBOX_URL_VARIABLE",
    "Model",
    "PullProgress",
    "Resident",
    "Server",
    "ServerError",
    "ServerUnreachable",
    "UnknownModel",
    "full_name",
    "parse_host",
]
