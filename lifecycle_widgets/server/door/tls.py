"""Certificates: what is trusted, as one SSL context for the whole process."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache
from pathlib import Path

Verify = bool | str | Path | ssl.SSLContext
"""True: public certificates and those of the system and of SSL_CERT_FILE; False: any; a path: the
certificates in that file or folder too; or a context of one's own."""

_FILES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_FOLDERS = ("SSL_CERT_DIR",)


def ssl_context(verify: Verify = True) -> ssl.SSLContext:
    """The context for ``verify``, made once (making one takes about 20 ms).

    Raises
    ------
    ValueError
        When a file of certificates is named that is not there, or holds none.
    """
    if isinstance(verify, ssl.SSLContext):
        return verify
    named = tuple(os.environ.get(name, "") for name in (*_FILES, *_FOLDERS))
    return _made(verify if isinstance(verify, bool) else str(verify), named)


@lru_cache(maxsize=16)
def _made(verify: bool | str, named: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.create_default_context()  # the system's, and what SSL_CERT_FILE and _DIR name
    if verify is False:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context
    import certifi

    context.load_verify_locations(certifi.where())
    for place in named:
        if place and Path(place).exists():  # one that is gone: told when a server is not trusted
            _add(context, Path(place), strict=False)
    if isinstance(verify, str):
        _add(context, Path(verify).expanduser(), strict=True)
    return context


def _add(context: ssl.SSLContext, place: Path, *, strict: bool) -> None:
    try:
        if place.is_dir():
            context.load_verify_locations(capath=str(place))
        else:
            context.load_verify_locations(cafile=str(place))
    except (OSError, ssl.SSLError) as fault:
        if strict:
            raise ValueError(
                f"verify names {str(place)!r}, and no certificates can be read from it ({fault}). "
                "Give the file (PEM) of the authority that has signed the server's certificate."
            ) from None


@lru_cache(maxsize=1)
def no_context() -> ssl.SSLContext:
    """For http: a context that trusts nobody, and costs nothing to make."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
