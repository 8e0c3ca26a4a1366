"""What went wrong with a run, as an exception that a person can act on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from lifecycle_widgets.agent.requests.chunks import ErrorInAnswer, NotChunks, error_text
from lifecycle_widgets.error_advice import advice_for, out_of_descriptors
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import Server, ServerError, ServerUnreachable, UnknownModel
from lifecycle_widgets.server.door import ollama_package
from lifecycle_widgets.server.door.proxies import BadProxy, proxy_for
from lifecycle_widgets.short_texts import one_line

if TYPE_CHECKING:
    import ollama

_SHOWN = 120  # characters of somebody else's words
_BAD_CALL = "required fields for ToolAction"  # griptape's words, in a ValueError
_NO_FILE = "source code not available"  # inspect's words, when griptape asks for a tool's file
_KEPT = "What had arrived is kept"
_one_line = partial(one_line, most=_SHOWN)


class RunFailed(RuntimeError):
    """A run that began and could not be finished. ``run`` has what had arrived until then."""

    def __init__(self, message: str, run: Run | None = None) -> None:
        super().__init__(message)
        self.run = run


class RunTimedOut(RunFailed, TimeoutError):
    """A run that took longer than it was given, and was stopped. ``run`` has what had arrived."""

    def __init__(self, timeout_s: float, run: Run | None = None) -> None:
        super().__init__(
            f"The run was stopped, as it took longer than timeout_s = {timeout_s:g} s. {_KEPT}.",
            run,
        )


class Ended(BaseException):
    """A person's function has raised, which ends the run. No Exception: griptape would take that
    for an error of a task or of a tool, and go on.

    Parameters
    ----------
    told:
        What the one is told who waits.
    """

    def __init__(self, told: RunFailed) -> None:
        super().__init__(str(told))
        self.told = told


def on_the_way(fault: BaseException) -> BaseException:
    """The same, of a run of which something had come: what had come is kept in the exception."""
    if isinstance(fault, RunFailed):
        return fault
    failed = RunFailed(f"{fault} {_KEPT}.")
    failed.__cause__ = fault
    return failed


def in_task(fault: BaseException, task: str) -> BaseException:
    """The same, of a structure of several tasks, with the task in which it happened."""
    if not isinstance(fault, RunFailed):
        return fault
    named = RunFailed(f"In the task {task!r}: {fault}", fault.run)
    named.__cause__ = fault.__cause__
    return named


def explained(
    fault: BaseException | str, *, server: Server, model: str, has_begun: bool
) -> BaseException:
    """The exception for whoever waits for the run.

    Parameters
    ----------
    fault:
        Anything that came out of griptape, ollama-python, httpx, a person's function or ourselves.
    has_begun:
        Whether anything had come of the answer to the request that failed.
    """
    import httpx

    ollama = ollama_package()
    if isinstance(fault, str):
        return RunFailed(f"The run failed: {_one_line(fault)}")
    if isinstance(fault, (ServerUnreachable, ServerError, UnknownModel, RunFailed)):
        return fault
    if isinstance(fault, NotChunks):
        return _no_answer(fault, server, has_begun)
    if isinstance(fault, ErrorInAnswer):
        return _broke_off(str(fault), model)
    if isinstance(fault, ollama.ResponseError):
        return _refused(fault, server, model)
    never_there = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError, httpx.InvalidURL)
    if not has_begun and (isinstance(fault, never_there) or out_of_descriptors(fault)):
        return server.unreachable(fault)
    if isinstance(fault, (httpx.HTTPError, ConnectionError)):
        return _gone(fault, server, has_begun)
    if isinstance(fault, MemoryError):
        return RunFailed(
            f"The memory of this process ran out. {_KEPT}; restart it (in a notebook: the kernel)."
        )
    if _BAD_CALL in str(fault):
        return RunFailed(
            f"{model} called a tool in a form that griptape cannot read. {_KEPT}. Run it again, or "
            "choose a model that is better with tools."
        )
    if isinstance(fault, OSError) and _NO_FILE in str(fault):
        return RunFailed(
            "griptape asks in which file the class of a tool is, and one that is written in a "
            f'notebook is in none. {_KEPT}. Give the class a line abs_file_path = "", or put it '
            "into a module; then run it again."
        )
    failed = RunFailed(f"The run failed: {server.door.scrubbed(_named(fault))}. {_KEPT}.")
    failed.__cause__ = fault
    return failed


def callback_failed(name: str, fault: BaseException) -> Ended:
    """For whatever came out of a person's own function."""
    told = RunFailed(
        f"The run was ended by {name}, which raised {_named(fault)}. {_KEPT}; mend the function "
        "and run it again."
    )
    told.__cause__ = fault
    return Ended(told)


def _no_answer(fault: NotChunks, server: Server, has_begun: bool) -> BaseException:
    words = (
        f"What {server.url} sent is no answer to a prompt (it has: {_one_line(str(fault))!r}). See "
        "that this is Ollama's address, and what a gateway before it may have put in"
    )
    return RunFailed(f"{words}. {_KEPT}.") if has_begun else ServerError(f"{words}.")


def _refused(fault: ollama.ResponseError, server: Server, model: str) -> BaseException:
    """An error that the server answered with, in place of an answer."""
    said, status = error_text(fault.error), fault.status_code
    if status > 0:
        try:
            told = type(fault)(said, status)
            told.error = said  # it would read JSON in it once more: llama-server's is in Ollama's
            return server.explain(told, model)
        except (ServerUnreachable, ServerError, UnknownModel) as other:  # it asks for the models
            return other
    return _broke_off(said, model)


def _broke_off(said: str, model: str) -> RunFailed:
    advice = advice_for(said, model) or "Run it again."
    return RunFailed(
        f"{model} failed in the middle of its answer ({_one_line(said)}). {_KEPT}. {advice}"
    )


def _gone(fault: BaseException, server: Server, has_begun: bool) -> BaseException:
    why = server.door.scrubbed(_one_line(str(fault))) or type(fault).__name__
    if has_begun:
        return RunFailed(
            f"Ollama at {server.url} went away in the middle of the answer ({why}). {_KEPT}; see "
            "that the server runs, then run it again."
        )
    look = (
        "See that Ollama runs there, and that no gateway before it has a time limit that is "
        "shorter than a cold load; then run it again."
    )
    if proxy := _proxy_of(server):
        look = (
            f"It goes by the proxy that {proxy} names: see that it runs, takes your password, and "
            "has no time limit that is shorter than a cold load; or except the server by NO_PROXY."
        )
    return RunFailed(f"The connection to {server.url} ended before the first token ({why}). {look}")


def _proxy_of(server: Server) -> str:
    """The variable that names the proxy on the way; empty when there is none."""
    try:
        way = proxy_for(server.url)
    except BadProxy:
        return ""
    return way[1] if way is not None else ""


def _named(fault: BaseException) -> str:
    return _one_line(f"{type(fault).__name__}: {fault}").rstrip(".: ")
