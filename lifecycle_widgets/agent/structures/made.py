"""The griptape Agent that is made for one prompt, by griptape's public doors."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lifecycle_widgets.runs import Think

if TYPE_CHECKING:
    from griptape.memory.structure import BaseConversationMemory
    from griptape.structures import Agent
    from griptape.tools import BaseTool

_importing = threading.Lock()


def made_agent(
    *,
    model: str,
    think: Think,
    options: Mapping[str, Any],
    tools: Sequence[BaseTool],
    rules: Sequence[str],
    history: Sequence[tuple[str, str]],
    memory: BaseConversationMemory | None,
) -> Agent:
    """An agent that sends its prompt as it is, after exactly these turns.

    Parameters
    ----------
    options:
        Ollama's options, over griptape's own.
    history:
        Earlier turns: what was asked, what was answered; unless there is a memory.
    """
    import_griptape()
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.rules import Rule
    from griptape.structures import Agent
    from griptape.tasks import PromptTask

    asked = {} if think is None else {"think": think}
    driver = OllamaPromptDriver(model=model, stream=True, extra_params=asked)
    driver.options.update(options)
    # the text goes in by a template, else griptape would run the person's text as one
    task = PromptTask("{{ args[0] }}", prompt_driver=driver, tools=list(tools))
    remembered = memory if memory is not None else _memory_of(history)
    return Agent(tasks=[task], conversation_memory=remembered, rules=[Rule(r) for r in rules])


def _memory_of(history: Sequence[tuple[str, str]]) -> BaseConversationMemory | None:
    """These turns as griptape remembers them: all of them, and no others."""
    from griptape.artifacts import TextArtifact
    from griptape.memory.structure import Run

    if not history:
        return None
    memory = new_memory()
    memory.runs.extend(Run(input=TextArtifact(a), output=TextArtifact(b)) for a, b in history)
    return memory


def new_memory() -> BaseConversationMemory:
    """A griptape conversation memory that keeps every turn, here and in no file.

    Examples
    --------
    >>> len(new_memory().runs)
    0
    """
    import_griptape()
    from griptape.drivers.memory.conversation.local import LocalConversationMemoryDriver
    from griptape.memory.structure import ConversationMemory

    return ConversationMemory(
        autoprune=False,  # it would leave turns out from 2,000 tokens on, as it guesses them
        autoload=False,
        conversation_memory_driver=LocalConversationMemoryDriver(),
    )


def turns_of(memory: BaseConversationMemory) -> tuple[tuple[str, str], ...]:
    """The turns of a memory: what was asked, what was answered."""
    return tuple((run.input.to_text(), run.output.to_text()) for run in memory.runs)


def warm_up() -> None:
    """Import griptape in the background, so that the first run need not wait for it."""
    threading.Thread(target=import_griptape, name="lifecycle-warm-up", daemon=True).start()


def import_griptape() -> None:
    """Import griptape, in one thread at a time: its parts import each other, and two threads that
    begin with different ones wait for each other, which Python ends with an error in either."""
    with _importing:
        # ours first: it imports ollama in a way that no proxy variable can spoil
        import lifecycle_widgets.agent.requests.client  # noqa: F401, I001
        import griptape.drivers.prompt.ollama
        import griptape.structures  # noqa: F401
