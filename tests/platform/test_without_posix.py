"""Windows, as far as it can be had here: a Python without fork, locks, and the POSIX-only modules.

`no_posix/sitecustomize.py` hides them from the package. The Ollama is a real one, started outside:
for the Python without POSIX it is the person's own.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server

ROOT = Path(__file__).parents[2]
HOOK = Path(__file__).with_name("no_posix")
MODEL = "smollm2:135m"
HEAD = """
import json, os, sys, time
import lifecycle_widgets as lw
def tell(**told): print("TOLD", json.dumps(told))
"""


@cache
def fonts() -> str:
    """A folder with matplotlib's list of fonts: to make it on Windows takes the registry."""
    folder = tempfile.mkdtemp(prefix="lifecycle-fonts-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    env = os.environ | {"MPLCONFIGDIR": folder}
    code = "import matplotlib.font_manager"
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=120)
    return folder


def run_without_posix(code: str, url: str | None, **environment: str) -> dict[str, Any]:
    """Run code in a Python of its own without POSIX; what it told by `tell`."""
    env = {k: v for k, v in os.environ.items() if k not in ("OLLAMA_HOST", SANDBOX_URL_VARIABLE)}
    env |= {"PYTHONPATH": os.pathsep.join([str(HOOK), str(ROOT)]), "MPLCONFIGDIR": fonts()}
    env |= environment
    env |= {"OLLAMA_HOST": url} if url else {}
    done = subprocess.run(
        [sys.executable, "-c", HEAD + code], env=env, capture_output=True, text=True, timeout=170
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line.partition(" ")[2] for line in done.stdout.splitlines() if line[:5] == "TOLD "]
    return {name: value for line in told for name, value in json.loads(line).items()}


def test_what_windows_lacks_is_hidden() -> None:
    told = run_without_posix(
        """
import signal, select, subprocess
lacking = []
for name in ("fcntl", "pwd", "grp", "resource", "termios", "pty"):
    try:
        __import__(name)
    except ImportError:
        lacking.append(name)
try:
    subprocess.Popen(["true"], pass_fds=[0])
except ValueError as fault:
    lacking.append(str(fault))
has = [hasattr(os, "fork"), hasattr(os, "geteuid"), hasattr(signal, "SIGKILL"),
       hasattr(select, "poll")]
tell(lacking=lacking, has=has, platform=sys.platform, name=os.name)
""",
        None,
    )
    assert told["lacking"][:-1] == ["fcntl", "pwd", "grp", "resource", "termios", "pty"]
    assert told["lacking"][-1] == "pass_fds is not supported on Windows platforms"
    assert not any(told["has"])
    assert (told["platform"], told["name"]) == ("win32", "nt")


def test_every_module_and_every_public_name_can_be_imported() -> None:
    told = run_without_posix(
        """
import importlib, pkgutil
modules = [m.name for m in pkgutil.walk_packages(lw.__path__, "lifecycle_widgets.")]
for name in modules:
    if not name.endswith("__main__"):
        importlib.import_module(name)
tell(modules=len(modules), missing=[n for n in lw.__all__ if getattr(lw, n) is None])
""",
        None,
    )
    assert told["modules"] > 100
    assert told["missing"] == []


def test_the_sandbox_says_in_a_sentence_that_it_cannot_be_had(tmp_path: Path) -> None:
    if Server("localhost").answers():
        pytest.skip("an Ollama of this machine's owner runs on localhost:11434")
    told = run_without_posix(
        f"""
from lifecycle_widgets.cli import main
from lifecycle_widgets.sandbox import prepare, why_not
from lifecycle_widgets.sandbox.program import prepare_program
said = []
for start in (lw.Sandbox().start, prepare, prepare_program, lw.Server.find, lw.Server.sandbox):
    try:
        start()
    except lw.SandboxError as fault:
        said.append(str(fault))
tell(said=said, why_not=why_not(), running=lw.Sandbox().is_running, text=repr(lw.Sandbox()))
tell(status=[main([{str(tmp_path / "lab")!r}]), main(["sandbox"]), main(["facts", "--private"])])
""",
        None,
    )
    assert told["said"] == [told["why_not"]] * 5
    assert "cannot run on this system; it needs Linux or macOS" in told["why_not"]
    assert "https://ollama.com/download" in told["why_not"]
    assert told["running"] is False
    assert told["status"] == [1, 1, 1]


def test_an_agent_runs_and_a_monitor_watches(server: Server) -> None:
    told = run_without_posix(
        f"""
server = lw.Server.find()
with lw.Monitor(server) as monitor:
    few = {{"num_predict": 8}}
    run = lw.run_agent("Name a river.", model={MODEL!r}, keep_alive="1m", options=few)
    time.sleep(2.5)
    sample = monitor.latest
    stays = monitor.residencies()
tell(url=server.url, answer=run.answer, error=run.error, ttft_s=run.timings.ttft_s)
tell(residents=[r.name for r in sample.residents], faults=list(sample.faults), ram=sample.ram_of)
tell(runners=len(sample.runners or ()), unseen=sample.unseen, stays=[s.model for s in stays])
server.unload({MODEL!r})
""",
        server.url,
    )
    assert told["url"] == server.url
    assert told["answer"]
    assert told["error"] is None
    assert told["ttft_s"] > 0
    assert told["residents"] == [MODEL]
    assert told["stays"] == [MODEL]
    assert told["faults"] == []
    assert told["runners"] == 1 or told["unseen"]


EXPERIMENTS = {
    "ColdAndWarm": f"lw.ColdAndWarm({MODEL!r}, rounds=1)",
    "InARow": f"lw.InARow({MODEL!r}, keep_alives=(0, '1m'), gaps_s=(0.2,))",
    "InTurn": f"lw.InTurn([{MODEL!r}, '{MODEL}-f16'], keep_alives=(0, '1m'), rounds=1, gap_s=0.1, "
    "pause_s=0.5, max_loaded=None)",
    "Downstream": f"lw.Downstream({MODEL!r}, rounds=1)",
    "own task": f"lw.Downstream({MODEL!r}, rounds=1, task=[sys.executable, '-c', 'print(1)'])",
}


@pytest.mark.slow
def test_the_experiments_plan_and_run(server: Server) -> None:
    """All in one process: a Python and what the package stands on take four seconds to start."""
    told = run_without_posix(
        f"""
for name, make in {EXPERIMENTS!r}.items():
    experiment = eval(make)
    plan = experiment.plan()
    result = experiment.run()
    tell(**{{name: [list(plan.notes), len(result.frame), str(result.verdict)]}})
""",
        server.url,
    )
    assert list(told) == list(EXPERIMENTS)
    for _, rows, verdict in told.values():
        assert rows > 0
        assert verdict
    assert "The machine is measured as it is." in " ".join(told["Downstream"][0])


def test_a_shortage_says_in_a_sentence_that_it_cannot_be_had(server: Server) -> None:
    told = run_without_posix(
        f"""
from lifecycle_widgets.experiments.shortage.shortage import Shortage
try:
    lw.Downstream({MODEL!r}, shortage=True).plan()
except PermissionError as fault:
    tell(must_be=str(fault))
tell(why_not=Shortage.why_not())
""",
        server.url,
    )
    assert "Linux's control groups, which this system does not have" in told["why_not"]
    assert told["must_be"].endswith(".")


def test_the_lab_is_drawn(server: Server) -> None:
    told = run_without_posix(
        """
lab = lw.TuningLab(lw.Server.find())
time.sleep(1.5)
shown = lab._repr_mimebundle_()
tell(shown=[*(shown[0] if isinstance(shown, tuple) else shown)])
lab.close()
""",
        server.url,
    )
    assert "application/vnd.jupyter.widget-view+json" in told["shown"]


def test_lifecycle_lab_opens_jupyterlab_and_passes_its_exit_status_on(
    server: Server, tmp_path: Path
) -> None:
    config = tmp_path / "config.py"  # JupyterLab reads it, and here ends there
    config.write_text("import os\nopen('seen', 'w').write(os.getcwd())\nos._exit(7)\n")
    told = run_without_posix(
        f"""
from lifecycle_widgets.cli import main
tell(status=main([{str(tmp_path / "lab")!r}, "--no-browser", "--config={config}"]))
""",
        server.url,
    )
    assert told["status"] == 7
    assert (tmp_path / "lab" / "seen").read_text() == str(tmp_path / "lab")
    assert (tmp_path / "lab" / "00_start_here.ipynb").exists()


@pytest.mark.slow
def test_the_facts_are_tried(server: Server) -> None:
    told = run_without_posix(
        """
from lifecycle_widgets.cli import main
tell(status=main(["facts", "--topic", "errors"]))
""",
        server.url,
    )
    assert told["status"] == 0
