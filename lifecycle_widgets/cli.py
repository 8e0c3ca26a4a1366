"""lifecycle-lab: open the notebooks in JupyterLab, with a model server at hand."""

from __future__ import annotations

import argparse
import difflib
import importlib.util
import io
import os
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle_widgets import __version__
from lifecycle_widgets.sandbox import Sandbox, SandboxError, cache_dir, remove, why_not
from lifecycle_widgets.server import SANDBOX_URL_VARIABLE, Server, ServerError, ServerUnreachable
from lifecycle_widgets.server.finding import INSTEAD

if TYPE_CHECKING:
    from lifecycle_widgets.facts import Finding, Lab

_PACKAGE = Path(__file__).resolve().parent
_START = "00_start_here.ipynb"

_ABOUT = """\
Open the notebooks of lifecycle_widgets in JupyterLab.

  lifecycle-lab FOLDER [JupyterLab's own arguments]
      Puts the notebooks into FOLDER (what is there already is left as it is), finds an Ollama or
      starts the private one, and opens JupyterLab there. With --private it is the private one in
      any case, and your own Ollama is left alone.
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
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a console that lacks a letter shows "?"
    try:
        if words[:1] == ["sandbox"]:
            return _sandbox(words[1:])
        if words[:1] == ["facts"]:
            return _facts(words[1:])
        return _lab(words)
    except (SandboxError, ServerError, ValueError, OSError) as fault:
        print(f"lifecycle-lab: {_in_words(fault)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nlifecycle-lab: interrupted. What was prepared is kept.", file=sys.stderr)
        return 130


def _in_words(fault: Exception) -> str:
    """What a fault says; the operating system's without their numbers."""
    if isinstance(fault, OSError) and fault.strerror:
        return f"{fault.filename}: {fault.strerror}" if fault.filename else fault.strerror
    return str(fault)


def _own_server(private: bool) -> Server | None:
    """The person's own Ollama, if they have one and want it; a fault is told with the way round.

    Who names a server in OLLAMA_HOST wants that one, and no other without being asked.
    """
    if private:
        return None
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", "OLLAMA_HOST")
            return Server.own()
    except UserWarning as told:
        fault = f"{str(told).partition(';')[0]}. Start it there, or set OLLAMA_HOST to another one."
    except (ValueError, ServerError, ServerUnreachable) as told:
        fault = str(told).removesuffix(INSTEAD)
    way_round = "" if why_not() else " To use the private Ollama all the same, add --private."
    raise ConnectionError(f"{fault}{way_round}")


# --- the lab ------------------------------------------------------------------------------------


def _lab(words: Sequence[str]) -> int:
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
    if meant := _command_meant(known.folder):
        question = f"There is no command {known.folder!r}; did you mean {meant!r}?"
        folder_anyway = f"A folder of that name is written .{os.sep}{known.folder}"
        parser.exit(2, f"lifecycle-lab: {question} {folder_anyway}\n")
    command = jupyter_command(for_jupyter)
    folder = put_notebooks(Path(known.folder))
    os.environ |= _model_server(known.private)
    os.chdir(folder)
    sys.stdout.flush()
    return _become(command)


def _command_meant(folder: str) -> str | None:
    """The command that was mistyped, if that is what it looks like."""
    if Path(folder).exists() or Path(folder).name != folder:
        return None
    return next(iter(difflib.get_close_matches(folder, ("sandbox", "facts"), 1, 0.85)), None)


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
    pictures = folder / "pictures"  # the notebooks show them
    pictures.mkdir(exist_ok=True)
    for picture in sorted((source / "pictures").glob("*.png")):
        if not (pictures / picture.name).exists():
            shutil.copyfile(picture, pictures / picture.name)


def _model_server(private: bool) -> dict[str, str]:
    """Find or start what the notebooks will talk to; what the kernels' environment must say."""
    own = _own_server(private)
    if own is not None:
        print(f"{_named(own)} answers at {own.url}; the notebooks will use it.")
        return {}
    if not private:
        print("No Ollama answers here; the notebooks will use a private one (the sandbox).")
    sandbox = Sandbox().start()
    print(f"The sandbox (Ollama {sandbox.version}) answers at {sandbox.url}; it ends with the lab.")
    handed = {SANDBOX_URL_VARIABLE: sandbox.url}
    return handed | {"OLLAMA_HOST": sandbox.url} if private else handed


def _named(server: Server) -> str:
    """What answers there, as far as it tells."""
    told = server.version[:1].isdigit()
    return f"Ollama {server.version}" if told else "A server that tells no version"


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
        prog="lifecycle-lab sandbox", description="The private Ollama.", allow_abbrev=False
    )
    parser.add_argument("--port", type=int, help="listen there (default: any free one)")
    parser.add_argument("--remove", action="store_true", help="remove it from the user's cache")
    known = parser.parse_args(words)
    if known.remove:
        removed = remove()
        print(f"{cache_dir()}: {'removed' if removed else 'there was nothing to remove'}")
        return 0
    with Sandbox(port=known.port) as sandbox:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        try:
            print(f"export OLLAMA_HOST={sandbox.url}   # Ollama {sandbox.version}; Ctrl-C ends it")
            sys.stdout.flush()
            while sandbox.is_running:
                time.sleep(0.5)
        except KeyboardInterrupt:
            return 0
    print("lifecycle-lab: the sandbox has ended by itself.", file=sys.stderr)
    return 1


# --- the facts ----------------------------------------------------------------------------------


def _facts(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lifecycle-lab facts",
        description="Which facts hold on this Ollama.",
        allow_abbrev=False,
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
        print(f"{_named(lab.server)} at {lab.server.url} ({whose})")
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

    own = _own_server(private)
    if own is not None:
        with closing(Lab(own)) as lab:
            yield lab
        return
    with Sandbox() as sandbox, closing(Lab(Server(sandbox.url), sandbox)) as lab:
        yield lab


if __name__ == "__main__":
    sys.exit(main())
