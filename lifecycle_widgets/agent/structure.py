"""The griptape Agent of one run: made by griptape's public doors, kept quiet, run to its end."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ollama
    from griptape.memory.structure import ConversationMemory
    from griptape.structures import Agent
    from griptape.tools import BaseTool

THREAD_NAME = "lifecycle-agent-run"
"""The name of each run's thread; griptape is quiet in these, and only in these."""


def make_agent(
    *,
    model: str,
    client: ollama.Client,
    request: Mapping[str, Any],
    options: Mapping[str, Any],
    tools: Sequence[BaseTool],
    history: Sequence[tuple[str, str]] = (),
) -> Agent:
    """An agent that sends its prompt as it is, after exactly these turns, and never tries twice.

    Parameters
    ----------
    request:
        What stands at the top level of each request, such as ``keep_alive`` and ``think``.
    options:
        Ollama's options, over griptape's own.
    history:
        Earlier turns: what was asked, what was answered.
    """
    from griptape.drivers.prompt.ollama import OllamaPromptDriver
    from griptape.structures import Agent
    from griptape.tasks import PromptTask

    _keep_griptape_quiet()
    driver = OllamaPromptDriver(
        model=model,
        client=client,
        stream=True,
        max_attempts=1,  # a retry would repeat the text that was already shown
        after_hook=lambda _: None,  # the default one prints, and sets up the root logger
        extra_params=dict(request),
    )
    driver.options.update(options)
    # the text goes in by a template, else griptape would run the person's text as one
    task = PromptTask("{{ args[0] }}", prompt_driver=driver, tools=list(tools))
    return Agent(tasks=[task], conversation_memory=_memory_of(history))


def _memory_of(history: Sequence[tuple[str, str]]) -> ConversationMemory | None:
    """These turns as griptape remembers them: all of them, and no others."""
    from griptape.artifacts import TextArtifact
    from griptape.drivers.memory.conversation.local import LocalConversationMemoryDriver
    from griptape.memory.structure import ConversationMemory, Run

    if not history:
        return None
    turns = [Run(input=TextArtifact(a), output=TextArtifact(b)) for a, b in history]
    return ConversationMemory(
        runs=turns,
        autoprune=False,  # it would leave turns out from 2,000 tokens on, as it guesses them
        autoload=False,
        conversation_memory_driver=LocalConversationMemoryDriver(),  # keeps them here, in no file
    )


def run_to_its_end(
    agent: Agent,
    prompt: str,
    on_text: Callable[[str], None],
    on_tools: Callable[[float], None] = lambda _: None,
) -> BaseException | str | None:
    """Run it; returns what went wrong, which griptape does not raise: an exception, or its words.

    Parameters
    ----------
    on_text:
        Called with each piece of text, in this thread.
    on_tools:
        Called when the tools that an answer has called have ended, with the seconds they took.
    """
    from griptape.artifacts import ErrorArtifact
    from griptape.events import (
        EventListener,
        FinishActionsSubtaskEvent,
        StartActionsSubtaskEvent,
        TextChunkEvent,
    )

    began_s: dict[str, float] = {}  # our own subtask, while its tools run

    def heard(event: Any) -> None:
        if isinstance(event, FinishActionsSubtaskEvent):
            if event.task_id in began_s:
                on_tools(time.monotonic() - began_s.pop(event.task_id))
        elif began_s:
            return  # of an agent that a tool runs
        elif isinstance(event, StartActionsSubtaskEvent):
            began_s[event.task_id] = time.monotonic()
        elif event.token:
            on_text(event.token)

    types = [TextChunkEvent, StartActionsSubtaskEvent, FinishActionsSubtaskEvent]
    with EventListener(heard, event_types=types):
        agent.run(prompt)
    output = agent.task.output
    if isinstance(output, ErrorArtifact):
        return output.exception or str(output.value)
    return None


def warm_up() -> None:
    """Import griptape in the background, so that the first run need not wait for it."""

    def load() -> None:
        # ours first: it imports ollama in a way that no proxy variable can spoil
        import lifecycle_widgets.agent.client  # noqa: F401, I001
        import griptape.drivers.prompt.ollama
        import griptape.structures  # noqa: F401

    threading.Thread(target=load, name="lifecycle-warm-up", daemon=True).start()


def _keep_griptape_quiet() -> None:
    """Keep griptape from printing prompts and tracebacks of *our* runs into the notebook.

    What it raises we report ourselves; a person's own agents go on logging as they do.
    """
    log = logging.getLogger("griptape")
    if _not_ours not in log.filters:
        log.addFilter(_not_ours)


def _not_ours(record: logging.LogRecord) -> bool:
    return record.threadName != THREAD_NAME
