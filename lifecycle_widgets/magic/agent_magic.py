"""The magic itself: what IPython calls, and how it is put into a shell."""

from __future__ import annotations

import re
from queue import Empty, SimpleQueue
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, context_matcher
from IPython.core.error import UsageError
from IPython.core.magic import no_var_expand
from IPython.utils.text import DollarFormatter

from lifecycle_widgets.agent import RunEnded, RunEvent, StructureRun, warm_up
from lifecycle_widgets.magic.arguments import read_arguments
from lifecycle_widgets.magic.chosen import LastUsed, chosen_run
from lifecycle_widgets.magic.completer import Completer
from lifecycle_widgets.magic.paper import Paper
from lifecycle_widgets.magic.questions import questions_stay
from lifecycle_widgets.magic.screen import Screen
from lifecycle_widgets.runs import Run
from lifecycle_widgets.server import UnknownModel

_TICK_S = 0.2
_TICKS_AFTER = 10  # after the end of a run, in which it tells its end
_MATCHER = "lifecycle_widgets.agent"
_IS_OURS = re.compile(r"\s*%{1,2}agent\s")


HELP = """\
Run a prompt as a griptape Agent on Ollama; its answer streams into the cell.

    %%agent --model smollm2:135m --keep-alive 0
    The cell's text is the prompt, and is sent as it is.

    %agent --model smollm2:135m Or the rest of the line is.

The `Run` is in `_` afterwards, with its `answer`, `timings` and `steps`. An interrupt stops the
run, and keeps what has come. Model and server hold for the cells that follow.

--model NAME          an installed model; without one, the smallest that can chat
--keep-alive VALUE    how long it stays in memory: 0, 30s, 5m, forever, default
--server ADDRESS      or a variable with a Server; without one, the Ollama that is found
--think WHETHER       on, off, low, medium, high
--option NAME=VALUE   an option of Ollama's, such as num_predict=50; any number of times
--rules TEXT          a rule for the agent; any number of times
--tools NAME          a variable with griptape tools; any number of times
--structure NAME      a variable with a griptape structure, which runs in place of an Agent
--hold, --no-hold     whether models are held in memory between the requests of the run
--timeout SECONDS     stop it then
--as NAME             put the run into this variable, too
--                    what follows is the prompt

{name} and $name in an option's value stand for a variable, as in other magics; in the prompt they
are what they are.
"""


class AgentMagic:
    """``%agent`` and ``%%agent`` in a shell of IPython's.

    Parameters
    ----------
    shell:
        IPython's.
    """

    def __init__(self, shell: Any) -> None:
        self._shell, self.last = shell, LastUsed()

    def run(self, line: str, cell: str | None = None) -> None:
        """Run what a person has written; see `HELP`.

        Parameters
        ----------
        line:
            What stands behind the magic's name.
        cell:
            The cell's text; None for a line.
        """
        try:
            asked = read_arguments(line, cell, self._expanded)
            events: SimpleQueue[RunEvent] = SimpleQueue()
            run = chosen_run(asked, self._shell.user_ns, self.last, events.put)
        except UnknownModel as fault:
            raise _in_one_line(fault) from None
        except (ValueError, TypeError, LookupError) as fault:
            raise UsageError(str(fault)) from None
        except (RuntimeError, ConnectionError) as fault:
            raise _in_one_line(fault) from None
        tasks = getattr(self._shell.user_ns.get(asked.structure), "tasks", ())
        paper = Paper(on_page=hasattr(self._shell, "kernel"))
        screen = Screen(run, paper, names_tasks=len(tasks) > 1)
        try:
            self._follow(run, events, screen, asked.name)
        except (RuntimeError, ConnectionError, LookupError, KeyboardInterrupt) as fault:
            raise _in_one_line(fault) from None

    def _follow(
        self, run: StructureRun, events: SimpleQueue[RunEvent], screen: Screen, name: str | None
    ) -> None:
        """Show the run to its end, and put it where the person finds it; raises what went wrong."""
        run.start()
        interrupt: KeyboardInterrupt | None = None
        try:
            ended = _heard(run, events, screen)
        except KeyboardInterrupt as pressed:  # the kernel's stop button means this run
            run.stop()
            interrupt = pressed
            ended = _heard(run, events, screen)
        if ended is not None:
            # as after an expression, but that nothing is printed
            self._shell.displayhook.update_user_ns(ended)
            if name is not None:
                self._shell.push({name: ended})
            screen.end(ended)
        if interrupt is not None:
            raise interrupt
        run.wait()
        self.last.note(run)

    def _expanded(self, text: str) -> str:
        """With a person's variables in it, as IPython does it for other magics."""
        try:
            return str(DollarFormatter().vformat(text, (), self._shell.user_ns))
        except Exception:  # braces that are no variable
            return text


def _heard(run: StructureRun, events: SimpleQueue[RunEvent], screen: Screen) -> Run | None:
    """Show what happens until the run has ended. In this thread: an interrupt comes here."""
    ticks_left = _TICKS_AFTER
    while True:
        try:
            event = events.get(timeout=_TICK_S)
        except Empty:
            ticks_left -= not run.running
            if not ticks_left:
                return None
            screen.tick()
            continue
        if isinstance(event, RunEnded):
            return event.run
        screen.hear(event)


def _in_one_line(fault: BaseException) -> BaseException:
    """The same exception; IPython shows its sentence, without the way through our code."""
    said = str(fault) or "the run was stopped; what had come is in _"
    fault._render_traceback_ = lambda: [f"{type(fault).__name__}: {said}"]  # type: ignore[attr-defined]
    return fault


def load(shell: Any) -> None:
    """Put the magic into an IPython shell. Doing it again is well."""
    magic = AgentMagic(shell)

    def agent(line: str, cell: str | None = None) -> None:
        magic.run(line, cell)

    agent.__doc__ = HELP
    shell.register_magic_function(no_var_expand(agent), "line_cell")
    matchers = shell.Completer.custom_matchers
    matchers[:] = [m for m in matchers if getattr(m, "matcher_identifier", "") != _MATCHER]
    matchers.append(_matcher(Completer(magic.last, shell.user_ns)))
    if questions_stay not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(questions_stay)
    warm_up()  # griptape takes a second to import; the person is still writing


def _matcher(completer: Completer) -> Any:
    """For IPython's completer; what Python would have to offer is not wanted then."""

    def agent_matcher(context: CompletionContext) -> dict[str, Any]:
        line = context.text_until_cursor
        word, offered = completer.offers(line) if _IS_OURS.match(line) else ("", [])
        found = [SimpleCompletion(text=text, type="magic option") for text in offered]
        return {"completions": found, "suppress": True, "matched_fragment": word, "ordered": True}

    return context_matcher(identifier=_MATCHER)(agent_matcher)
