"""What a process is, by its command line: an Ollama server, a runner, a way to somewhere else.

What belongs together is decided by who started whom (`processes`); this says what each one is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

_DIGEST = re.compile(r"sha256[-:]([0-9a-f]{64})")
_SERVES = {"serve", "start"}
_OF_EACH_LOAD = ("--model", "-m", "--port")
_HELPS = {"--list-devices", "--version", "--help", "-h"}
# programs that pass on what comes in, or answer for others
_FORWARDERS = {
    "apache2", "autossh", "caddy", "cloudflared", "colima", "com.docker.backend", "conmon",
    "containerd-shim", "docker", "docker-proxy", "envoy", "frpc", "frps", "gost", "gvproxy",
    "haproxy", "httpd", "kubectl", "limactl", "ncat", "nginx", "ngrok", "pasta", "podman",
    "rinetd", "rootlessport", "simpleproxy", "slirp4netns", "socat", "squid", "ssh", "sshd",
    "stunnel", "stunnel4", "systemd-socket-proxyd", "tailscaled", "tinyproxy", "traefik",
    "vpnkit", "wslrelay",
}  # fmt: skip


def base_name(path: str) -> str:
    """The program's name in a path of any system, without ``.exe``.

    Examples
    --------
    >>> base_name(r"C:\\Programs\\Ollama\\ollama.exe"), base_name("nginx: master process nginx")
    ('ollama', 'nginx')
    """
    name = re.split(r"[\\/]", path.partition(":")[0] if ": " in path else path)[-1].lower()
    return name.removesuffix(".exe")


def is_server(arguments: Sequence[str]) -> bool:
    """Whether it is ``ollama serve``, however the program is named or started.

    Examples
    --------
    >>> is_server(["/opt/ollama-0.5.7", "serve"]), is_server(["ollama", "run", "serve"])
    (True, False)
    """
    return any(
        "ollama" in base_name(program) and word in _SERVES
        for program, word in pairwise(arguments[:3])
    )


def model_of(arguments: Sequence[str]) -> str | None:
    """The model in a runner's command line, a path or a name; None when it is no runner's.

    Ollama starts its runners, whichever engine it is, with a model and a port; helpers that look
    for devices or quantise have no model, clients (``ollama run``) no such option.

    Examples
    --------
    >>> model_of(["ollama", "runner", "--mlx-engine", "--model=llama3.2:1b", "--port", "4000"])
    'llama3.2:1b'
    >>> model_of(["ollama", "runner", "--ollama-engine", "--port", "4000"]) is None
    True
    """
    if is_helper(arguments):
        return None
    return _value(arguments, "--model") or (
        _value(arguments, "-m") if "llama" in base_name(arguments[0]) else None
    )


def options_of(arguments: Sequence[str]) -> str | None:
    """What a runner's command line says beside its model and port; None when there is nothing.

    Ollama loads a model anew when other options are asked for, and some of them stand here.

    Examples
    --------
    >>> options_of(["llama-server", "--model", "a.gguf", "--port", "4000", "-c", "4096"])
    '-c 4096'
    >>> options_of(["ollama", "runner", "--model=a.gguf", "--port=4000"]) is None
    True
    """
    start = next((i for i, one in enumerate(arguments) if one.startswith("-")), len(arguments))
    rest = iter(arguments[start:])
    options = []
    for argument in rest:
        if argument in _OF_EACH_LOAD:
            next(rest, None)
        elif not argument.startswith(tuple(f"{option}=" for option in _OF_EACH_LOAD)):
            options.append(argument)
    return " ".join(options) or None


def is_helper(arguments: Sequence[str]) -> bool:
    """Whether it is surely no runner: it has no command line, or another task.

    Examples
    --------
    >>> is_helper(["llama-quantize", "in", "out", "Q8_0"]), is_helper(["ollama", "run", "x"])
    (True, True)
    """
    if not arguments or not _HELPS.isdisjoint(arguments):
        return True
    names = [base_name(argument) for argument in arguments[:3]]
    if any("quantize" in name for name in names):
        return True
    after = next((i for i, name in enumerate(names[:2]) if name.startswith("ollama")), None)
    if after is None or "llama_server" in names[after]:  # 0.3 to 0.5: ollama_llama_server
        return False
    command = arguments[after + 1] if len(arguments) > after + 1 else ""
    return command != "runner" or _value(arguments, "--model") is None


def listens_on(arguments: Sequence[str], port: int) -> bool:
    """Whether it is a program that passes on what comes in, with that port in its command line.

    Examples
    --------
    >>> listens_on(["/usr/bin/docker-proxy", "-host-port", "11434"], 11434)
    True
    """
    if not arguments or base_name(arguments[0]) not in _FORWARDERS:
        return False
    return re.search(rf"(?<!\d){port}(?!\d)", " ".join(arguments[1:])) is not None


def digest_in(model: str | None) -> str | None:
    """The SHA-256 in a weights file's path; None when there is none."""
    match = _DIGEST.search(model or "")
    return match.group(1) if match else None


def _value(arguments: Sequence[str], option: str) -> str | None:
    for at, argument in enumerate(arguments):
        if argument == option and at + 1 < len(arguments):
            return arguments[at + 1] or None
        if argument.startswith(f"{option}="):
            return argument.partition("=")[2] or None
    return None
