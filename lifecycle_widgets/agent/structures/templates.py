"""What griptape says to a model before all else, without compiling its templates anew each time.

griptape compiles three Jinja templates for each request to make the system's message, which takes
longer than all else that it does before the request is sent (4 ms of 6; tests/bench). For a task
without rules and tools they say the same each time, mostly nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_said: dict[tuple[Any, ...], str] = {}


def kept_template(task: Any) -> Callable[[Any], str] | None:
    """A ``generate_system_template`` that gives what the task's own does; None: it has another.

    Examples
    --------
    >>> from griptape.tasks import PromptTask
    >>> task = PromptTask("Hi", prompt_driver=None)
    >>> kept_template(task) is not None
    True
    """
    from griptape.tasks import PromptTask

    own: Any = getattr(task, "generate_system_template", None)
    if getattr(own, "__func__", None) is not PromptTask.default_generate_system_template:
        return None

    def template(of: Any) -> str:
        if of.tools or of.rulesets or of.meta_memories:
            return str(own(of))
        key = (of.prompt_driver.use_native_tools, of.response_stop_sequence, of.reflect_on_tool_use)
        if key not in _said:
            _said[key] = str(own(of))
        return _said[key]

    return template
