"""llama.cpp's own HTTP server, as `llama-server -m FILE` starts it: python llama_cpp.py FILE PORT

The package xllamacpp has it; nothing of ours is in between.
"""

from __future__ import annotations

import sys
from typing import Any


def parameters(xllamacpp: Any, file: str, port: int) -> Any:
    """What the command line would be; also for a version of spring 2026."""
    params = xllamacpp.CommonParams()
    params.model.path, params.port = file, port
    if hasattr(params, "hostnames"):
        params.hostnames = ["127.0.0.1"]
    else:
        params.hostname = "127.0.0.1"
    params.n_ctx, params.n_parallel, params.n_gpu_layers = 2048, 1, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.fit_params = False
    return params


def main(file: str, port: str) -> None:
    """Serve until the input ends."""
    import xllamacpp

    server = xllamacpp.Server(parameters(xllamacpp, file, int(port)))
    sys.stdin.read()
    del server


if __name__ == "__main__":
    main(*sys.argv[1:])
