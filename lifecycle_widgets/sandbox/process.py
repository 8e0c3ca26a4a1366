"""Class Sandbox: one private, real Ollama with small models, for as long as it is wanted."""

from __future__ import annotations

import atexit
import difflib
import importlib.util
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from lifecycle_widgets.sandbox.answers import Answers, create, scripts_of, written
from lifecycle_widgets.sandbox.cache import Hold
from lifecycle_widgets.sandbox.errors import SandboxError
from lifecycle_widgets.sandbox.launch import Launched, launch, make_folder, tail
from lifecycle_widgets.sandbox.posix import require
from lifecycle_widgets.sandbox.preparation import prepare
from lifecycle_widgets.sandbox.program import Program, ready
from lifecycle_widgets.sandbox.progress import Listener
from lifecycle_widgets.sandbox.store import MODELS, checked, furnish

SETTINGS = (
    "OLLAMA_AUTH", "OLLAMA_CONTEXT_LENGTH", "OLLAMA_DEBUG", "OLLAMA_DEBUG_LOG_REQUESTS",
    "OLLAMA_FLASH_ATTENTION", "OLLAMA_GO_TEMPLATE", "OLLAMA_GPU_OVERHEAD", "OLLAMA_IGPU_ENABLE",
    "OLLAMA_KEEP_ALIVE", "OLLAMA_KV_CACHE_TYPE", "OLLAMA_LLM_LIBRARY", "OLLAMA_LOAD_TIMEOUT",
    "OLLAMA_MAX_LOADED_MODELS", "OLLAMA_MAX_QUEUE", "OLLAMA_MAX_TRANSFER_STREAMS",
    "OLLAMA_NO_CLOUD", "OLLAMA_NOHISTORY", "OLLAMA_NOPRUNE", "OLLAMA_NUM_PARALLEL",
    "OLLAMA_ORIGINS", "OLLAMA_REMOTES", "OLLAMA_SCHED_SPREAD", "OLLAMA_VULKAN",
)  # fmt: skip
"""The settings of Ollama's server that a sandbox takes as keywords."""


class Sandbox:
    """A private Ollama on a free port of 127.0.0.1, with its own copy of the models.

    It takes nothing from the person's own Ollama, and none of their `OLLAMA_*` environment
    variables. It ends, with its runners, when `stop` is called or this process ends, however that
    happens. After `os.exec*` it lives on, as the process does.

    Args:
        models: which models it has, of `MODELS`; `()` for none.
        port: where it listens; None for a free port.
        progress: called with a `Progress` during the long first preparation; None prints.
        runner_env: more environment variables for Ollama and its runners.
        answers: what a model says, one answer after the other, whatever it is asked: for agents
            with tools, which no model of this size can call. A list is for the model ``scripted``;
            a mapping has a list for each of several names, which get the weights of ``models`` in
            their order. An answer is a text, or a mapping with ``text``, ``thinking`` and
            ``tool_calls`` (each ``{"name": ..., "arguments": {...}}``). A conversation gets the
            first where no answer is in it yet, then the second, and so on; the last is repeated.
            Only the words are set: the models are loaded, held and unloaded as any other. Such
            a sandbox runs the Ollama that is built here, also where another one is on PATH.
        tokens_per_s: how fast those answers come.
        **settings: any setting of Ollama's server, such as ``OLLAMA_KEEP_ALIVE="30s"``.

    Raises:
        TypeError: a keyword that is no such setting.
        ValueError: an unknown model, a port that is none, or answers that are none.

    Example:
        >>> with Sandbox(OLLAMA_KEEP_ALIVE="30s") as sandbox:  # doctest: +SKIP
        ...     print(sandbox.url)
        http://127.0.0.1:40133
        >>> with Sandbox(answers=["It is noon."]) as sandbox:  # doctest: +SKIP
        ...     print(run_agent("What time is it?", model="scripted", server=sandbox).answer)
        It is noon.
    """

    def __init__(
        self,
        *,
        models: Sequence[str] = MODELS,
        port: int | None = None,
        progress: Listener | None = None,
        runner_env: Mapping[str, str] | None = None,
        answers: Answers = None,
        tokens_per_s: float = 50.0,
        **settings: str | int | float | bool | None,
    ) -> None:
        self.models = checked(models)
        self._scripts = scripts_of(answers, self.models, tokens_per_s)
        if port is not None and not 0 < port < 65536:
            raise ValueError(f"port must be between 1 and 65535, not {port}")
        self._wanted_port = port
        self._progress = progress
        self._env = _environment(settings) | dict(runner_env or {})
        self._launched: Launched | None = None
        self._program: Program | None = None
        self._owner = 0

    def start(self) -> Sandbox:
        """Prepare what is missing, start Ollama, and wait until it answers.

        Returns:
            Itself. Started again while it runs, it does nothing.

        Raises:
            NotHere: this operating system cannot run one.
            PortTaken: the port that was asked for is in use.
            StartFailed: Ollama did not come up; with the end of its log.
            SandboxError: the program or the models could not be prepared (see `prepare`).
        """
        if self.is_running:
            return self
        require()
        _require_runner(ours=bool(self._scripts))
        with Hold("use", shared=True) as use:
            program = prepare(self.models, self._progress, ours=bool(self._scripts))
            if self._launched is not None:
                self._launched.close()  # the log of the run before
            folder = make_folder(lambda folder: furnish(self.models, folder / "models"))
            self._launched = launch(
                program,
                folder,
                port=self._wanted_port,
                settings=self._env | written(self._scripts, folder),
                keep=[] if use.fd is None else [use.fd],
            )
        self._program, self._owner = program, os.getpid()
        atexit.register(self.stop)
        try:
            create(self._scripts, self.models, self.port)
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self, timeout_s: float = 10.0) -> None:
        """End Ollama and its runners and delete the temporary folder. May be called again.

        In a forked copy of this process it does nothing: the sandbox is the parent's.

        Args:
            timeout_s: seconds until it is ended the hard way.
        """
        if self._launched is None or os.getpid() != self._owner:
            return
        self._launched.end(timeout_s)
        atexit.unregister(self.stop)

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        if not self.is_running:
            return "Sandbox(not running)"
        says = f", what {' and '.join(self.scripted)} say is set" if self.scripted else ""
        return f"Sandbox({self.url}, Ollama {self.version} {self.origin}, process {self.pid}{says})"

    def _started(self) -> Launched:
        if self._launched is None:
            raise SandboxError("The sandbox has not been started: call start(), or use `with`.")
        return self._launched

    def _program_started(self) -> Program:
        self._started()
        assert self._program is not None
        return self._program

    @property
    def is_running(self) -> bool:
        """Whether Ollama is alive."""
        return self._launched is not None and self._launched.is_running()

    @property
    def scripted(self) -> tuple[str, ...]:
        """The models whose words are set, by `answers`; everything else about them is real."""
        return tuple(self._scripts)

    @property
    def url(self) -> str:
        """Where it answers, such as ``"http://127.0.0.1:40133"``."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._started().port

    @property
    def pid(self) -> int:
        """The process id of Ollama (its runners are its children)."""
        return self._started().pid

    @property
    def version(self) -> str:
        """What its /api/version says."""
        return self._started().version

    @property
    def program(self) -> Path:
        """The executable that runs."""
        return self._program_started().path

    @property
    def origin(self) -> str:
        """``"PATH"`` or ``"built"``."""
        return self._program_started().origin

    @property
    def log_path(self) -> Path:
        """Ollama's log with its runners' lines; deleted when the sandbox ends."""
        return self._started().folder / "ollama.log"

    def log_tail(self, n: int = 20) -> str:
        """The last `n` lines of the log; also after the sandbox has ended."""
        return tail(self._started().log_text(), n)


def _environment(settings: Mapping[str, str | int | float | bool | None]) -> dict[str, str]:
    """Check the keywords and write them as environment variables."""
    advice = {
        "OLLAMA_HOST": "a sandbox listens on 127.0.0.1 only; its port is the keyword `port`",
        "OLLAMA_MODELS": "a sandbox has a models folder of its own; choose with `models`",
    }
    env = {}
    for name, value in settings.items():
        if name in advice:
            raise TypeError(f"Sandbox() takes no {name}: {advice[name]}")
        if name not in SETTINGS:
            raise TypeError(f"Sandbox() has no keyword {name!r}.{_guess(name)}")
        if value is not None:
            env[name] = str(int(value) if isinstance(value, bool) else value)
    return env


def _guess(name: str) -> str:
    wanted = re.sub(r"^(OLLAMA_?)?", "OLLAMA_", name.upper())
    if close := difflib.get_close_matches(wanted, SETTINGS, 1, 0.8):
        return f" Did you mean {close[0]}?"
    return (
        " Settings of Ollama's server are written as its environment variables, such as "
        "OLLAMA_KEEP_ALIVE; any other variable goes into `runner_env`."
    )


def _require_runner(*, ours: bool) -> None:
    """Before an Ollama is built for minutes: it could load no model."""
    program = ready(ours=ours)
    is_ours = program is None or program.origin == "built"
    if is_ours and importlib.util.find_spec("xllamacpp") is None:
        raise SandboxError(
            "The Ollama of the sandbox runs models with the package `xllamacpp`, which is not "
            "installed in this environment. Run `pip install xllamacpp`, or install Ollama with "
            "its official installer."
        )
