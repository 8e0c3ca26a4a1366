"""Choices as code to copy: of a model and a keep_alive, and of a server's own settings."""

from lifecycle_widgets.code_snippets.server_settings import server_settings
from lifecycle_widgets.code_snippets.snippets import snippets

__all__ = ["server_settings", "snippets"]
