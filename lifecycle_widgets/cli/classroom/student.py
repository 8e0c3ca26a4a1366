"""A student's notebook server, as JupyterHub starts it: with the lessons, and a private Ollama.

    python -m lifecycle_widgets.cli.classroom.student [arguments of jupyterhub-singleuser]

It becomes that server, so the private Ollama, which watches this process, ends with it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lifecycle_widgets.cli.lab import lab_defaults, model_server, put_notebooks


def main(arguments: Sequence[str]) -> int:
    """Puts the lessons into the current folder, starts the sandbox, becomes the server."""
    put_notebooks(Path.cwd())
    session = Path(f"/run/user/{os.getuid()}")  # systemd's, where lesson 1 makes its shortage
    if session.is_dir():
        os.environ.setdefault("XDG_RUNTIME_DIR", str(session))
    os.environ |= model_server(private=True) | lab_defaults()
    command = [sys.executable, "-m", "jupyterhub.singleuser", *arguments]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # trying out in a container
    sys.stdout.flush()
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
