"""What a panel has to say beside a run: of the model, a hold, a structure."""

from __future__ import annotations

from typing import Any

from lifecycle_widgets.keep_alive import KeepAlive
from lifecycle_widgets.runs import host_name
from lifecycle_widgets.server import Model
from lifecycle_widgets.widgets.agent_panel.traits import PanelTraits

CLOSED = "This panel is closed. Make a new one to run a prompt."
GOES_ON = "A run is going on. Stop it, or wait for its end, then run again."
INTERRUPTED = (
    "the run was stopped. What had come is in the panel's .run, as soon as it has ended (of a lab: "
    "lab.panel.run)."
)
ALONE = "by itself, without the turns above"
_ONLY_EMBEDS = "{} only makes embeddings: it cannot answer a prompt."


def about_model(model: Model) -> str:
    """What a person should know before a prompt goes to this model; mostly nothing."""
    if not model.can_chat:
        return _ONLY_EMBEDS.format(model.name)
    if model.is_cloud:
        where = host_name(model.remote_host) if model.remote_host else "another machine"
        return (
            f"{model.name} runs on {where}: prompts leave the machine, and keep_alive means "
            "nothing there."
        )
    return ""


def cannot_chat(name: str) -> str:
    """Why no prompt goes to a model that only embeds."""
    return f"{_ONLY_EMBEDS.format(name)} Choose a model that can chat."


def held_text(keep_alive: KeepAlive) -> str:
    """That the next run will be held.

    Examples
    --------
    >>> held_text(KeepAlive(0))
    'Held between its steps; keep_alive 0 applies when the last step has ended.'
    """
    chosen = "the drivers' keep_alive" if keep_alive.is_default else f"keep_alive {keep_alive}"
    return f"Held between its steps; {chosen} applies when the last step has ended."


def described(structure: Any) -> str:
    """A structure in a line: what it is, and which models it asks.

    Examples
    --------
    >>> from griptape.drivers.prompt.ollama import OllamaPromptDriver
    >>> from griptape.structures import Pipeline
    >>> from griptape.tasks import PromptTask
    >>> drivers = [OllamaPromptDriver(model=name) for name in ("smollm2:135m", "qwen3:4b")]
    >>> described(Pipeline(tasks=[PromptTask("{{ args[0] }}", prompt_driver=d) for d in drivers]))
    'Pipeline of 2 tasks: smollm2:135m, qwen3:4b'
    """
    from lifecycle_widgets.agent.structures.seats import seats_of, tasks_of

    kind, tasks = type(structure).__name__, len(tasks_of(structure))
    models = dict.fromkeys(str(seat.driver.model) for seat in seats_of(structure))
    return f"{kind}{f' of {tasks} tasks' if tasks > 1 else ''}: {', '.join(models)}"


def next_text(panel: PanelTraits) -> str:
    """Whom the next run will ask, with which keep_alive."""
    whom, keep_alive = panel.model or "no model chosen", f"keep_alive {panel.keep_alive}"
    if panel.structure is not None:
        whom = described(panel.structure)
        keep_alive = "its drivers' keep_alive" if panel.keep_alive.is_default else keep_alive
    return f"{whom}, {keep_alive}"
