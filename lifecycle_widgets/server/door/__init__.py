"""The one door to a server: what its address means, by which way it is asked, and its faults."""

from lifecycle_widgets.server.door.address import (
    DEFAULT_PORT,
    is_loopback,
    is_this_machine,
    parse_host,
)
from lifecycle_widgets.server.door.door import CONNECT_TIMEOUT_S, Door
from lifecycle_widgets.server.door.ollama_package import ollama_package
from lifecycle_widgets.server.door.questions import Questions
from lifecycle_widgets.server.door.tls import Verify

__all__ = [
    "CONNECT_TIMEOUT_S",
    "DEFAULT_PORT",
    "Door",
    "Questions",
    "Verify",
    "is_loopback",
    "is_this_machine",
    "ollama_package",
    "parse_host",
]
