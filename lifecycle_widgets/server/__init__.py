"""One Ollama endpoint: the one door to it, what its answers mean, its models; finding one."""

from lifecycle_widgets.server.choosing import chat_models, smallest_chat_models
from lifecycle_widgets.server.door import CONNECT_TIMEOUT_S, Door, parse_host
from lifecycle_widgets.server.errors import (
    AccessDenied,
    NotTold,
    ServerError,
    ServerUnreachable,
    UnknownModel,
)
from lifecycle_widgets.server.names import full_name, same_name
from lifecycle_widgets.server.own_requests import OwnRequest, OwnRequests
from lifecycle_widgets.server.private import SANDBOX_URL_VARIABLE
from lifecycle_widgets.server.server import NOT_TOLD, AnyServer, Server
from lifecycle_widgets.server.shape import Shape
from lifecycle_widgets.server.values import FOREVER, Model, PullProgress, Resident

__all__ = [
    "CONNECT_TIMEOUT_S",
    "FOREVER",
    "NOT_TOLD",
    "SANDBOX_URL_VARIABLE",
    "AccessDenied",
    "AnyServer",
    "Door",
    "Model",
    "NotTold",
    "OwnRequest",
    "OwnRequests",
    "PullProgress",
    "Resident",
    "Server",
    "ServerError",
    "ServerUnreachable",
    "Shape",
    "UnknownModel",
    "chat_models",
    "full_name",
    "parse_host",
    "same_name",
    "smallest_chat_models",
]
