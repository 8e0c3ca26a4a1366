"""What of a server's environment matters here, and its default keep_alive, as Ollama reads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from lifecycle_widgets.keep_alive import KeepAlive

KEEP_ALIVE = "OLLAMA_KEEP_ALIVE"
MASK = "***"
_OURS = (
    "OLLAMA_", "LLAMA_", "GGML_", "CUDA_", "NVIDIA_VISIBLE_DEVICES", "HIP_", "HSA_", "ROCR_",
    "ROCM_", "GPU_DEVICE_ORDINAL", "ONEAPI_DEVICE_SELECTOR",
)  # fmt: skip
_SECRETS = ("KEY", "TOKEN", "SECRET", "PASS", "CREDENTIAL", "AUTHORIZATION")
_USER = re.compile(r"(?<=//)[^/@\s]+(?=@)")  # and password, in an address
_DEFAULT_S = 300.0  # Ollama's own, where nobody has set another
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NS_PER_S = 1_000_000_000


def of_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """The variables that matter, of lines ``NAME=value``; secrets are masked.

    Examples
    --------
    >>> of_pairs(["PATH=/bin", "OLLAMA_KEEP_ALIVE=40s", "OLLAMA_API_KEY=abc"])
    {'OLLAMA_API_KEY': '***', 'OLLAMA_KEEP_ALIVE': '40s'}
    """
    split = (pair.partition("=") for pair in pairs)
    return shown({name: value for name, is_pair, value in split if is_pair})


def shown(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that matter, by name; secrets are masked."""
    return {
        name: _masked(name, value)
        for name, value in sorted(environment.items())
        if name.startswith(_OURS)
    }


def _masked(name: str, value: str) -> str:
    if value and any(word in name.upper() for word in _SECRETS):
        return MASK
    return _USER.sub(MASK, value)


def default_keep_alive_s(environment: Mapping[str, str]) -> float:
    """The default keep_alive of a server with this environment, in seconds; endless: forever.

    Ollama takes a duration, or whole seconds; whatever else is there it passes over.

    Examples
    --------
    >>> [default_keep_alive_s({"OLLAMA_KEEP_ALIVE": s}) for s in ("40s", "-1", "90", "soon", "")]
    [40.0, inf, 90.0, 300.0, 300.0]
    """
    seconds = duration_s(environment.get(KEEP_ALIVE, ""))
    return _DEFAULT_S if seconds is None else seconds


def default_from(environment: Mapping[str, str]) -> str:
    """Whether that default is what the environment says, or Ollama's own.

    Examples
    --------
    >>> default_from({"OLLAMA_KEEP_ALIVE": "40s"}), default_from({"OLLAMA_KEEP_ALIVE": "soon"})
    ('environment', 'not set')
    """
    return "not set" if duration_s(environment.get(KEEP_ALIVE, "")) is None else "environment"


def duration_s(text: str) -> float | None:
    """What a duration in a server's environment comes to; endless: forever; None: passed over.

    Examples
    --------
    >>> duration_s(' "90s" '), duration_s("300"), duration_s("1d"), duration_s("")
    (90.0, 300.0, None, None)
    """
    said = text.strip().strip("\"'")
    if not said:
        return None
    try:
        return KeepAlive.from_json(said).seconds
    except ValueError:
        return _whole_seconds(said)


def _whole_seconds(said: str) -> float | None:
    """What Go makes of whole seconds: 64 bits of nanoseconds, which wrap around."""
    if not _INTEGER.fullmatch(said) or not -(2**63) <= int(said) < 2**63:
        return None
    ns = (int(said) * _NS_PER_S + 2**63) % 2**64 - 2**63
    return float("inf") if ns < 0 else ns / _NS_PER_S
