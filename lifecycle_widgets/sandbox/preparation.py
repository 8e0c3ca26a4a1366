"""Gets everything a sandbox needs: the program and the models, side by side."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from lifecycle_widgets.sandbox.cache import Hold
from lifecycle_widgets.sandbox.children import Cancelled
from lifecycle_widgets.sandbox.errors import SandboxError
from lifecycle_widgets.sandbox.models import Preparation
from lifecycle_widgets.sandbox.posix import require
from lifecycle_widgets.sandbox.program import Program, prepare_program, ready
from lifecycle_widgets.sandbox.progress import Listener, Reporter
from lifecycle_widgets.sandbox.store import MODELS, checked, missing


def prepare(
    models: Sequence[str] = MODELS, progress: Listener | None = None, *, ours: bool = False
) -> Program:
    """Make sure that the program and the models are there; fast when they are.

    The first time this takes 2 to 4 minutes where no `ollama` is on PATH (it is built), else
    about a minute. It may be interrupted at any time, also by SIGKILL, and goes on where it
    stopped. Two processes may call it at once: one works, the other waits.

    Args:
        models: which of the sandbox's models.
        progress: called with a `Progress` now and then; None prints to stderr.
        ours: not with the Ollama on PATH, which runs models with a runner of its own.

    Returns:
        The Ollama that sandboxes will run.

    Raises:
        NotHere: this operating system cannot run a sandbox.
        BuildFailed: there is no Ollama and none can be built.
        ModelsFailed: no network, or a download or conversion that is not what it should be.
        DiskFull: not enough room.
        CacheUnusable: the cache folder cannot be written.

    Example:
        >>> prepare()  # doctest: +SKIP
        Program(path=PosixPath('.../bin/ollama'), origin='built', version='0.32.15')
    """
    require()
    names = checked(models)
    program = ready(ours=ours)
    if program and not missing(names):
        return program
    with Hold("use", shared=True) as use:
        return _prepare(names, progress, use, ours)


def _prepare(names: Sequence[str], progress: Listener | None, use: Hold, ours: bool) -> Program:
    if not missing(names):
        return prepare_program(progress, ours=ours)
    reporter = Reporter("models", progress)
    cancel = threading.Event()
    with Hold("models", waiting=reporter) as lock:
        todo = missing(names)
        if not todo:
            return prepare_program(progress, ours=ours)
        work = Preparation(reporter, [h.fd for h in (use, lock) if h.fd is not None], cancel)
        work.require_space(todo)
        pool = ThreadPoolExecutor(1, "lifecycle-sandbox-models")
        try:
            # Converting needs no Ollama: it goes on while one is built.
            files: dict[str, Future[Path]] = {n: pool.submit(work.convert, n) for n in todo}
            program = prepare_program(progress, ours=ours)
            for name, file in files.items():
                work.register(name, file.result(), program)
            reporter("ready")
        except Cancelled as error:
            raise SandboxError("The preparation was cancelled.") from error
        finally:
            cancel.set()
            pool.shutdown(cancel_futures=True)
            work.tidy()
    return program
