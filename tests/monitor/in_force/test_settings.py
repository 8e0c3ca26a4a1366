"""What runners' command lines say: those of all engines, as Ollama's own source writes them."""

from __future__ import annotations

import pytest

from lifecycle_widgets.monitor import RunnerSettings
from lifecycle_widgets.monitor.runners.settings import settings_of

BLOB = "/models/blobs/sha256-" + "ab" * 32
SERVER = f"/usr/lib/ollama/llama-server --model {BLOB} --port 40001 --host 127.0.0.1 --no-webui"
LINES = {
    # 0.30 and newer: llm/llama_server.go
    f"{SERVER} --offline -c 8192 -np 2 --log-verbosity 4 --no-log-prefix --load-mode none "
    "--cache-type-k q8_0 --cache-type-v q4_0 --flash-attn on -b 512 -ub 256 -ngl 33 -t 8 "
    "--context-shift --keep 4": RunnerSettings(
        8192, 2, 512, 256, "q8_0", "q4_0", "on", 33, False, 8, "llama-server"
    ),
    f"{SERVER} -c 4096 -np 1 --flash-attn auto": RunnerSettings(
        context_length=4096, parallel=1, flash_attention="auto", engine="llama-server"
    ),
    f"{SERVER} -c 4096 -np 1 --flash-attn off -ngl 0 --no-mmap": RunnerSettings(
        context_length=4096,
        parallel=1,
        flash_attention="off",
        gpu_layers=0,
        mmap=False,
        engine="llama-server",
    ),
    f"{SERVER} --load-mode dio -ngl all": RunnerSettings(
        gpu_layers=-1, mmap=False, engine="llama-server"
    ),
    f"python runner.py llama-server --model {BLOB} --load-mode mmap -ngl auto": RunnerSettings(
        mmap=True, engine="llama-server"
    ),
    # up to 0.5: llm/server.go; switches are off where they are not there
    f"/tmp/ollama1/runners/cpu/ollama_llama_server --model {BLOB} --ctx-size 8192 --batch-size 512 "
    "--n-gpu-layers 29 --threads 4 --flash-attn --kv-cache-type q8_0 --no-mmap --parallel 4 "
    "--port 4000": RunnerSettings(
        8192, 4, 512, None, "q8_0", "q8_0", "on", 29, False, 4, "ollama_llama_server"
    ),
    f"/usr/bin/ollama runner --model {BLOB} --ctx-size 2048 --batch-size 512 --threads 2 "
    "--parallel 1 --port 4000": RunnerSettings(
        2048,
        1,
        512,
        flash_attention="off",
        mmap=True,
        threads=2,
        engine="ollama runner",
    ),
    # told over HTTP: nothing is known, not even the switches
    f"/usr/bin/ollama runner --model {BLOB} --port 4000": RunnerSettings(engine="ollama runner"),
    f"/usr/bin/ollama runner --ollama-engine --model {BLOB} --port 4000": RunnerSettings(
        engine="ollama runner --ollama-engine"
    ),
    "ollama.exe runner --mlx-engine --model llama3.2:1b --port 4000": RunnerSettings(
        engine="ollama runner --mlx-engine"
    ),
    f"/opt/engine --model={BLOB} --ctx-size=1024 --parallel=many": RunnerSettings(
        context_length=1024, flash_attention="off", mmap=True, engine="engine"
    ),
    # options that end too soon, or are given twice
    f"llama-server --model {BLOB} -c 1024 -c 2048 -t": RunnerSettings(
        context_length=2048, engine="llama-server"
    ),
    "": RunnerSettings(),
}


@pytest.mark.parametrize(("line", "settings"), LINES.items())
def test_what_a_command_line_says(line: str, settings: RunnerSettings) -> None:
    assert settings_of(line.split()) == settings
