"""The `llama-server` and `llama-quantize` that our Ollama starts: llama.cpp from `xllamacpp`.

Run as a script with the name it is to play, never imported by the package::

    python runner.py llama-server --model FILE --port N ...   serve a model (Ollama's runner)
    python runner.py llama-server --list-devices ...          which GPUs: none, this is a CPU build
    python runner.py llama-quantize --allow-requantize IN OUT COPY

Every argument that Ollama 0.32.15 can pass has a place in `_OPTIONS`; any other is refused by
name, because ignoring one would quietly measure something else.
"""

from __future__ import annotations

import os
import sys

if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
    del sys.path[0]  # our own modules must not shadow anybody's

import errno
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

_LOOK_S = 0.2
_PORT_WAIT_S = 5.0
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_MOST_THREADS = 4  # a 135M model gains nothing from more, and the rest of the machine does
_CACHE_TYPES = ("f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1")

Apply = Callable[[Any, Any, str], None]


class Refused(Exception):
    """An argument that has no place here."""


def _set(name: str, kind: Callable[[str], Any] = str) -> Apply:
    """Assign the argument to a (dotted) attribute of CommonParams."""

    def apply(_: Any, params: Any, value: str) -> None:
        *path, last = name.split(".")
        for part in path:
            params = getattr(params, part)
        setattr(params, last, kind(value))

    return apply


def _flag(name: str, value: Any) -> Apply:
    return lambda lib, params, _: _set(name, lambda _: value)(lib, params, "")


def _enum(name: str, enum: str, prefix: str, allowed: tuple[str, ...]) -> Apply:
    """Assign a member of one of llama.cpp's enumerations."""

    def apply(lib: Any, params: Any, value: str) -> None:
        if value not in allowed:
            raise Refused(f"value {value!r}, expected one of {', '.join(allowed)}")
        member = prefix + value.upper().replace("-", "_")
        setattr(params, name, getattr(getattr(lib, enum), member))

    return apply


def _flash_attention(lib: Any, params: Any, value: str) -> None:
    names = {"on": "ENABLED", "off": "DISABLED", "auto": "AUTO"}
    if value not in names:
        raise Refused(f"value {value!r}, expected on, off or auto")
    kind = lib.llama_flash_attn_type
    params.flash_attn_type = getattr(kind, f"LLAMA_FLASH_ATTN_TYPE_{names[value]}")


def _load_mode(lib: Any, params: Any, value: str) -> None:
    names = {"none": "NONE", "mmap": "MMAP", "mlock": "MLOCK", "mmap+mlock": "MMAP_MLOCK",
             "dio": "DIRECT_IO", "auto": "AUTO"}  # fmt: skip
    if value not in names:
        raise Refused(f"value {value!r}, expected one of {', '.join(names)}")
    params.load_mode = getattr(lib.llama_load_mode, f"LLAMA_LOAD_MODE_{names[value]}")


def _lora(lib: Any, params: Any, value: str) -> None:
    params.lora_adapters = [*params.lora_adapters, lib.CommonAdapterLoraInfo(value, 1.0)]


def _draft_type(lib: Any, params: Any, value: str) -> None:
    names = {"draft-mtp": "DRAFT_MTP", "draft-dflash": "DRAFT_DFLASH"}
    if value not in names:
        raise Refused(f"value {value!r}, expected one of {', '.join(names)}")
    kind = lib.common_speculative_type
    params.speculative.types = [getattr(kind, f"COMMON_SPECULATIVE_TYPE_{names[value]}")]


def _threads(_: Any, params: Any, value: str) -> None:
    params.cpuparams.n_threads = int(value)
    params.cpuparams_batch.n_threads = int(value)


def _nothing(*_: Any) -> None:
    """Understood, and already so."""


# Argument: (takes a value, what it does). From llm/llama_server.go and discover/ of 0.32.15.
_OPTIONS: dict[str, tuple[bool, Apply]] = {
    "--model": (True, _set("model.path")),
    "--port": (True, _set("port", int)),
    "--host": (True, _set("hostnames", lambda host: [host])),
    "--no-webui": (False, _flag("ui", False)),
    "--no-mmap": (False, lambda lib, params, _: _load_mode(lib, params, "none")),  # 0.30
    "--offline": (False, _flag("offline", True)),
    "--verbose": (False, _flag("verbosity", 4)),
    "-c": (True, _set("n_ctx", int)),
    "-np": (True, _set("n_parallel", int)),
    "--log-verbosity": (True, _set("verbosity", int)),
    "--no-log-prefix": (False, _nothing),  # Ollama reads the lines with a prefix as well
    "--no-log-timestamps": (False, _nothing),
    "--no-jinja": (False, _flag("use_jinja", False)),
    "--chat-template": (True, _set("chat_template")),
    "--mmproj": (True, _set("mmproj.path")),
    "--no-mmproj-offload": (False, _flag("mmproj_use_gpu", False)),
    "--image-min-tokens": (True, _set("image_min_tokens", int)),
    "--spec-type": (True, _draft_type),
    "--spec-draft-n-max": (True, _set("speculative.draft.n_max", int)),
    "--spec-draft-backend-sampling": (False, _flag("speculative.draft.backend_sampling", True)),
    "--spec-draft-model": (True, _set("speculative.draft.mparams.path")),
    "--lora": (True, _lora),
    "--load-mode": (True, _load_mode),
    "--cache-type-k": (True, _enum("cache_type_k", "ggml_type", "GGML_TYPE_", _CACHE_TYPES)),
    "--cache-type-v": (True, _enum("cache_type_v", "ggml_type", "GGML_TYPE_", _CACHE_TYPES)),
    "--flash-attn": (True, _flash_attention),
    "--embedding": (False, _flag("embedding", True)),
    "-b": (True, _set("n_batch", int)),
    "-ub": (True, _set("n_ubatch", int)),
    "-ngl": (True, _set("n_gpu_layers", int)),
    "-t": (True, _threads),
    "--split-mode": (
        True,
        _enum("split_mode", "llama_split_mode", "LLAMA_SPLIT_MODE_", ("none", "layer", "row")),
    ),
    "--main-gpu": (True, _set("main_gpu", int)),
    "--context-shift": (False, _flag("ctx_shift", True)),
    "--keep": (True, _set("n_keep", int)),
}


def parse(arguments: list[str]) -> list[tuple[str, str]]:
    """Split a command line into (argument, value) pairs; `Refused` names what it does not know."""
    pairs, rest = [], iter(arguments)
    for name in rest:
        if name not in _OPTIONS:
            raise Refused(f"llama-server: error: unknown argument {name!r}")
        value = next(rest, None) if _OPTIONS[name][0] else ""
        if value is None:
            raise Refused(f"llama-server: error: argument {name!r} needs a value")
        pairs.append((name, value))
    return pairs


def parameters(lib: Any, pairs: list[tuple[str, str]]) -> Any:
    """The CommonParams for a command line."""
    params = lib.CommonParams()
    threads = default_threads()
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    # `--list-devices` names no GPU, so Ollama counts on none: weights, cache and work stay in
    # main memory also where the wheel could use one (Metal).
    params.n_gpu_layers = 0
    params.no_kv_offload = True
    params.no_op_offload = True
    # Nothing to fit without a GPU, and the trial load costs 0.3 s.
    params.fit_params = False
    for name, value in pairs:
        try:
            _OPTIONS[name][1](lib, params, value)
        except (Refused, ValueError, AttributeError, TypeError) as error:
            raise Refused(f"llama-server: error: argument {name!r}: {error}") from error
    return params


def default_threads() -> int:
    """Half the processors: llama.cpp's threads wait for each other in a busy loop.

    Where others use the processors too (a browser, a notebook, a second runner), a thread that
    waits its turn holds up all. Tokens/s on two otherwise idle cores (SmolLM2-135M, Q8_0) beside
    0, 1, 2 and 4 busy programs: 84, 25, 30, 7 with two threads; 57, 60, 40, 22 with one.
    """
    try:
        available = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        available = os.cpu_count() or 1
    return max(1, min(_MOST_THREADS, available // 2))


def die_with(parent: int) -> None:
    """End this process as soon as `parent` is gone: Ollama ends runners only while it lives."""

    def look() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_S)
        os._exit(1)

    threading.Thread(target=look, daemon=True).start()


def _prctl(option: int, value: Any) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def trouble_on_purpose() -> Any:
    """What the trouble that a test asked for (see `trouble.py`) does before a load, as a function
    of the parameters; None, and nothing imported, without."""
    path = os.environ.get("LIFECYCLE_SANDBOX_TROUBLE")
    if not path or not os.path.exists(path):
        return None
    # from where this file is, whichever other copy is installed
    sys.path.insert(0, os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..")))
    try:
        from lifecycle_widgets.sandbox.trouble import Trouble
        from lifecycle_widgets.sandbox.trouble_proxy import before_load
    finally:
        del sys.path[0]
    return partial(before_load, Trouble.read(path))


def reserved(host: str, port: int) -> socket.socket:
    """Take the port before anything else, until the server listens on it (both may on Linux).

    Ollama has found it free and let it go again; whoever asks the system for any port in between,
    another Ollama for its own runner, may get the same one.
    """
    until_s = time.monotonic() + _PORT_WAIT_S
    while True:
        held = socket.socket()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            held.bind((host, port))
            return held
        except OSError as fault:
            if fault.errno != errno.EADDRINUSE:
                return held  # the server will say what is wrong with it
            held.close()
            if time.monotonic() > until_s:
                raise Refused(
                    f"error: another program has port {port}, which Ollama chose. Ask again."
                ) from fault
            time.sleep(_LOOK_S / 4)


def serve(arguments: list[str]) -> int:
    """Be a llama-server."""
    parent = os.getppid()
    pairs = parse(arguments)
    if not any(name == "--model" for name, _ in pairs):
        # Asked at start which devices there are; this line is what Ollama waits for (30 s).
        print("system_info: n_threads =", default_threads(), file=sys.stderr, flush=True)
        return 0
    die_with(parent)
    given = dict(pairs)
    port = reserved(given.get("--host", "127.0.0.1"), int(given.get("--port", 0)))
    # While a model loads, llama.cpp holds Python's lock and the thread above cannot look. The
    # kernel's signal covers that time only, as it means the parent's *thread*, not its process.
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # Process lists show it under the name of what it is, not as one more python.
    _prctl(_PR_SET_NAME, b"llama-server")
    import xllamacpp

    if sys.platform != "linux":
        port.close()
    params, before_load = parameters(xllamacpp, pairs), trouble_on_purpose()
    proxy = before_load(params) if before_load is not None else None
    server = xllamacpp.Server(params)
    _prctl(_PR_SET_PDEATHSIG, 0)
    if proxy is not None:
        proxy.open()
    port.close()
    while server is not None:
        time.sleep(3600)
    return 0


def quantize(arguments: list[str]) -> int:
    """Be the one use of llama-quantize that `ollama create` makes: COPY."""
    if len(arguments) != 4 or arguments[0] != "--allow-requantize" or arguments[3] != "COPY":
        raise Refused(f"llama-quantize: error: only COPY is known here, not {arguments}")
    shutil.copyfile(arguments[1], arguments[2])
    return 0


def main(arguments: list[str]) -> int:
    """Play the program that the first argument names."""
    name, *rest = arguments or [""]
    try:
        if name == "llama-server" and "--list-devices" in rest:
            print("Available devices:", flush=True)
            return 0
        if name == "llama-server":
            return serve(rest)
        if name == "llama-quantize":
            return quantize(rest)
        raise Refused(f"runner.py: error: expected llama-server or llama-quantize, not {name!r}")
    except (Refused, OSError, RuntimeError) as error:
        print(error, file=sys.stderr, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
