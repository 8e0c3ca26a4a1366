"""``lifecycle-lab FOLDER``: the notebooks in JupyterLab, with a model server at hand."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lifecycle_widgets import __version__
from lifecycle_widgets.cli.own_server import named_version, own_server
from lifecycle_widgets.cli.words import why_no_folder
from lifecycle_widgets.sandbox import Sandbox
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE

_PACKAGE = Path(__file__).resolve().parents[1]
_START = "00_start_here.ipynb"

_ABOUT = """\
Open the notebooks of lifecycle_widgets in JupyterLab, or do what needs no notebook.

  lifecycle-lab FOLDER [JupyterLab's own arguments]
      Puts the notebooks into FOLDER (what is there already is left as it is), finds an Ollama or
      starts the private one, and opens JupyterLab there. With --private it is the private one in
      any case, and your own Ollama is left alone. A new folder is written as a path (./mine), or
      is: notebooks. JupyterLab's own arguments are such as --no-browser --port 9000
  lifecycle-lab watch [ADDRESS | NAME=ADDRESS ...]
      Watches one or more servers until Ctrl-C: prints what happens, keeps the history; as JSON
      (--json), for Prometheus (--metrics PORT), in the background (--service systemd|launchd).
  lifecycle-lab doctor [ADDRESS ...]
      Examines a server: what is wrong, on what evidence, and what to do. Changes nothing.
  lifecycle-lab advise [FILE]
      Recommends a keep_alive for each model, from your history or a file: what it costs and saves.
  lifecycle-lab replay [FILE]
      Replays a workload: what each policy for a keep_alive would have cost.
  lifecycle-lab history
      Says where the history is and what it holds; exports and deletes.
  lifecycle-lab sandbox [--port N]
      Runs the private Ollama until Ctrl-C, for use from elsewhere.
  lifecycle-lab sandbox --remove
      Removes everything that the private Ollama keeps in the user's cache.
  lifecycle-lab class [N]
      For a teacher: what N students need on this machine, lesson by lesson, and what to prepare.
  lifecycle-lab facts [--slow] [--private] [--topic WORD] [--claims]
      Tries on your own Ollama (without one: on the private one) every fact about keep_alive, loads
      and evictions that the lessons build on, and prints which hold there. It loads the smallest
      model, unless another one is in memory, and unloads what it has loaded. With --claims:
      what people say about keep_alive, each with the verdict on your server.

Each says more with --help.
"""


def main(words: Sequence[str]) -> int:
    """Opens JupyterLab, and becomes it; an exit status only where there is no fork."""
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="FOLDER", help="where the notebooks are to be")
    parser.add_argument("--private", action="store_true", help="use the private Ollama")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    known, for_jupyter = parser.parse_known_args(words)
    if why := why_no_folder(known.folder):
        parser.exit(2, f"lifecycle-lab: {why}\n")
    command = jupyter_command(for_jupyter)
    folder = put_notebooks(Path(known.folder))
    os.environ |= model_server(known.private) | lab_defaults()
    os.chdir(folder)
    sys.stdout.flush()
    return _become(command)


def _become(command: list[str]) -> int:
    """Let JupyterLab take this process's place.

    So Ctrl-C and signals reach it as they should, and the sandbox, which watches this process, ends
    with it. On Windows, whose exec returns to the shell at once, this process waits for it.
    """
    if hasattr(os, "fork"):
        os.execv(command[0], command)
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is JupyterLab's, which hears it too
    return subprocess.call(command)


def put_notebooks(folder: Path) -> Path:
    """Copy the notebooks that ``folder`` lacks into it; returns the folder.

    What is there already is never changed. In a clone, the clone's own ``notebooks`` is used.
    """
    source = next(
        (f for f in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks") if f.is_dir()), None
    )
    if source is None:
        raise OSError("The notebooks are not in this installation. Install lifecycle_widgets anew.")
    if folder.exists() and not folder.is_dir():
        raise OSError(f"{folder} is a file. Name a folder for the notebooks.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.samefile(source):
            _copy_what_lacks(source, folder)
    except OSError as fault:
        raise OSError(
            f"The notebooks cannot be put into {folder} ({fault.strerror or fault}). "
            "Name a folder that you may write to."
        ) from fault
    return folder


def _copy_what_lacks(source: Path, folder: Path) -> None:
    for notebook in sorted(source.glob("*.ipynb")):
        if not (folder / notebook.name).exists():
            shutil.copyfile(notebook, folder / notebook.name)
            print(f"{folder / notebook.name}: new")
    # the notebooks show these, and read those
    for beside in (*source.glob("pictures/*.png"), *source.glob("saved/*/*.*")):
        copy = folder / beside.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if not copy.exists():
            shutil.copyfile(beside, copy)


def model_server(private: bool) -> dict[str, str]:
    """Find or start what the notebooks will talk to; what the kernels' environment must say."""
    own = own_server(private)
    if own is not None:
        print(f"{named_version(own)} answers at {own.url}; the notebooks will use it.")
        return {}
    if not private:
        print("No Ollama answers here; the notebooks will use a private one (the sandbox).")
    sandbox = Sandbox().start()
    print(f"The sandbox (Ollama {sandbox.version}) answers at {sandbox.url}; it ends with the lab.")
    handed = {SANDBOX_URL_VARIABLE: sandbox.url}
    return handed | {"OLLAMA_HOST": sandbox.url} if private else handed


def lab_defaults() -> dict[str, str]:
    """What the environment must say so that JupyterLab's question about news covers no notebook.

    It is a default for this start alone: what a person has set in JupyterLab wins, and stays.
    """
    theirs = os.environ.get("JUPYTER_CONFIG_PATH", "")
    ours = str(_PACKAGE / "cli" / "jupyter")  # labconfig/default_setting_overrides.json
    return {"JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, (ours, theirs)))}


def jupyter_command(arguments: Sequence[str]) -> list[str]:
    """The command that opens JupyterLab in the current folder, on the start notebook."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise OSError("JupyterLab is not installed here: pip install jupyterlab")
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{_START}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # containers; JupyterLab listens on loopback only, as always
    return [*command, *arguments]
