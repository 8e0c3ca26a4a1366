"""How code that is copied gets in: an address without secrets, and where it reads the secret."""

from __future__ import annotations

import os
import re

KEY = "OLLAMA_API_KEY"  # ollama-python, and so griptape, reads it by itself
USER = "OLLAMA_USER"  # user:password


def shown_address(url: str) -> str:
    """The address without a user, a password, or what follows a question mark.

    Raises
    ------
    ValueError
        For what is no http address.

    Examples
    --------
    >>> shown_address("https://ann:secret@ollama.example/lab?key=secret")
    'https://ollama.example/lab'
    """
    scheme, separator, rest = url.rpartition("://")
    shown = f"{scheme}{separator}{re.split('[?#]', rest.rpartition('@')[2])[0]}"
    if not re.match(r"https?://[^/\s]", shown):
        raise ValueError(f"{shown!r} is not an address; give one such as 'http://localhost:11434'.")
    return shown


def wanted_secret(url: str | None, secret: str | None) -> str:
    """What the code has to read from the environment: ``"key"``, ``"user"``, or nothing.

    Parameters
    ----------
    secret:
        What the server is known to want. None: what is in the url, or in this environment.
    """
    if secret is not None:
        return secret
    return "user" if "@" in (url or "") else "key" if os.environ.get(KEY) else ""
