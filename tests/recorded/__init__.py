"""Servers that cannot be had in a test, by what they were seen to answer.

The house's rule is a real Ollama wherever one will do. This is for what a real one does not say:
other programs that speak its API, gateways, newer and older fields, and answers that make no sense.
"""

from tests.recorded.server import Answer, RecordedServer, Request
from tests.recorded.shapes import (
    DIGEST,
    SHOW,
    VERSION,
    WEIGHTS,
    chat,
    chunk,
    final,
    model,
    ollama,
    resident,
    tags,
)
from tests.recorded.tls import Certificate, certificate

__all__ = [
    "DIGEST",
    "SHOW",
    "VERSION",
    "WEIGHTS",
    "Answer",
    "Certificate",
    "RecordedServer",
    "Request",
    "certificate",
    "chat",
    "chunk",
    "final",
    "model",
    "ollama",
    "resident",
    "tags",
]
