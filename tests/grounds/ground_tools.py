"""What is tried on every ground, and looking for a secret everywhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lifecycle_widgets import Sample, Server, TuningLab, run_agent, snippets
from tests.cases.case_tools import assert_readable, wait_until, watched
from tests.grounds.namespaces import Namespace, namespace
from tests.grounds.programs import running
from tests.sandbox.sandbox_tools import ROOT, environment

SMALL = "smollm2:135m"
SHORT = {"num_predict": 6, "temperature": 0}


def assert_works(server: Server, model: str = SMALL) -> Sample:
    """Lists, version, a streamed run, the monitor and the lab; returns a sample with the model."""
    assert model in [listed.name for listed in server.models()]
    assert server.version[0].isdigit()
    pieces: list[str] = []
    run = run_agent(
        "Say hello.", model=model, keep_alive="5m", server=server, options=SHORT,
        on_text=pieces.append,
    )  # fmt: skip
    assert run.answer == "".join(pieces)
    assert len(pieces) > 1, "it streams"
    assert run.timings.ttft_s is not None
    assert [held.name for held in server.residents()] == [model]
    last = assert_sampled(server, model)
    lab = TuningLab(server, model=model)
    try:
        assert (lab.model, lab.error) == (model, "")
    finally:
        lab.close()
    return last


def assert_sampled(server: Server, model: str = SMALL) -> Sample:
    """The monitor sees the model: its process, or why not and what Ollama tells."""
    with watched(server) as monitor:
        wait_until(lambda: monitor.samples[-1].residents, "a sample with the model", 10)
        last = monitor.samples[-1]
        assert [s.error for s in monitor.samples if s.error is not None] == []
    assert [held.name for held in last.residents or ()] == [model]
    if last.runners is None:
        assert last.unseen
        assert_readable(last.unseen)
        assert (last.residents or ())[0].size_bytes
    else:
        assert [runner.model for runner in last.runners] == [model]
        assert 1e8 < last.runners[0].rss_bytes < 1e9
    return last


def assert_nowhere(secret: str, server: Server, *others: object) -> None:
    """A secret is in nothing that can be read."""
    shown = [repr(server), str(server), server.url, repr(server.door), repr(vars(server))]
    shown += snippets(SMALL, "5m", server.url).values()
    shown += [str(other) + repr(other) for other in others]
    for text in shown:
        assert secret not in text, text


@contextmanager
def serving(
    folder: Path,
    *words: str,
    command: Sequence[str] = (),
    wrap: Any = list,
    env: dict[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """A sandbox in a process of its own (see serve.py): what it printed.

    Parameters
    ----------
    words:
        For `serve`.
    wrap:
        Makes the command that is run of the command.
    """
    log = folder / f"serve-{len(list(folder.glob('serve-*')))}.txt"
    command = wrap([sys.executable, "-m", "tests.grounds.serve", *words])
    env = env or environment(PYTHONPATH=str(ROOT))
    with running(command, lambda: '"pid"' in log.read_text(), log, env=env):
        yield _last_json(log.read_text())


@contextmanager
def elsewhere(folder: Path, *apart: str) -> Iterator[tuple[Namespace, str]]:
    """Another machine, with an Ollama that listens on its address: its namespace, and the URL.

    Parameters
    ----------
    apart:
        A command that runs the Ollama still further away, such as ``unshare --pid ... --``.
    """
    with (
        namespace() as made,
        serving(folder, "--everywhere", SMALL, wrap=lambda c: made.command(*apart, *c)) as told,
    ):
        yield made, f"http://{made.there}:{told['url'].rpartition(':')[2]}"


@contextmanager
def forwarded(folder: Path, address: str, listen_host: str = "127.0.0.1", wrap: Any = list) -> Any:
    """Another address for a server, by a forwarder in its own process: the URL."""
    log = folder / f"forwarder-{len(list(folder.glob('forwarder-*')))}.txt"
    script = str(Path(__file__).with_name("forwarder.py"))
    command = wrap([sys.executable, script, address.rpartition("/")[2], listen_host])
    with running(command, lambda: log.read_text().strip(), log, env=environment()):
        yield f"http://{listen_host}:{int(log.read_text().split()[0])}"


def watch_from(command: list[str], env: dict[str, str]) -> list[dict[str, Any]]:
    """What `watch` (see there) prints, run by that command."""
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def _last_json(text: str) -> dict[str, Any]:
    return dict(json.loads([line for line in text.splitlines() if line.startswith("{")][-1]))
