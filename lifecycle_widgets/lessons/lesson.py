"""Lesson: what a lesson measures on, and whether what it claims could be seen there."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any, Protocol

from lifecycle_widgets.experiments import Experiment, ExperimentFailed, NeedsConsent, Result
from lifecycle_widgets.lessons.company import Company
from lifecycle_widgets.lessons.free_models import free_models
from lifecycle_widgets.lessons.guess import guess_text
from lifecycle_widgets.neighbours import announce
from lifecycle_widgets.server import (
    AnyServer,
    Resident,
    Server,
    ServerError,
    ServerUnreachable,
    UnknownModel,
    smallest_chat_models,
)

_LOOKS_EVERY_S = 0.1
_AGAIN = (
    "See the chart, and run the lesson again from the top when you have the server for yourself."
)
_NOT_BY_OTHERS = (
    "Nobody else was seen on this server. Run the lesson again from the top; if it says the same "
    "again, `lifecycle-lab facts` tries on your server what this lesson rests on."
)


class _Panel(Protocol):
    """What of an ExperimentPanel a lesson needs."""

    def run(self) -> Any: ...


class Lesson:
    """A server, models that nobody else needs there, and claims that are checked on them.

    A lesson in a class is not alone: somebody else may use the same server, or the machine. So
    what a lesson claims goes through `expect`, which tells a claim that fails from one that could
    not be seen because of others.

    Parameters
    ----------
    server:
        A Server, an address or a Sandbox; without one, `Server.find` looks for it.
    models:
        How many models it wants, at most.
    at_least:
        And how many it needs.
    may_unload:
        Whether it may take models that somebody else has in memory.

    Raises
    ------
    ServerUnreachable, ServerError, SandboxError
        As `Server.find`. That no model is free raises nothing: ``model`` is None then, and
        ``why`` says why.

    Examples
    --------
    >>> lesson = Lesson(may_unload=False)  # doctest: +SKIP
    >>> lesson  # doctest: +SKIP
    Measuring the private sandbox: Ollama 0.32.15 at http://127.0.0.1:41234
    This lesson loads and unloads smollm2:135m.
    """

    def __init__(
        self,
        server: AnyServer = None,
        *,
        models: int = 1,
        at_least: int = 1,
        may_unload: bool = False,
    ) -> None:
        self.server, self.may_unload = Server.of(server), may_unload
        self._company = Company(self.server)
        self._notice = announce("lesson", server_url=self.server.url)
        self._since = datetime.now().astimezone()
        self.models: tuple[str, ...] = ()
        self.why = ""
        try:
            free = self.free()
            if len(free) < at_least:
                raise LookupError(self._too_few(free, at_least))
            self.models = tuple(free[:models])
        except (LookupError, ServerError, ServerUnreachable) as why:
            self.why = f"{why}\nSo what loads and unloads a model is left out below."
        self._notice.change(models=self.models)

    def __repr__(self) -> str:
        lines = [f"Measuring {self.kind}: Ollama {self.server.version} at {self.server.url}"]
        lines.append(
            f"This lesson loads and unloads {', '.join(self.models)}." if self.models else self.why
        )
        if others := self._company.here():
            lines.append(
                f"{len(others)} more {'notebook' if len(others) == 1 else 'notebooks'} on this "
                "Ollama: what they do shows in your charts, and what you do in theirs."
            )
        return "\n".join(lines)

    @property
    def kind(self) -> str:
        """What kind of server it measures, in words."""
        if self.server.is_sandbox:
            return "the private sandbox"
        return "a private Ollama" if self.server.is_private else "your own Ollama"

    @property
    def _is_known(self) -> bool:
        """Whether it is known how the server is set up, since this package has started it."""
        return self.server.is_sandbox or self.server.is_private

    # --- whose models ----------------------------------------------------------------------------

    @property
    def model(self) -> str | None:
        """The model that it loads and unloads; None where no model is free."""
        return self.models[0] if self.models else None

    def free(self) -> list[str]:
        """The models that it may load and unload, the smallest first.

        Raises ServerUnreachable, ServerError (NotTold: it does not tell what is in memory).
        """
        taken = [name for one in self._company.here() for name in one.models]
        return free_models(self.server, taken, all_of_them=self.may_unload)

    def ready(self) -> bool:
        """Whether its model may be loaded and unloaded now; says why not.

        From here on counts what others do: call it where a part begins that makes claims.
        """
        self._since = datetime.now().astimezone()
        if self.model is None:
            return False
        there = self._resident()
        if there is None or self.may_unload or self.server.is_ours(there):
            return True
        print(
            f"Somebody else has {self.model} in memory meanwhile, so it is left alone. Run the "
            "lesson again from the top: it takes another one, if there is one."
        )
        return False

    def wait_until_gone(self, limit_s: float) -> float | None:
        """Wait until its model has left memory.

        Returns
        -------
        float or None
            How long that took, in seconds. None: it is still there after ``limit_s``, and it
            says so.
        """
        began_s = time.monotonic()
        while self.model is not None and self._resident() is not None:
            if time.monotonic() - began_s > limit_s:
                print(
                    f"{self.model} is still in memory after {limit_s:g} s: somebody else uses it."
                )
                return None
            time.sleep(_LOOKS_EVERY_S)
        return time.monotonic() - began_s

    # --- claims ----------------------------------------------------------------------------------

    def expect(self, claim: Any, expected: str, seen: Any = "") -> None:
        """Check what the lesson claims, and say what was seen.

        A claim that fails is only said where others can have been the reason, and on a server of
        your own, of which no lesson can know how it is set up.

        Parameters
        ----------
        claim:
            Whether it is so.
        expected:
            The claim in words: "the model has left with its answer".
        seen:
            What was seen instead, for the sentence.

        Raises
        ------
        AssertionError
            In the sandbox, with nobody else there: what was expected, what was seen, what to do.
        """
        if claim:
            print(f"As expected: {expected}.")
            return
        told = f"Expected: {expected}. Seen: {_seen(seen)}."
        if others := self._company.since(self._since, self.models):
            print(f"{told}\n{others}, so this cannot be checked. {_AGAIN}")
        elif self._is_known:
            raise AssertionError(f"{told} {_NOT_BY_OTHERS}")
        else:
            print(
                f"{told}\nThis is your own Ollama: its settings, models and other users are "
                "not this lesson's."
            )

    def guess(self, guess: Any, seen: Any, because: str, unit: str = "") -> None:
        """Say what was guessed before, what was seen, and why it is so.

        Parameters
        ----------
        guess:
            What was written down before the run; None: nothing.
        """
        print(guess_text(guess, seen, because, unit))

    def result_of(self, measuring: Experiment[Any] | _Panel | None) -> Any:
        """An experiment's result: measured by hand in its panel, else measured now.

        What ends it early is said in a sentence, and what was measured until then is returned.

        Parameters
        ----------
        measuring:
            An Experiment, or an ExperimentPanel; None gives None.

        Returns
        -------
        Result or None
            Perhaps not complete (``result.is_complete``); None where nothing was measured.

        Raises
        ------
        ExperimentFailed
            In the sandbox, with nobody else there.
        """
        if measuring is None:
            return None
        self._since = datetime.now().astimezone()
        try:
            result = (
                measuring.run(may_unload=self.may_unload)
                if isinstance(measuring, Experiment)
                else measuring.run()
            )
            if len(result.frame):
                return result
            print(result.verdict)  # such as: stopped before the first measurement
        except (NeedsConsent, MemoryError, ServerError, ServerUnreachable, UnknownModel) as why:
            print(f"{why}\nSo nothing is measured here.")
        except ExperimentFailed as why:
            if self._is_known and not self._company.since(self._since, self.models):
                raise
            print(why)
            return why.result if isinstance(why.result, Result) and len(why.result.frame) else None
        return None

    def close(self) -> None:
        """End its share in the monitor, and its notice to others. Idempotent."""
        self._notice.close()
        self._company.close()

    def _resident(self) -> Resident | None:
        return None if self.model is None else self.server.resident(self.model)

    def _too_few(self, free: list[str], at_least: int) -> str:
        to_do = "Wait until one has left, or install another one: ollama pull llama3.2:1b"
        if not free:
            smallest_chat_models(self.server)  # where there is none at all, it says that
            return (
                f"Each model of {self.server.url} that could be used is in memory already, and "
                f"somebody may be using it. {to_do}"
            )
        return (
            f"Only {', '.join(free)} can be used on {self.server.url}, and it takes {at_least}: "
            f"others may be in memory, where somebody may be using them. {to_do}"
        )


def told(value: float | None, unit: str) -> str:
    """A number with its unit, as a lesson prints it.

    Examples
    --------
    >>> told(1.234, "s"), told(None, "s")
    ('1.23 s', 'not told')
    """
    return "not told" if value is None else f"{value:.2f} {unit}"


def _seen(seen: Any) -> str:
    text = str(seen)
    return text if text else "that it is not so"
