"""lifecycle-lab: open the notebooks in JupyterLab, with a model server at hand."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_widgets import __version__
from lifecycle_widgets.sandbox import Sandbox, SandboxError, cache_dir, remove
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server, ServerError

if TYPE_CHECKING:
    from lifecycle_widgets.facts import Finding, Lab

_PACKAGE = Path(__file__).resolve().parent
_START = "00_start_here.ipynb"

_ABOUT = """\
Open the notebooks of lifecycle_widgets in JupyterLab.

  lifecycle-lab FOLDER [JupyterLab's own arguments]
      Puts the notebooks into FOLDER (what is there already is left as it is), finds an Ollama or
      starts the private one, and opens JupyterLab there.
  lifecycle-lab sandbox [--port N]
      Runs the private Ollama until Ctrl-C, for use from elsewhere.
  lifecycle-lab sandbox --remove
      Removes everything that the private Ollama keeps in the user's cache.
  lifecycle-lab facts [--slow] [--private] [--topic WORD]
      Tries on your own Ollama (without one: on the private one) every fact about keep_alive, loads
      and evictions that the lessons build on, and prints which hold there. It loads the smallest
      model, unless another one is in memory, and unloads what it has loaded.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit status (2: wrong arguments, 1: a fault, told in words)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words[:1] == ["sandbox"]:
            return _sandbox(words[1:])
        if words[:1] == ["facts"]:
            return _facts(words[1:])
        return _lab(words)
    except (SandboxError, ServerError, OSError) as fault:
        print(f"lifecycle-lab: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nlifecycle-lab: interrupted. What was prepared is kept.", file=sys.stderr)
        return 130


# --- the lab ------------------------------------------------------------------------------------


def _lab(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab",
        description=_ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="where the notebooks are to be")
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    known, for_jupyter = parser.parse_known_args(words)
    folder = put_notebooks(known.folder)
    url = _model_server()
    os.environ |= {SANDBOX_URL_VARIABLE: url} if url else {}
    os.chdir(folder)
    # JupyterLab takes this process's place: Ctrl-C and signals reach it as they should, and the
    # sandbox, which watches this process, ends with it.
    command = jupyter_command(for_jupyter)
    sys.stdout.flush()
    os.execv(command[0], command)


def put_notebooks(folder: Path) -> Path:
    """Copy the notebooks that ``folder`` lacks into it; returns the folder.

    What is there already is never changed. In a clone, the clone's own ``notebooks`` is used.
    """
    source = next(
        (f for f in (_PACKAGE / "notebooks", _PACKAGE.parent / "notebooks") if f.is_dir()), None
    )
    if source is None:
        raise OSError("The notebooks are not in this installation. Install lifecycle_widgets anew.")
    folder.mkdir(parents=True, exist_ok=True)
    if folder.samefile(source):
        return folder
    for notebook in sorted(source.glob("*.ipynb")):
        if not (folder / notebook.name).exists():
            shutil.copyfile(notebook, folder / notebook.name)
            print(f"{folder / notebook.name}: new")
    pictures = folder / "pictures"  # the notebooks show them
    pictures.mkdir(exist_ok=True)
    for picture in sorted((source / "pictures").glob("*.png")):
        if not (pictures / picture.name).exists():
            shutil.copyfile(picture, pictures / picture.name)
    return folder


def _model_server() -> str | None:
    """Find or start what the notebooks will talk to; returns the address if it is a sandbox."""
    own = Server.own()
    if own is not None:
        print(f"Ollama {own.version} answers at {own.url}; the notebooks will use it.")
        return None
    print("No Ollama answers here; the notebooks will use a private one (the sandbox).")
    sandbox = Sandbox().start()
    print(f"The sandbox (Ollama {sandbox.version}) answers at {sandbox.url}; it ends with the lab.")
    return sandbox.url


def jupyter_command(arguments: Sequence[str]) -> list[str]:
    """The command that opens JupyterLab in the current folder, on the start notebook."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise OSError("JupyterLab is not installed here: pip install jupyterlab")
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{_START}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # containers; JupyterLab listens on loopback only, as always
    return [*command, *arguments]


# --- the sandbox --------------------------------------------------------------------------------


def _sandbox(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab sandbox", description="The private Ollama."
    )
    parser.add_argument("--port", type=int, help="listen there (default: any free one)")
    parser.add_argument("--remove", action="store_true", help="remove it from the user's cache")
    known = parser.parse_args(words)
    if known.remove:
        removed = remove()
        print(f"{cache_dir()}: {'removed' if removed else 'there was nothing to remove'}")
        return 0
    with Sandbox(port=known.port) as sandbox:
        print(f"export OLLAMA_HOST={sandbox.url}   # Ollama {sandbox.version}; Ctrl-C ends it")
        sys.stdout.flush()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            while sandbox.is_running:
                time.sleep(0.5)
        except KeyboardInterrupt:
            return 0
    print("lifecycle-lab: the sandbox has ended by itself.", file=sys.stderr)
    return 1


# --- the facts ----------------------------------------------------------------------------------


def _facts(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab facts", description="Which facts hold on this Ollama."
    )
    parser.add_argument("--slow", action="store_true", help="also those that take long")
    parser.add_argument("--private", action="store_true", help="on the private Ollama")
    parser.add_argument("--topic", default="", help="only those with this word in their heading")
    known = parser.parse_args(words)
    from lifecycle_widgets.facts import FACTS, TOPICS, check, show

    chosen = [f for f in FACTS.values() if known.topic.lower() in f.topic.lower()]
    if not chosen:
        parser.error(f"no topic has {known.topic!r} in it. There are: {'; '.join(TOPICS)}")
    with _server_for_facts(known.private) as lab:
        whose = "private" if lab.sandbox is not None else "own"
        print(f"Ollama {lab.server.version} at {lab.server.url} ({whose})")
        found: list[Finding] = []
        show(_kept(check(lab, slow=known.slow, facts=chosen), found))
    held, not_held = (sum(one.holds is holds for one in found) for holds in (True, False))
    surprises = sum(one.is_surprise for one in found)
    print(f"\n{held} hold, {not_held} do not, {len(found) - held - not_held} were not tried; "
          f"{surprises} otherwise than expected of this version.")  # fmt: skip
    return 1 if surprises else 0


def _kept(findings: Iterator[Finding], found: list[Finding]) -> Iterator[Finding]:
    """The same, and each is put into the list as it comes."""
    for finding in findings:
        found.append(finding)
        yield finding


@contextmanager
def _server_for_facts(private: bool) -> Iterator[Lab]:
    from lifecycle_widgets.facts import Lab

    own = None if private else Server.own()
    if own is not None:
        with closing(Lab(own)) as lab:
            yield lab
        return
    with Sandbox() as sandbox, closing(Lab(Server(sandbox.url), sandbox)) as lab:
        yield lab


if __name__ == "__main__":
    sys.exit(main())
