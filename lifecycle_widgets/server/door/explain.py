"""What an error of a server means, and what to do: one line, whoever wrote the error."""

from __future__ import annotations

import html
import json
import re
import ssl
from typing import Any

from lifecycle_widgets.error_advice import advised, cause_of, out_of_descriptors
from lifecycle_widgets.server.door.proxies import BadProxy
from lifecycle_widgets.server.errors import AccessDenied, NotTold, ServerError, ServerUnreachable
from lifecycle_widgets.short_texts import one_line

_MOST_LETTERS = 300
_HOW_TO_GIVE_A_KEY = (
    "Give a key in OLLAMA_API_KEY, a user and password in the address (https://user:password@...), "
    "or Server(host, headers={'Authorization': ...})"
)
_GATEWAY = {
    401: "it wants a key or a password, or another one than it was given. " + _HOW_TO_GIVE_A_KEY,
    403: "it does not let this in: the key is not good for it; or Ollama, which then takes only "
    "its own names, was asked by another one: let the gateway send 'Host: localhost', or start "
    "Ollama with OLLAMA_HOST=0.0.0.0",
    407: "a proxy on the way wants a user and a password: put them into the proxy's address "
    "(HTTPS_PROXY, HTTP_PROXY or ALL_PROXY), or except the server by NO_PROXY",
    408: "a gateway before Ollama gave up waiting",
    413: "a gateway before Ollama takes no request of this size (nginx: client_max_body_size)",
    429: "it is asked too often; wait a little",
    502: "a gateway answers, but Ollama behind it does not. Start Ollama there ('ollama serve')",
    503: "a gateway answers, but Ollama behind it is not to be had now. See that it runs there",
    504: "a gateway before Ollama gave up waiting. When a load takes longer than its time limit, "
    "Ollama drops the load, and the model never comes into memory: raise the limit (nginx: "
    "proxy_read_timeout), or load it once on its own machine (ollama run)",
}
_GATEWAY |= {520: _GATEWAY[502], 521: _GATEWAY[502], 522: _GATEWAY[504], 524: _GATEWAY[504]}
_GATEWAY |= {523: _GATEWAY[502], 499: _GATEWAY[504]}
_PLAIN_TO_TLS = re.compile(r"HTTP request (was sent )?to (an )?HTTPS", re.IGNORECASE)
_NO_ENDPOINT = (404, 405, 410, 501)
_A_PROXY_SAYS = (401, 403, 407, 500, 502, 503, 504)
_NEVER = re.compile(r"(?!)")
_OLLAMAS_OWN = {503: re.compile(r"busy|pending|load|llama", re.IGNORECASE)}
"""Words by which an error of these statuses is Ollama's own, not a gateway's."""
_ABOUT_A_MODEL = re.compile(r"\bmodel\b|manifest|blob|file does not exist", re.IGNORECASE)


def said(body: str) -> tuple[str, bool]:
    """The words of an error, in one line, and whether they are Ollama's (JSON with an error).

    Examples
    --------
    >>> said('{"error":"model is broken"}'), said("<html><title>504 Time-out</title><p>...")
    (('model is broken', True), ('504 Time-out', False))
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    if isinstance(told, dict):
        error = told.get("error", told.get("message", told.get("detail")))
        if isinstance(error, dict):
            error = error.get("message")
        if isinstance(error, str):
            return one_line(error, _MOST_LETTERS), "error" in told
        return "", False
    if re.search(r"<\s*(!doctype|html|head|body|title)", body[:2000], re.IGNORECASE):
        title = re.search(r"<title[^>]*>(.*?)</title>", body, re.IGNORECASE | re.DOTALL)
        return (one_line(html.unescape(title[1]), 80) if title else ""), False
    plain = one_line(body, _MOST_LETTERS)
    return plain, bool(plain)  # ollama-python hands on Ollama's own words without the JSON


def error_of(
    status: int, body: str, url: str, *, model: str | None = None, proxy: str = ""
) -> ServerError:
    """Our exception for an answer with an error status.

    Parameters
    ----------
    proxy:
        The variable that names the proxy on the way, which may be who has answered; empty: none.
    """
    words, is_ollamas = said(body)
    if proxy and status in _A_PROXY_SAYS and not is_ollamas:
        url = f"{url} (or the proxy that {proxy} names, which may want a user and a password)"
    if status == 400 and _PLAIN_TO_TLS.search(body):
        return ServerError(
            f"What answers at {url} speaks https. Give the address with https://.", 400
        )
    gateway = _GATEWAY.get(status)
    if status in (401, 403):
        return AccessDenied(f"{url} answered {_quoted(status, words)}: {gateway}.", status)
    if status in _NO_ENDPOINT and not (model and is_ollamas) and not is_about_a_model(words):
        return NotTold(
            f"{url} has no such endpoint ({_quoted(status, words)}): it is not Ollama, or the "
            "address lacks a part, has one too many (/v1 and /api do not belong to it), or "
            "redirects (then give the one with https://).",
            status,
        )
    if gateway and not (is_ollamas and _OLLAMAS_OWN.get(status, _NEVER).search(words)):
        return ServerError(f"{url} answered {_quoted(status, words)}: {gateway}.", status)
    if is_ollamas and words:
        return ServerError(
            f"Ollama at {url} answered with an error: {advised(words, model)}", status
        )
    return ServerError(f"{url} answered {_quoted(status, words)}, and does not say why.", status)


def is_about_a_model(words: str) -> bool:
    """Whether the words of a 404 are Ollama's for a model that it does not have."""
    return bool(_ABOUT_A_MODEL.search(words))


def _quoted(status: int, words: str) -> str:
    line = words.removeprefix(str(status)).strip(" :")
    return f"{status} ({one_line(line, 80)})" if line else f"{status}"


# --- no answer ----------------------------------------------------------------------------------


def no_answer(
    fault: BaseException, url: str, *, waited_s: float, proxy: str = "", speaks_tls: bool = False
) -> ServerUnreachable:
    """Our exception for a server that does not answer.

    Parameters
    ----------
    waited_s:
        How long it was waited for, in seconds.
    proxy:
        The variable that names the proxy on the way; empty: there is none.
    speaks_tls:
        Whether https was found to be spoken at the address, which has http.
    """
    import httpx

    if isinstance(fault, BadProxy):
        return ServerUnreachable(f"{url} cannot be asked: {fault}")
    if out_of_descriptors(fault):
        return ServerUnreachable(
            f"This process has too many open files to ask Ollama at {url}. Close what is "
            "not needed any more, or restart it (in a notebook: the kernel)."
        )
    way = f" by the proxy that {proxy} names" if proxy else ""
    if isinstance(fault, (httpx.ReadTimeout, httpx.WriteTimeout, httpx.PoolTimeout)):
        return ServerUnreachable(
            f"Ollama at {url} is there, but did not answer within {waited_s:g} s: it hangs, or the "
            "machine is very busy. Wait and try again; if that does not help, start it anew.",
            is_there=True,
        )
    if speaks_tls:
        return ServerUnreachable(
            f"What answers at {url} speaks https. Give the address with https:// (OLLAMA_HOST).",
            is_there=True,
        )
    if isinstance(fault, ImportError):
        return ServerUnreachable(
            f"{url} cannot be asked{way}: for a socks proxy the package socksio is needed (pip "
            "install socksio). Or except the server by NO_PROXY."
        )
    tls = _tls_words(fault, url)
    if tls:
        return ServerUnreachable(tls, is_there=True)
    if isinstance(fault, httpx.ProxyError) or (proxy and _never_connected(fault)):
        return ServerUnreachable(
            f"{url} cannot be reached{way or ' by the proxy'} ({_cause(fault)}). See that the "
            "proxy runs and lets this in, or except the server by NO_PROXY."
        )
    return ServerUnreachable(
        f"No Ollama answers at {url} ({_cause(fault)}). Start it ('ollama serve'), set OLLAMA_HOST "
        "to one that runs, or use the private sandbox: Server.sandbox()."
    )


def _cause(fault: BaseException) -> str:
    # of what the client library says only the cause is news: it gives advice of its own
    cause = fault.__context__ if type(fault) is ConnectionError else None
    words = re.sub(r"\[Errno -?\d+\] ?", "", str(cause or fault))
    return one_line(words, 160) or type(fault).__name__


def _never_connected(fault: BaseException) -> bool:
    import httpx

    return type(fault) is ConnectionError or isinstance(
        fault, (httpx.ConnectError, httpx.ConnectTimeout)
    )


def _tls_words(fault: BaseException, url: str) -> str:
    """What is wrong with the certificate; empty when nothing of the kind is."""
    found: Any = cause_of(fault, ssl.SSLError)
    text = str(found or fault)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        why = re.sub(r"^.*certificate verify failed: ?|\(_ssl\.c:\d+\)", "", text).strip(" .]")
        return (
            f"The certificate of {url} is not trusted here ({one_line(why, 100)}). If it is signed "
            "by an authority of your own, name its file: SSL_CERT_FILE=ca.pem, or "
            "Server(host, verify='ca.pem')."
        )
    if found is not None and re.search(r"WRONG_VERSION_NUMBER|RECORD_LAYER|HTTP_REQUEST", text):
        plain = url.replace("https://", "http://", 1)
        return f"What answers at {url} does not speak https. Give the address as {plain}."
    if found is not None:
        return f"No encrypted connection to {url} ({one_line(text, 120)}). Look at its certificate."
    return ""
