"""The runner as Ollama starts it, and the guard, as programs of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import psutil
import pytest
from sandbox_tools import all_gone, eventually, weights

from lifecycle_widgets.sandbox import Sandbox, children, runner

PYTHON = [sys.executable, runner.__file__]
# Every argument that can come from Ollama 0.32.15, with a value where it has one.
ALL = [
    *("--model", "/nowhere", "--port", "1234", "--host", "127.0.0.1", "--no-webui", "--offline"),
    *("-c", "8192", "-np", "2", "--log-verbosity", "4", "--no-log-prefix", "--no-log-timestamps"),
    *("--no-jinja", "--chat-template", "chatml", "--mmproj", "/vision", "--no-mmproj-offload"),
    *("--spec-type", "draft-mtp", "--spec-draft-n-max", "5", "--spec-draft-backend-sampling"),
    *("--spec-draft-model", "/draft", "--image-min-tokens", "1024", "--lora", "/lora"),
    *("--load-mode", "none", "--cache-type-k", "q8_0", "--cache-type-v", "q4_0"),
    *("--flash-attn", "on", "--embedding", "-b", "256", "-ub", "128", "-ngl", "7", "-t", "3"),
    *("--split-mode", "none", "--main-gpu", "1", "--context-shift", "--keep", "4", "--verbose"),
]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*PYTHON, *arguments], capture_output=True, text=True, timeout=30)


def test_says_what_ollama_waits_for_at_start() -> None:
    began = time.monotonic()
    at_start = ("--port", "1", "--host", "127.0.0.1", "--no-webui", "--offline", "--verbose")
    done = run("llama-server", *at_start)
    assert "system_info:" in done.stderr
    assert done.returncode == 0
    assert time.monotonic() - began < 5
    done = run("llama-server", "--list-devices", "--offline", "--verbose")
    assert done.stdout == "Available devices:\n"
    assert done.returncode == 0


def test_every_argument_of_ollama_has_its_place() -> None:
    xllamacpp = pytest.importorskip("xllamacpp")
    params = runner.parameters(xllamacpp, runner.parse(ALL))
    assert params.model.path == "/nowhere"
    assert (params.port, params.hostnames) == (1234, ["127.0.0.1"])
    assert (params.n_ctx, params.n_parallel, params.n_batch, params.n_ubatch) == (8192, 2, 256, 128)
    assert (params.ui, params.offline, params.use_jinja) == (False, True, False)
    assert params.chat_template == "chatml"
    assert (params.mmproj.path, params.mmproj_use_gpu) == ("/vision", False)
    assert params.speculative.draft.n_max == 5
    assert params.speculative.draft.mparams.path == "/draft"
    assert [adapter.path for adapter in params.lora_adapters] == ["/lora"]
    assert params.load_mode == xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    assert params.cache_type_k == xllamacpp.ggml_type.GGML_TYPE_Q8_0
    assert params.cache_type_v == xllamacpp.ggml_type.GGML_TYPE_Q4_0
    kind = xllamacpp.llama_flash_attn_type
    assert params.flash_attn_type == kind.LLAMA_FLASH_ATTN_TYPE_ENABLED
    assert (params.n_gpu_layers, params.main_gpu, params.n_keep) == (7, 1, 4)
    assert params.cpuparams.n_threads == params.cpuparams_batch.n_threads == 3
    assert (params.embedding, params.ctx_shift, params.image_min_tokens) == (True, True, 1024)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--model", "/m", "--brand-new"], "'--brand-new'"),
        (["--model"], "'--model'"),
        (["--model", "/m", "--flash-attn", "perhaps"], "'--flash-attn'"),
        (["--model", "/m", "-c", "many"], "'-c'"),
    ],
)
def test_other_arguments_are_refused_by_name(arguments: list[str], named: str) -> None:
    done = run("llama-server", *arguments)
    assert done.returncode == 1
    assert named in done.stderr


def test_a_model_that_is_no_model_ends_with_an_error(tmp_path: Path) -> None:
    (tmp_path / "model").write_bytes(b"no weights")
    done = run("llama-server", "--model", str(tmp_path / "model"), "--port", "1")
    assert done.returncode != 0
    assert "model" in done.stderr


def serving(port: int) -> subprocess.Popen[bytes]:
    """A runner with the smallest model on that port."""
    options = ("--model", str(weights()), "--port", str(port), "--host", "127.0.0.1", "-c", "256")
    return subprocess.Popen([*PYTHON, "llama-server", *options], stderr=subprocess.PIPE)


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as reply:
            return bool(reply.status == 200)
    except OSError:
        return False


def test_a_port_that_another_program_has_for_a_moment_is_waited_for(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        started = serving(port)
        time.sleep(0.5)
    try:
        assert eventually(lambda: healthy(port), 20.0)
    finally:
        started.kill()
        started.communicate()


def test_a_port_that_another_program_keeps_is_said(sandbox: Sandbox) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        said = serving(port).communicate(timeout=30)[1].decode()
    assert f"error: another program has port {port}" in said


def test_quantise_copies_and_does_nothing_else(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"weights")
    target.touch()
    inode = target.stat().st_ino
    done = run("llama-quantize", "--allow-requantize", str(source), str(target), "COPY")
    assert done.returncode == 0
    assert target.read_bytes() == b"weights"
    assert target.stat().st_ino == inode  # Ollama holds it open
    assert run("llama-quantize", str(source), str(target), "Q4_0").returncode == 1
    assert run("anything").returncode == 1


def test_the_guard_passes_on_output_and_exit_code() -> None:
    done = children.run(["sh", "-c", "echo out; echo err >&2; exit 7"], env=os.environ)
    assert done.code == 7
    assert sorted(done.lines) == ["err", "out"]
    done = children.run(["/no/such/program"], env=os.environ)
    assert done.code == 127
    assert "No such file" in done.tail(1)


def test_the_guard_ends_a_command_that_does_not_want_to_with_its_children() -> None:
    code = "trap '' TERM; sleep 97.31 & sleep 97.31 & echo ready; wait; wait; sleep 97.31"
    child = children.spawn(["sh", "-c", code], env=os.environ, output=subprocess.PIPE, grace_s=0.3)
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    started = [p.pid for p in psutil.Process(child.pid).children(recursive=True)]
    assert len(started) == 3
    began = time.monotonic()
    children.end(child)
    assert time.monotonic() - began < 4
    assert all_gone(started)


@pytest.mark.skipif(sys.platform != "linux", reason="orphans come back to the guard on Linux only")
def test_the_guard_finds_a_command_that_has_left_its_group() -> None:
    code = "import subprocess as s; s.Popen(['sleep', '97.32'], start_new_session=True).wait()"
    child = children.spawn(
        [sys.executable, "-c", code], env=os.environ, output=subprocess.DEVNULL, grace_s=0.3
    )
    guard = psutil.Process(child.pid)
    assert eventually(lambda: len(guard.children(recursive=True)) == 2)
    started = [p.pid for p in guard.children(recursive=True)]
    children.end(child)
    assert all_gone(started)
